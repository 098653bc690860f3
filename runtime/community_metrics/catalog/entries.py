"""The entries of a catalogue file, `[[product]]` and `[[metric]]`, and what each field may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from community_metrics.model import METRIC_ID, MetricDefinition, SourceWindow, ValueKind, Visibility, Witness
from community_metrics.sources.base import EVERYTHING
from community_metrics.sources.pypistats import PypiStats
from community_metrics.text import without_controls

if TYPE_CHECKING:
    from datetime import datetime

SLUG = re.compile(r"[a-z0-9][a-z0-9._-]*")
_UNIT = re.compile(r"[a-z][a-z0-9-]*( [a-z0-9-]+)*")


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return value


def _name(value: str) -> str:
    """Return a name as it is shown: a control character in it breaks badges and rewrites terminals."""
    return _text(without_controls(value))


def _subject(value: str) -> str:
    if value != without_controls(value):
        raise ValueError(f"{value!r} holds a control character. Fix: write it without")
    return _text(value)


def _slug(value: str) -> str:
    if not SLUG.fullmatch(value):
        raise ValueError(f"{value!r} must be lower-case letters, digits, '.', '_' and '-', like python")
    return value


def _metric_id(value: str) -> str:
    if not METRIC_ID.fullmatch(value):
        raise ValueError(f"{value!r} is not family:product:detail in lower case, like downloads:lance:python")
    return value


def _unit(value: str) -> str:
    if not _UNIT.fullmatch(value):
        raise ValueError(f"{value!r} must be lower-case words, like uniques or open issues")
    return value


Text = Annotated[str, AfterValidator(_text)]
Name = Annotated[str, AfterValidator(_name)]
Subject = Annotated[str, AfterValidator(_subject)]
Slug = Annotated[str, AfterValidator(_slug)]
MetricId = Annotated[str, AfterValidator(_metric_id)]
Unit = Annotated[str, AfterValidator(_unit)]


class Cadence(StrEnum):
    """How often a metric is read."""

    DAILY = "daily"
    WEEKLY = "weekly"


class Entry(BaseModel):
    """What products and metrics have in common: no unknown field, no conversion of types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Product(Entry):
    """One `[[product]]`: a project whose packages and repositories are shown together."""

    id: Slug
    name: Name


class Metric(Entry):
    """One `[[metric]]`: one thing counted, one source, one subject.

    `subject` is the package or repository as the source writes it; `options` choose among its series.
    `window` is the interval that one value covers, `kind` how the values combine over time, and `unit` what
    they count. Without them the source's count, else the usual kind of the window, and the family up to its
    first `_`. The values of `fallbacks` are shown as estimates where this metric has none. `visibility` says
    who may see it: without it what its source says, else everybody. `cadence` is how often it is read;
    without it, daily what would be lost otherwise, and weekly the rest. `watch` says that it is somebody
    else's: it is read and compared with, and in no total, no insight and no table of products. `witness`
    names who is compared with its source (`second_witness`).
    """

    metric_id: Annotated[MetricId, Field(alias="id")]
    source: Text
    subject: Subject
    options: Mapping[str, Any] = {}
    sdk: Slug | None = None
    window: Annotated[SourceWindow, Field(strict=False)]
    kind: Annotated[ValueKind | None, Field(strict=False)] = None
    own_unit: Annotated[Unit | None, Field(alias="unit")] = None
    fallbacks: Annotated[tuple[str, ...], Field(strict=False)] = ()
    display_name: Name
    cadence: Annotated[Cadence | None, Field(strict=False)] = None
    is_active: Annotated[bool, Field(alias="active")] = True
    is_watched: Annotated[bool, Field(alias="watch")] = False
    visibility: Annotated[Visibility, Field(strict=False)] = Visibility.PUBLIC
    witness: Annotated[Witness | None, Field(strict=False)] = None

    @property
    def second_witness(self) -> Witness:
        """Who is compared with its source once a week: without `witness` ClickPy for PyPI, else nobody."""
        if self.witness is not None:
            return self.witness
        is_package = self.source == PypiStats.name and self.subject != EVERYTHING
        return Witness.CLICKPY if is_package else Witness.NONE

    @property
    def family(self) -> str:
        """The first part of the id: `downloads`, `stars_retained`."""
        return self.metric_id.split(":")[0]

    @property
    def product(self) -> str:
        """The second part of the id: the id of the product."""
        return self.metric_id.split(":")[1]

    @property
    def unit(self) -> str:
        """What is counted: `downloads`, `uniques`."""
        return self.own_unit or usual_unit(self.metric_id)

    @property
    def value_kind(self) -> ValueKind:
        """How values combine over time."""
        return self.kind or self.window.usual_kind

    def definition(self, created_at: datetime) -> MetricDefinition:
        """Return the metric's row of the `metrics` table."""
        return MetricDefinition(
            metric_id=self.metric_id,
            metric_family=self.family,
            product=self.product,
            subject=self.subject,
            sdk=self.sdk,
            source=self.source,
            value_kind=self.value_kind,
            unit=self.unit,
            source_window=self.window,
            fallbacks=self.fallbacks,
            display_name=self.display_name,
            is_active=self.is_active,
            created_at=created_at,
            visibility=self.visibility,
        )


def usual_unit(metric_id: str) -> str:
    """Return the unit of a metric whose entry names none: the family up to its first `_`."""
    return metric_id.split(":", maxsplit=1)[0].split("_", maxsplit=1)[0]

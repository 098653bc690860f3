"""Definitions of metrics: the rows of `metrics`, and what a source declares of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from community_metrics.model.kinds import SourceWindow, ValueKind, Visibility

SEED_SOURCE: Final = "seed"
"""The catalogue's source name for metrics that only seed files fill; no plug-in may use it."""

REGISTRY_FAMILY: Final = "registry"
"""The family of the totals of registries, over all their packages; no entry of a catalogue may use it."""


@dataclass(frozen=True, slots=True)
class LevelBreak:
    """A day from which on a source counts in another way, and why: no change is computed across it.

    `day` is the first that is counted in the new way. `subjects` begins the subjects that it is about, such
    as `datasets/`; empty for all of the source.
    """

    day: date
    reason: str
    subjects: str = ""

    def is_between(self, first: date, last: date) -> bool:
        """Return whether values from `first` on and up to `last` are counted in both ways."""
        return first < self.day <= last


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """One row of `metrics`: one thing counted, one source, one subject."""

    metric_id: str
    metric_family: str
    product: str
    subject: str
    sdk: str | None
    source: str
    value_kind: ValueKind
    unit: str
    source_window: SourceWindow
    fallbacks: tuple[str, ...]
    display_name: str
    is_active: bool
    created_at: datetime
    visibility: Visibility = Visibility.PUBLIC

    @property
    def is_registry(self) -> bool:
        """Whether it counts all packages of a registry, and so belongs to no product."""
        return self.metric_family == REGISTRY_FAMILY

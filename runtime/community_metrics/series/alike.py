"""Which series may share a chart, on which axes, and on which scale they are best read. Pure.

`RULE` is printed in docs/insights.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from community_metrics.model import UNIQUES, ValueKind
from community_metrics.series.change import break_between
from community_metrics.series.insights.rules import Parameter, Rule

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from community_metrics.model import LevelBreak, MetricDefinition

FAR_APART: Final = 10
RULE: Final = Rule(
    "alike",
    ("/compare",),
    "Series share a chart if they are alike. Amounts of a period (flows, and the growth of counters) are "
    "alike; so are levels, rolling totals of one length, and uniques of one window. The first series decides "
    "which. Two series of one source that count in different ways, as with and without mirrors, are not "
    "alike. A series whose source changed its way of counting within the days shown is refused, since its "
    "values on the two sides are not one series. Each unit has an axis of its own. Several units are best "
    "read indexed to 100, and sizes that are far apart on a logarithmic scale; a size is the newest complete "
    "week.",
    None,
    (Parameter("FAR_APART", str(FAR_APART), "the largest size over the smallest that is far apart"),),
)


class Scale(StrEnum):
    """A way to draw several series."""

    LOG = "log"
    INDEXED = "indexed"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A series that is to share a chart.

    `way` says how its source counts it, as `mirrors = true`; equal for series that count alike. `first_day`
    is its first stored day with a value above 0, `size` its newest complete week; both None if there is none.
    """

    metric: MetricDefinition
    way: str
    breaks: tuple[LevelBreak, ...]
    first_day: date | None
    size: int | None


@dataclass(frozen=True, slots=True)
class Refused:
    """A series that may not share the chart, and why, in one sentence."""

    metric_id: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Axis:
    """The series of one unit."""

    unit: str
    metric_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """A scale on which the series are better read, and why, in one sentence."""

    scale: Scale
    sentence: str


@dataclass(frozen=True, slots=True)
class Alike:
    """The series that share the chart, those that do not, the axes, and the advice, None without one."""

    accepted: tuple[Candidate, ...]
    refused: tuple[Refused, ...]
    axes: tuple[Axis, ...]
    advice: Advice | None


def alike(candidates: Sequence[Candidate], first: date, last: date) -> Alike:
    """Return which of the series may share a chart of the days from `first` to `last`."""
    accepted: list[Candidate] = []
    refused: list[Refused] = []
    for one in candidates:
        if reason := _reason(one, accepted, first, last):
            refused.append(Refused(one.metric.metric_id, reason))
        else:
            accepted.append(one)
    units = dict.fromkeys(one.metric.unit for one in accepted)
    axes = tuple(
        Axis(unit, tuple(one.metric.metric_id for one in accepted if one.metric.unit == unit))
        for unit in units
    )
    return Alike(tuple(accepted), tuple(refused), axes, _advice(accepted, axes))


def _reason(one: Candidate, accepted: Sequence[Candidate], first: date, last: date) -> str | None:
    name = one.metric.display_name
    if crossed := break_between(one.breaks, first, last):
        return (
            f"{name} is counted in another way since {crossed.day} ({crossed.reason}). "
            f"Choose days from {crossed.day} on."
        )
    for other in accepted:
        measures = _measure(one.metric), _measure(other.metric)
        if measures[0] != measures[1]:
            return f"{name} is {measures[0]}, but {other.metric.display_name} is {measures[1]}."
        if one.metric.source == other.metric.source and one.way != other.way:
            return (
                f"{name} and {other.metric.display_name} are counted in two ways: {one.metric.source} has "
                f"{one.way or 'no option'} for the one and {other.way or 'no option'} for the other."
            )
    return None


def _measure(metric: MetricDefinition) -> str:
    """Return what a value of the series is."""
    window = metric.source_window
    if metric.value_kind is ValueKind.ROLLING:
        return f"a rolling total of {window.days} days"
    if metric.unit == UNIQUES:
        return "uniques of a day" if window.days == 1 else f"uniques of {window.days} days"
    return "a level" if metric.value_kind is ValueKind.LEVEL else "an amount of each period"


def _advice(accepted: Sequence[Candidate], axes: Sequence[Axis]) -> Advice | None:
    if len(axes) > 1:
        units = ", ".join(axis.unit for axis in axes)
        return Advice(
            Scale.INDEXED,
            f"The series have several units ({units}). Indexed to 100, their growth shares one axis.",
        )
    sized = [(one.size, one.metric.display_name) for one in accepted if one.size]
    if len(sized) < len(accepted) or not sized:
        return None
    (low, smallest), (high, largest) = min(sized), max(sized)
    if high < FAR_APART * low:
        return None
    times = f"{high / low:,.0f}"
    return Advice(
        Scale.LOG,
        f"{largest} is {times} times as large as {smallest}. A log scale shows both, and equal growth as "
        "equal slopes.",
    )

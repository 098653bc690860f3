"""Which series may share a chart, on which axes, and on which scale they are best read. Pure.

`RULE` is printed in docs/insights.md. `parts` is what it needs of each series, for a page without a server,
which puts them together in `frontend/src/api/comparing.ts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from community_metrics.errors import NotAlike, NotComparable
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
    ("/compare", "/compare/parts"),
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

UNLIKE: Final = "{name} is {measure}, but {other_name} is {other_measure}."
TWO_WAYS: Final = (
    "{name} and {other_name} are counted in two ways: {source} has {way} for the one and {other_way} for the "
    "other."
)
SEVERAL_UNITS: Final = (
    "The series have several units ({units}). Indexed to 100, their growth shares one axis."
)
FAR_LARGER: Final = (
    "{name} is {times} times as large as {other_name}. A log scale shows both, and equal growth as equal "
    "slopes."
)
SENTENCES: Final = {
    "unlike": UNLIKE,
    "two_ways": TWO_WAYS,
    "several_units": SEVERAL_UNITS,
    "far_larger": FAR_LARGER,
}
"""What is said of several series, with names in braces for what differs."""


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
    first_day: date | None = None
    size: int | None = None

    @property
    def measure(self) -> str:
        """What a value of the series is; series of two measures share no chart."""
        metric, window = self.metric, self.metric.source_window
        if metric.value_kind is ValueKind.ROLLING:
            return f"a rolling total of {window.days} days"
        if metric.unit == UNIQUES:
            return "uniques of a day" if window.days == 1 else f"uniques of {window.days} days"
        return "a level" if metric.value_kind is ValueKind.LEVEL else "an amount of each period"

    @property
    def way_in_words(self) -> str:
        """How its source counts it; two series of one source share a chart only if it is the same."""
        return self.way or "no option"


@dataclass(frozen=True, slots=True)
class Change:
    """A day from which a source counts in another way, and what is said of a chart with days before it."""

    day: date
    sentence: str


@dataclass(frozen=True, slots=True)
class Part:
    """What decides on a series, whatever the others are; `changes` has the newest day first."""

    candidate: Candidate
    changes: tuple[Change, ...]


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


def require_alike(candidates: Sequence[Candidate], first: date, last: date) -> None:
    """Let series pass that have a sum over the days from `first` to `last`.

    Raises:
        NotAlike: some of them may not share a chart of these days.
        NotComparable: they have several units.
    """
    found = alike(candidates, first, last)
    if found.refused:
        raise NotAlike([one.sentence for one in found.refused])
    if len(found.axes) > 1:
        metric_ids = [axis.metric_ids[0] for axis in found.axes]
        raise NotComparable(metric_ids[1], f"has another unit than {metric_ids[0]}: their values have no sum")


def parts(candidates: Sequence[Candidate]) -> tuple[Part, ...]:
    """Return what decides on each of the series: `alike` says the same of any of them."""
    return tuple(
        Part(
            one,
            tuple(_change(one, each) for each in sorted(one.breaks, key=lambda each: each.day, reverse=True)),
        )
        for one in candidates
    )


def _reason(one: Candidate, accepted: Sequence[Candidate], first: date, last: date) -> str | None:
    if crossed := break_between(one.breaks, first, last):
        return _change(one, crossed).sentence
    names = {"name": one.metric.display_name}
    for other in accepted:
        names["other_name"] = other.metric.display_name
        if one.measure != other.measure:
            return UNLIKE.format(**names, measure=one.measure, other_measure=other.measure)
        if one.metric.source == other.metric.source and one.way != other.way:
            ways = {"way": one.way_in_words, "other_way": other.way_in_words}
            return TWO_WAYS.format(**names, source=one.metric.source, **ways)
    return None


def _change(one: Candidate, at: LevelBreak) -> Change:
    return Change(
        at.day,
        f"{one.metric.display_name} is counted in another way since {at.day} ({at.reason}). "
        f"Choose days from {at.day} on.",
    )


def _advice(accepted: Sequence[Candidate], axes: Sequence[Axis]) -> Advice | None:
    if len(axes) > 1:
        return Advice(Scale.INDEXED, SEVERAL_UNITS.format(units=", ".join(axis.unit for axis in axes)))
    sized = [one for one in accepted if one.size]
    if len(sized) < len(accepted) or not sized:
        return None
    smallest, largest = min(sized, key=_by_size), max(sized, key=_by_size)
    if not largest.size or not smallest.size or largest.size < FAR_APART * smallest.size:
        return None
    times = f"{largest.size / smallest.size:,.0f}"  # a half is rounded to the even number
    names = {"name": largest.metric.display_name, "other_name": smallest.metric.display_name}
    return Advice(Scale.LOG, FAR_LARGER.format(**names, times=times))


def _by_size(one: Candidate) -> tuple[int, str]:
    return one.size or 0, one.metric.display_name

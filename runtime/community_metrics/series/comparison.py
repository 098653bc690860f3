"""What a comparison before and after a day is: its rule, its numbers, and the sentence made of them. Pure.

`RULE` is printed in docs/insights.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from community_metrics.model import (
    MOST_SIDE_DAYS,
    SIDE_DAYS_STEP,
    TOGETHER,
    USUAL_SIDE_DAYS,
    Measure,
)
from community_metrics.periods import ONE_DAY, Grain, days_between
from community_metrics.series.insights.links import series_link
from community_metrics.series.insights.rules import Parameter, Rule
from community_metrics.text import ranges_text, signed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from community_metrics.model import MetricDefinition

RULE: Final = Rule(
    "before-and-after",
    ("/before-after",),
    "The mean a day of the days after a day, against that of as many days before it. The day itself is on "
    "neither side, because it is partly before and partly after; its value is shown. Both sides are whole "
    "weeks, so that each has every weekday equally often. A day that is missing, or not published yet by its "
    "source, refuses the comparison, unless `skip_missing` asks for it without: then the missing days are "
    "named, a side is the mean of the means of its weekdays, and a weekday that one side lacks counts on "
    "neither. A level is compared by its growth from the end of one day to the end of the next; of daily "
    "uniques the mean of the days, which is no number of visitors. Refused are values that are not of days, "
    "and a change of counting that the source declares within the days. Net of the registry: its own daily "
    "series gives the ratio of the same two means, and the part of the mean after that is beyond the mean "
    "before times this ratio is the metric's own. A day that the registry lacks, or counted only in part, is "
    "as missing as any. "
    f"It says {TOGETHER}.",
    None,
    (
        Parameter("USUAL_SIDE_DAYS", str(USUAL_SIDE_DAYS), "days on each side, unless asked for others"),
        Parameter("MOST_SIDE_DAYS", str(MOST_SIDE_DAYS), "most days on each side"),
        Parameter("SIDE_DAYS_STEP", str(SIDE_DAYS_STEP), "the days on each side are a multiple of it"),
    ),
)


@dataclass(frozen=True, slots=True)
class Window:
    """A day, and the same number of days before and after it; `days` are whole weeks."""

    day: date
    days: int

    @property
    def first(self) -> date:
        """The first day before."""
        return self.day - timedelta(days=self.days)

    @property
    def last(self) -> date:
        """The last day after."""
        return self.day + timedelta(days=self.days)

    @property
    def before(self) -> tuple[date, ...]:
        """The days before, oldest first."""
        return tuple(days_between(self.first, self.day - ONE_DAY))

    @property
    def after(self) -> tuple[date, ...]:
        """The days after, oldest first."""
        return tuple(days_between(self.day + ONE_DAY, self.last))

    @property
    def sides(self) -> tuple[date, ...]:
        """The days of both sides, oldest first."""
        return self.before + self.after


@dataclass(frozen=True, slots=True)
class RegistryDays:
    """The registry's own daily series: its id, and the days that it counted whole."""

    metric_id: str
    values: Mapping[date, int]


@dataclass(frozen=True, slots=True)
class Side:
    """One side: its first and last day, how many of its days count, and their mean a day."""

    first: date
    last: date
    days: int
    mean: float


@dataclass(frozen=True, slots=True)
class NetOfRegistry:
    """What the registry did in the same days, and the metric's change without it.

    `before` and `after` are the registry's means a day, `fraction` its change. `net_difference` is in the
    metric's unit a day, `net_fraction` the change of the metric over that of the registry.
    """

    metric_id: str
    before: float
    after: float
    fraction: float
    net_difference: float
    net_fraction: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A metric before and after a day.

    `on_the_day` is the value of the day itself, None if it is not known. `missing_days` have no value,
    `unpaired_days` have one, but the other side lacks their weekday; neither counts. `provisional_days` may
    still change at the source, `low_days` were counted low for everybody. Without `net` there is a
    `net_reason`.
    """

    metric: MetricDefinition
    window: Window
    measure: Measure
    on_the_day: int | None
    before: Side
    after: Side
    missing_days: tuple[date, ...]
    unpaired_days: tuple[date, ...]
    provisional_days: tuple[date, ...]
    low_days: tuple[date, ...]
    net: NetOfRegistry | None
    net_reason: str | None

    meaning: ClassVar[str] = TOGETHER
    rule: ClassVar[str] = RULE.rule_id

    @property
    def day(self) -> date:
        """The day between the two sides."""
        return self.window.day

    @property
    def days(self) -> int:
        """The days on each side."""
        return self.window.days

    @property
    def difference(self) -> float:
        """The difference of the two means, in the metric's unit a day."""
        return self.after.mean - self.before.mean

    @property
    def fraction(self) -> float | None:
        """The difference as a fraction of the mean before; None unless that is positive."""
        return self.difference / self.before.mean if self.before.mean > 0 else None

    @property
    def link(self) -> str:
        """The path of the API that has the days."""
        first = first_read(self.window, self.measure)
        return series_link(self.metric.metric_id, Grain.DAY, first, self.window.last)

    @property
    def sentence(self) -> str:
        """The comparison in plain English, made of its numbers."""
        net = f"Net of the registry: {self.net_reason}."
        if self.net is not None:
            net = _net_words(self.net, self.metric.unit)
        return f"{_own_words(self)} {net} This says {TOGETHER}."


def first_read(window: Window, measure: Measure) -> date:
    """Return the first day that is read: the growth of a day needs the level of the day before."""
    return window.first - (ONE_DAY if measure is Measure.GROWTH else timedelta(0))


def _own_words(one: Comparison) -> str:
    days, unit = one.window.days, one.metric.unit
    is_growth = one.measure is Measure.GROWTH
    value = signed(one.after.mean, ",.1f") if is_growth else f"{one.after.mean:,.1f}"
    base = signed(one.before.mean, ",.1f") if is_growth else f"{one.before.mean:,.1f}"
    fraction = "" if one.fraction is None else f" ({signed(one.fraction, '.1%')})"
    word = "more" if one.difference > 0 else "fewer"
    change = f"{abs(one.difference):,.1f} {word}{fraction} than" if one.difference else "as many as"
    text = (
        f"{one.metric.display_name}: {value} {unit} a day in the {days} days after {one.window.day}, "
        f"{change} in the {days} days before ({base})."
    )
    return f"{text} Without the missing {ranges_text(one.missing_days)}." if one.missing_days else text


def _net_words(net: NetOfRegistry, unit: str) -> str:
    return (
        f"The registry ({net.metric_id}) changed by {signed(net.fraction, '.1%')} in the same days; net "
        f"of it the change is {signed(net.net_difference, ',.1f')} {unit} a day "
        f"({signed(net.net_fraction, '.1%')})."
    )

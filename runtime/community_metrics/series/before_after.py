"""A metric in the days before and after a day, and what its registry did in the same days. Pure."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from community_metrics.errors import DaysMissing, NotComparable
from community_metrics.model import Measure, SourceWindow, Status, ValueKind
from community_metrics.periods import Grain, days_between, period_of
from community_metrics.series.change import break_between
from community_metrics.series.comparison import Comparison, NetOfRegistry, Side, first_read
from community_metrics.text import ranges_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from community_metrics.model import LevelBreak, MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.series.comparison import RegistryDays, Window
    from community_metrics.series.grid import PointSeries

    Values = Mapping[date, int]


def measure_of(metric: MetricDefinition) -> Measure:
    """Return what is compared of each day of a metric.

    Raises:
        NotComparable: its values are not of days.
    """
    if metric.value_kind is ValueKind.LEVEL:
        return Measure.GROWTH
    if metric.value_kind is ValueKind.ROLLING:
        length = metric.source_window.days
        raise NotComparable(
            metric.metric_id, f"is a rolling total of {length} days, which belongs to no single day"
        )
    if metric.value_kind is ValueKind.FLOW and metric.source_window is not SourceWindow.DAY:
        raise NotComparable(
            metric.metric_id, f"has one value for each {metric.source_window}, and no value of a day"
        )
    return Measure.VALUE


def days_read(metric: MetricDefinition, window: Window) -> list[Period]:
    """Return the days whose values a comparison needs, oldest first.

    Raises:
        NotComparable: the values of the metric are not of days.
    """
    first = first_read(window, measure_of(metric))
    return [period_of(day, Grain.DAY) for day in days_between(first, window.last)]


def compare(
    series: PointSeries,
    window: Window,
    *,
    breaks: Sequence[LevelBreak] = (),
    low: frozenset[date] = frozenset(),
    skip_missing: bool = False,
    registry: RegistryDays | None = None,
) -> Comparison:
    """Return the comparison of a metric; `series` has the points of its `days_read`.

    `low` are the days on which its registry counted low for everybody.

    Raises:
        NotComparable: the values are not of days, a source changed its way of counting in the window, or no
            weekday is known on both sides.
        DaysMissing: a day has no complete value, and `skip_missing` does not allow it.
    """
    metric, measure = series.metric, measure_of(series.metric)
    _require_one_way_of_counting(metric, breaks, first_read(window, measure), window.last)
    values = _values(series, measure)
    missing = tuple(day for day in window.sides if day not in values)
    if missing and not skip_missing:
        raise DaysMissing(metric.metric_id, missing)
    counted = _paired(window, values)
    if not counted:
        raise NotComparable(metric.metric_id, "has no weekday with a value on both sides of the day")
    net, reason = _net(window, values, registry, measure, skip_missing=skip_missing)
    provisional = {point.period.start for point in series if point.status is Status.PROVISIONAL}
    return Comparison(
        metric=metric,
        window=window,
        measure=measure,
        on_the_day=values.get(window.day),
        before=_side(window.before, counted),
        after=_side(window.after, counted),
        missing_days=missing,
        unpaired_days=tuple(day for day in window.sides if day in values and day not in counted),
        provisional_days=tuple(sorted(provisional & counted.keys())),
        low_days=tuple(sorted(low & counted.keys())),
        net=net,
        net_reason=reason,
    )


def _require_one_way_of_counting(
    metric: MetricDefinition, breaks: Sequence[LevelBreak], first: date, last: date
) -> None:
    if crossed := break_between(breaks, first, last):
        raise NotComparable(
            metric.metric_id,
            f"is counted in another way since {crossed.day} ({crossed.reason}), and nothing is compared "
            "across that day",
        )


def _values(series: PointSeries, measure: Measure) -> Values:
    """Return the complete days."""
    days = [period.start for period in series.periods]
    values = series.complete_values()
    if measure is Measure.VALUE:
        return {day: value for day, value in zip(days, values, strict=True) if value is not None}
    return {
        day: value - before
        for day, (before, value) in zip(days[1:], pairwise(values), strict=True)
        if value is not None and before is not None
    }


def _paired(window: Window, values: Values) -> Values:
    """Return the values of the days that count: their weekday has a value on both sides."""
    sides = [{day.weekday() for day in side if day in values} for side in (window.before, window.after)]
    shared = sides[0] & sides[1]
    return {day: values[day] for day in window.sides if day in values and day.weekday() in shared}


def _mean(days: Sequence[date], values: Values) -> Fraction:
    """Return the mean of the means of the weekdays; without a missing day it is the mean of the days."""
    by_weekday = defaultdict(list)
    for day in days:
        if day in values:
            by_weekday[day.weekday()].append(values[day])
    means = [Fraction(sum(own), len(own)) for own in by_weekday.values()]
    return sum(means, Fraction(0)) / len(means)


def _side(days: Sequence[date], values: Values) -> Side:
    return Side(days[0], days[-1], sum(day in values for day in days), float(_mean(days, values)))


def _net(
    window: Window, values: Values, registry: RegistryDays | None, measure: Measure, *, skip_missing: bool
) -> tuple[NetOfRegistry | None, str | None]:
    """Return the change without that of the registry, or the reason why it is not known."""
    if measure is Measure.GROWTH:
        return None, "not known, because a registry counts no growth of levels"
    if registry is None:
        return None, "not known, because no daily series of the whole registry is stored"
    whole = registry.values
    lacking = [day for day in window.sides if day in values and day not in whole]
    if lacking and not skip_missing:
        return None, f"not known, because {registry.metric_id} lacks {ranges_text(lacking)}"
    shared = _paired(window, {day: value for day, value in values.items() if day in whole})
    if not shared:
        return None, f"not known, because {registry.metric_id} has no weekday on both sides"
    theirs = [_mean(days, {day: whole[day] for day in shared}) for days in (window.before, window.after)]
    own = [_mean(days, shared) for days in (window.before, window.after)]
    if not (theirs[0] and theirs[1] and own[0]):
        return None, "not known, because a mean is 0 and has no ratio"
    expected = own[0] * theirs[1] / theirs[0]
    net = NetOfRegistry(
        metric_id=registry.metric_id,
        before=float(theirs[0]),
        after=float(theirs[1]),
        fraction=float(theirs[1] / theirs[0] - 1),
        net_difference=float(own[1] - expected),
        net_fraction=float(own[1] / expected - 1),
    )
    return net, None

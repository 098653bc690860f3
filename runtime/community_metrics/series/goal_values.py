"""What is known of the thing that a goal is about: its sum or reading, and its recent weeks. Pure."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from community_metrics.model import ValueKind
from community_metrics.periods import Grain, days_between, last_completed, last_periods
from community_metrics.readings import day_of_number, number_of_day
from community_metrics.series.change import break_between, latest_complete
from community_metrics.series.forecast import MOST_WEEKS
from community_metrics.series.goals import Counted
from community_metrics.series.points import points
from community_metrics.series.snapshots import ended_days
from community_metrics.series.summary import window_before

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from numpy.typing import NDArray

    from community_metrics.model import LevelBreak, MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.readings import Readings


def weeks_read(now: datetime) -> list[Period]:
    """Return the weeks of which a goal's recent weeks and its forecast are made; growth needs one more."""
    return last_periods(last_completed(now, Grain.WEEK), MOST_WEEKS + 1)


def counted_by(
    metrics: Sequence[MetricDefinition],
    readings: Readings,
    day: date,
    now: datetime,
    *,
    since: date | None = None,
    breaks: Sequence[LevelBreak] = (),
) -> Counted:
    """Return what is known up to the end of `day` of a metric, or of the total of several daily flows.

    `since` is the first day of a sum, by default the first one that all metrics have. `breaks` are the
    declared changes of counting of any of them.
    """
    if metrics[0].value_kind is ValueKind.FLOW:
        return _sum_of_days(metrics, readings, day, now, since=since, breaks=breaks)
    metric = metrics[0]
    own = readings.of_metric(metric.metric_id)
    is_rolling = metric.value_kind is ValueKind.ROLLING
    ends = own["last_day"] if is_rolling else ended_days(own)
    own, ends = own[ends <= number_of_day(day)], ends[ends <= number_of_day(day)]
    if not len(own):
        return Counted(metric.value_kind, None, None)
    known = Counted(metric.value_kind, int(own["value"][-1]), day_of_number(int(ends[-1])))
    if not is_rolling:
        return _with_weeks(known, metric, readings, now, breaks)
    window = metric.source_window.days or 0
    base, _ = window_before(own, day_of_number(int(ends[-1])), window, breaks)
    return replace(known, window_days=window, growth=None if base is None else int(own["value"][-1]) - base)


def _with_weeks(
    known: Counted,
    metric: MetricDefinition,
    readings: Readings,
    now: datetime,
    breaks: Sequence[LevelBreak],
) -> Counted:
    """Return what is known of a level or a counter, with its weeks."""
    periods = weeks_read(now)
    as_level = replace(metric, value_kind=ValueKind.LEVEL, fallbacks=())
    levels = points([as_level], readings, periods, now).series(0).complete_values()
    is_level = metric.value_kind is ValueKind.LEVEL
    weeks: Sequence[int | None] = [None, *_growth(levels)]
    if not is_level:
        weeks = points([replace(metric, fallbacks=())], readings, periods, now).series(0).complete_values()
    # the growth of a week is from the week before, so that one is counted in the same way too
    weeks = _since_break(weeks, periods, breaks, with_week_before=is_level)
    at = latest_complete(weeks)
    at_newest_week = None if at is None else levels[at]
    return replace(known, periods=periods, weeks=weeks, at_newest_week=at_newest_week)


def _sum_of_days(
    metrics: Sequence[MetricDefinition],
    readings: Readings,
    day: date,
    now: datetime,
    *,
    since: date | None,
    breaks: Sequence[LevelBreak],
) -> Counted:
    rows = [readings.of_metric(metric.metric_id) for metric in metrics]
    if not all(len(own) for own in rows):
        return Counted(ValueKind.FLOW, None, None, first=since)
    first = since or day_of_number(max(int(own["last_day"][0]) for own in rows))
    known = rows[0]["last_day"]
    for own in rows[1:]:
        known = np.intersect1d(known, own["last_day"])
    known = known[(known >= number_of_day(first)) & (known <= number_of_day(day))]
    as_of = day_of_number(int(known[-1])) if len(known) else None
    present = {day_of_number(number) for number in known.tolist()}
    periods = weeks_read(now)
    grid = points([replace(metric, fallbacks=()) for metric in metrics], readings, periods, now)
    weeks = _since_break(grid.complete_totals(range(len(metrics))), periods, breaks)
    at = latest_complete(weeks)
    return Counted(
        ValueKind.FLOW,
        None if as_of is None else _sum(rows, known),
        as_of,
        first=first,
        missing=()
        if as_of is None
        else tuple(one for one in days_between(first, as_of) if one not in present),
        periods=periods,
        weeks=weeks,
        at_newest_week=None if at is None else _sum(rows, known[known <= number_of_day(periods[at].end)]),
    )


def _sum(rows: Sequence[NDArray[np.void]], days: NDArray[np.int32]) -> int:
    """Return the sum of the values of these days over all series."""
    total: int = sum(sum(own["value"][np.isin(own["last_day"], days)].tolist()) for own in rows)
    return total


def _growth(levels: Sequence[int | None]) -> list[int | None]:
    return [None if one is None or two is None else two - one for one, two in pairwise(levels)]


def _since_break(
    weeks: Sequence[int | None],
    periods: Sequence[Period],
    breaks: Sequence[LevelBreak],
    *,
    with_week_before: bool = False,
) -> list[int | None]:
    """Return the weeks, None for those from before the newest change of counting."""
    newest = break_between(breaks, periods[0].start, periods[-1].shifted(1).end)
    if newest is None:
        return list(weeks)
    starts = [period.shifted(-1).start if with_week_before else period.start for period in periods]
    return [week if start >= newest.day else None for week, start in zip(weeks, starts, strict=True)]

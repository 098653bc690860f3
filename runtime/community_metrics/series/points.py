"""Points by day, week and month from stored values.

Pure: readings in, points out. "Complete" is defined only here. Nothing is scaled up, carried forward or
filled with 0: a period without known values has the value None.

The rules:
- A point of several rows has the *lowest* provenance among them (a week with one seeded day is `csv_seed`),
  is provisional if any row is, restated if any row is, and was observed when its newest row was.
- A flow wider than a day (`7d`, `month`) is never split or summed. It is the value of the period that it
  covers exactly; for any other period it is only an estimate, as a fallback is. Seven days that are not an
  ISO week are a week of the source's own, and an estimate of the ISO week in which they end.
- `uniques` do not add up: those of a day are the value of that day, and of no week or month.
- A key that is stored more than once counts once, with its newest copy, and the point is `duplicated`.
- A reading of a level belongs to one period: to the one whose end is at most 12 h before it, else to the one
  that it was taken in. The last reading counts, and the period is complete if that one was taken within 12 h
  of the period's end, on either side.
- A counter has the difference of the readings nearest to the two edges of a period, each within 12 h of its
  edge. Without one of them, or with a `reset` in between, there is no value. The counter was reset where it
  fell, and where its source knows that it lost a part of its count.
- A rolling total is the value of the period in which its window ends. The last reading counts, and the period
  is complete if that window ends with the period. It is never summed, differenced or scaled; only as the
  fallback of a daily flow is its daily mean an estimate of that flow, which no total, change or share has.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from community_metrics.model import UNIQUES, SourceWindow, ValueKind
from community_metrics.periods import Grain
from community_metrics.readings import WINDOWS, rows_at
from community_metrics.series.additive import is_by_day_only
from community_metrics.series.grid import PointGrid
from community_metrics.series.snapshots import set_counters, set_levels, set_rolling

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.readings import Readings
    from community_metrics.series.grid import Point

_SETTERS: Final = {
    ValueKind.LEVEL: set_levels,
    ValueKind.COUNTER: set_counters,
    ValueKind.ROLLING: set_rolling,
}
_INT64: Final = 2**63 - 1
_INSTANT: Final = WINDOWS.index(SourceWindow.INSTANT)
_WEEK: Final = WINDOWS.index(SourceWindow.WEEK)


def points(
    metrics: Sequence[MetricDefinition], readings: Readings, periods: Sequence[Period], now: datetime
) -> PointGrid:
    """Return one point for each metric and period; `periods` come oldest first and are of one grain.

    `readings` has the rows of the metrics and of their fallbacks. Of two fallback readings with an equal
    window and day, the one of the metric that is named first counts.
    """
    grid = PointGrid.empty(metrics, periods, now)
    _sum_days(grid, readings)
    for row, metric in enumerate(metrics):
        is_daily = metric.value_kind is ValueKind.FLOW and metric.source_window is SourceWindow.DAY
        if is_daily and not metric.fallbacks:
            continue  # the sums of its days are all that it has
        own = readings.of_metric(metric.metric_id)
        if setter := _SETTERS.get(metric.value_kind):
            setter(grid, row, own)
        elif metric.source_window is not SourceWindow.DAY:
            _set_wide(grid, row, own)
        if periods[0].grain is not Grain.DAY:  # a day is never estimated
            _set_estimates(grid, row, metric, own, readings)
    return grid


def points_of_period(
    metrics: Sequence[MetricDefinition], readings: Readings, period: Period, now: datetime
) -> dict[str, Point]:
    """Return the point of each metric in one period; uniques by day have that of a day alone."""
    counted = [one for one in metrics if period.grain is Grain.DAY or not is_by_day_only(one)]
    if not counted:
        return {}
    grid = points(counted, readings, [period], now)
    return {metric.metric_id: grid.point(row, 0) for row, metric in enumerate(counted)}


def _sum_days(grid: PointGrid, readings: Readings) -> None:
    """Set the points of daily metrics: the sum of the days that are present; uniques have no sum."""
    is_day = grid.periods[0].grain is Grain.DAY
    row_of = np.full(len(readings.metric_ids), -1, np.int64)
    for number, metric in enumerate(grid.metrics):
        position = readings.position(metric.metric_id)
        has_value = is_day or not is_by_day_only(metric)
        if position is not None and metric.source_window is SourceWindow.DAY and has_value:
            row_of[position] = number
    rows, row = readings.rows, readings.of_each_row(row_of)
    period = _periods_of(grid, rows["last_day"])
    inside = (row >= 0) & (period >= 0)
    rows, cells = rows_at(rows, inside), (row * len(grid.periods) + period)[inside]
    if not len(rows):
        return
    # the rows of a metric come by day, so those of a cell are neighbours
    starts = np.flatnonzero(np.append(True, np.diff(cells) != 0))
    counts = np.diff(np.append(starts, len(cells)))
    at = np.divmod(cells[starts], len(grid.periods))
    grid.set_rows(at, rows, starts, values=_sums(rows["value"], starts, int(counts.max())))
    grid.days_present[at] = counts
    grid.complete[at] = (counts == grid.days[at[1]]) & grid.is_over[at[1]]


def _periods_of(grid: PointGrid, days: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the column of the period in which each day is; -1 in none."""
    # looked up by day, from the day before the first period to the day after the last one: a search for each
    # of the rows takes three times as long
    first, last = int(grid.first_days[0]) - 1, int(grid.last_days[-1]) + 1
    of_day = np.full(last - first + 1, -1, np.int64)
    for column, (begin, end) in enumerate(zip(grid.first_days - first, grid.last_days - first, strict=True)):
        of_day[begin : end + 1] = column
    return of_day.take(days - first, mode="clip")


def _sums(values: NDArray[np.int64], starts: NDArray[np.int64], most: int) -> NDArray[np.object_]:
    """Return the sums of the groups that begin at `starts`, none of more than `most` values."""
    may_exceed_int64 = int(values.max()) > _INT64 // most
    # a running total that wraps around still has the right differences
    running = np.cumsum(values.astype(object) if may_exceed_int64 else values)
    ends = running[np.append(starts[1:], len(values)) - 1]
    sums: NDArray[np.object_] = np.diff(ends, prepend=0).astype(object)
    return sums


def _set_wide(grid: PointGrid, row: int, own: NDArray[np.void]) -> None:
    """Set the points that a wide reading covers exactly."""
    period = np.searchsorted(grid.last_days, own["last_day"])
    inside = period < len(grid.periods)
    own, period = own[inside], period[inside]
    is_exact = (own["first_day"] == grid.first_days[period]) & (own["last_day"] == grid.last_days[period])
    own, period = own[is_exact], period[is_exact]
    at = (np.full(len(own), row), period)
    grid.set_rows(at, own)
    grid.days_present[at] = grid.days[period]
    grid.complete[at] = grid.is_over[period]


def _set_estimates(
    grid: PointGrid, row: int, metric: MetricDefinition, own: NDArray[np.void], readings: Readings
) -> None:
    """Set the points that are over and have no own value, from a wider reading or a sample."""
    is_wide = metric.value_kind is ValueKind.FLOW and metric.source_window is not SourceWindow.DAY
    has_none = metric.unit == UNIQUES or metric.value_kind is ValueKind.COUNTER
    if has_none or not (is_wide or metric.fallbacks):
        return
    others = [readings.of_metric(name) for name in metric.fallbacks]
    candidates = np.concatenate([own, *others] if is_wide else [own[:0], *others])
    is_flow = metric.value_kind is ValueKind.FLOW
    is_usable = candidates["window"] == WINDOWS.index(metric.source_window)
    candidates = candidates[candidates["window"] != _INSTANT if is_flow else is_usable]
    missing = np.flatnonzero(grid.is_unknown(row) & grid.is_over) if len(candidates) else ()
    for period in missing:
        found = _own_week(own, grid, int(period)) if is_wide else None
        if found is None:
            found = (_best_cover if is_flow else _last_sample)(candidates, grid, int(period))
        if found is not None:
            at = (np.array([row]), np.array([period]))
            value = _daily_mean_times_days(found, grid.periods[period]) if is_flow else int(found["value"])
            grid.set_rows(at, np.array([found]), values=np.array([value], object))
            grid.fallback[at] = readings.metric_ids[found["metric"]]


def _own_week(own: NDArray[np.void], grid: PointGrid, period: int) -> np.void | None:
    """Return the seven days of the source's own that end in the week; six of them are days of it at most."""
    if grid.periods[period].grain is not Grain.WEEK:
        return None
    days = own["last_day"]
    ending = (own["window"] == _WEEK) & (grid.first_days[period] <= days) & (days <= grid.last_days[period])
    found = own[ending]
    return found[np.argmax(found["last_day"])] if len(found) else None


def _last_sample(samples: NDArray[np.void], grid: PointGrid, period: int) -> np.void | None:
    """Return the last sample of the period, by its day: a transcribed sample has no instant."""
    days = samples["last_day"]
    inside = samples[(grid.first_days[period] <= days) & (days <= grid.last_days[period])]
    return inside[np.argmax(inside["last_day"])] if len(inside) else None


def _best_cover(wide: NDArray[np.void], grid: PointGrid, period: int) -> np.void | None:
    """Return the reading that covers the period with the shortest window, then the latest."""
    covers = (wide["first_day"] <= grid.first_days[period]) & (wide["last_day"] >= grid.last_days[period])
    found = wide[covers]
    if not len(found):
        return None
    order = np.lexsort((-found["last_day"].astype(np.int64), found["last_day"] - found["first_day"]))
    best: np.void = found[order[0]]
    return best


def _daily_mean_times_days(reading: np.void, period: Period) -> int:
    # a fraction rounds half to even, as a float does, but keeps every digit above 2^53
    days = int(reading["last_day"]) - int(reading["first_day"]) + 1
    return round(Fraction(int(reading["value"]) * period.days, days))

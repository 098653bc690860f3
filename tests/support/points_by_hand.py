"""The points of `series.points`, by the same rules, row by row: what the columns are compared with.

Slow and simple. It knows nothing of arrays, so that a fault in them is not repeated here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from community_metrics.model import UNIQUES, DistinctRows, SourceWindow, Status, ValueKind
from community_metrics.periods import Grain, midnight
from community_metrics.series.grid import Point

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from community_metrics.model import StatRow
    from community_metrics.periods import Period

EDGE_REACH = timedelta(hours=12)


def points(
    rows: Sequence[StatRow],
    periods: Sequence[Period],
    *,
    window: SourceWindow,
    now: datetime,
    fallbacks: Sequence[StatRow] = (),
    kind: ValueKind | None = None,
    unit: str = "downloads",
) -> list[Point]:
    """Return one point for each of `periods`, in their order.

    `rows` are the metric's own, in any order; `window`, `kind` and `unit` are the metric's. `fallbacks` are
    the rows of its fallback metrics, in the order of the catalogue (the earlier metric wins if window and day
    are equal).
    """
    own, others = DistinctRows.of(rows), DistinctRows.of(fallbacks)
    duplicated = own.duplicated | others.duplicated
    kind = kind or window.usual_kind
    by_instant = sorted(own.rows, key=lambda row: row.observed_at)
    if kind is ValueKind.COUNTER:
        return [_counter_point(_Known(by_instant, (), duplicated, now), period) for period in periods]
    if kind is ValueKind.LEVEL:
        known = _Known(by_instant, others.rows, duplicated, now)
        return [_level_point(known, period) for period in periods]
    if kind is ValueKind.ROLLING:
        samples = [row for row in others.rows if row.source_window is window]
        known = _Known(own.rows, samples, duplicated, now)
        return [_rolling_point(known, period) for period in periods]
    if unit == UNIQUES and (window is not SourceWindow.DAY or periods[0].grain is not Grain.DAY):
        exact = [] if window is SourceWindow.DAY else own.rows
        return [_wide_point(_Known(exact, (), duplicated, now), period) for period in periods]
    if window is SourceWindow.DAY:
        by_day = sorted(own.rows, key=lambda row: row.period_end)
        known = _Known(by_day, others.rows, duplicated, now)
        return [_flow_point(known, period) for period in periods]
    known = _Known(own.rows, (*own.rows, *others.rows), duplicated, now)
    return [_wide_point(known, period) for period in periods]


@dataclass(frozen=True, slots=True)
class _Known:
    """The distinct rows behind the points of one metric: `own` in the order in which its kind is searched."""

    own: Sequence[StatRow]
    fallbacks: Sequence[StatRow]
    duplicated: frozenset[tuple[str, date]]
    now: datetime


def _flow_point(known: _Known, period: Period) -> Point:
    start = bisect_left(known.own, period.start, key=lambda row: row.period_end)
    stop = bisect_right(known.own, period.end, key=lambda row: row.period_end)
    days = known.own[start:stop]
    if not days:
        return _estimate(known, period)
    is_whole = len(days) == period.days and period.is_over(known.now)
    return _point(known, period, days, days_present=len(days), complete=is_whole)


def _wide_point(known: _Known, period: Period) -> Point:
    for row in known.own:
        if (row.period_start, row.period_end) == (period.start, period.end):
            return _point(known, period, [row], days_present=period.days, complete=period.is_over(known.now))
    # a week of the source's own is an estimate of the week in which it ends; uniques are never estimated
    ending = [
        row
        for row in known.fallbacks
        if row.source_window is SourceWindow.WEEK
        and row in known.own
        and period.grain is Grain.WEEK
        and period.start <= row.period_end <= period.end
    ]
    if not ending or not period.is_over(known.now):
        return _estimate(known, period)
    last = max(ending, key=lambda row: row.period_end)
    return _point(known, period, [last], fallback_id=last.metric_id)


def _level_point(known: _Known, period: Period) -> Point:
    reading = _latest_reading(known.own, period)
    if reading is not None:
        is_near = reading.observed_at >= period.end_instant - EDGE_REACH
        complete = period.is_over(known.now) and is_near
        return _point(known, period, [reading], days_present=1, days_expected=1, complete=complete)
    samples = [row for row in known.fallbacks if row.source_window is SourceWindow.INSTANT]
    return _sample_point(known, samples, period)


def _rolling_point(known: _Known, period: Period) -> Point:
    ended = [row for row in known.own if period.start <= row.period_end <= period.end]
    if not ended:
        return _sample_point(known, known.fallbacks, period)
    reading = max(ended, key=lambda row: row.period_end)
    complete = period.is_over(known.now) and reading.period_end == period.end
    return _point(known, period, [reading], days_present=1, days_expected=1, complete=complete)


def _counter_point(known: _Known, period: Period) -> Point:
    start, end = midnight(period.start), period.end_instant
    first, last = _at_edge(known.own, start), _at_edge(known.own, end)
    # a fall before the first reading of the period is one of this period, if none was read at its edge
    before = [row for row in known.own if row.observed_at <= start][-1:]
    since = first or (before[0] if before else None)
    between = [
        row
        for row in known.own
        if (since is None or row.observed_at >= since.observed_at)
        and row.observed_at <= (last.observed_at if last else end)
    ]
    if any(later.value < earlier.value or later.is_reset for earlier, later in pairwise(between)):
        return Point(period, days_expected=period.days, reset=True)
    if first is None or last is None or first is last:
        return Point(period, days_expected=period.days)
    difference, complete = last.value - first.value, period.is_over(known.now)
    return _point(known, period, [first, last], value=difference, days_present=period.days, complete=complete)


def _at_edge(by_instant: Sequence[StatRow], edge: datetime) -> StatRow | None:
    """Return the reading nearest to an edge, the later of two; None if none is within 12 h."""
    near = [row for row in by_instant if abs(row.observed_at - edge) <= EDGE_REACH]
    return min(reversed(near), key=lambda row: abs(row.observed_at - edge), default=None)


def _sample_point(known: _Known, fallbacks: Sequence[StatRow], period: Period) -> Point:
    # by its day: a transcribed sample has no instant
    samples = [row for row in fallbacks if period.start <= row.period_end <= period.end]
    sample = max(samples, key=lambda row: row.period_end, default=None)
    if sample is None or period.grain is Grain.DAY or not period.is_over(known.now):
        return Point(period)
    return _point(known, period, [sample], days_expected=1, fallback_id=sample.metric_id)


def _estimate(known: _Known, period: Period) -> Point:
    reading = _best_cover(known, period)
    if reading is None:
        return Point(period, days_expected=period.days)
    # a fraction rounds half to even, as a float does, but keeps every digit above 2^53
    daily_mean_times_days = round(Fraction(reading.value * period.days, _length(reading)))
    return _point(known, period, [reading], value=daily_mean_times_days, fallback_id=reading.metric_id)


def _point(
    known: _Known,
    period: Period,
    rows: Sequence[StatRow],
    *,
    value: int | None = None,
    days_present: int = 0,
    days_expected: int | None = None,
    complete: bool = False,
    fallback_id: str | None = None,
) -> Point:
    """Return the point of these rows, their sum unless `value` is set; with a `fallback_id` an estimate."""
    is_provisional = any(row.status is Status.PROVISIONAL for row in rows)
    return Point(
        period=period,
        value=sum(row.value for row in rows) if value is None else value,
        days_present=days_present,
        days_expected=period.days if days_expected is None else days_expected,
        complete=complete,
        estimated=fallback_id is not None,
        fallback_id=fallback_id,
        provenance=min((row.provenance for row in rows), key=lambda provenance: provenance.rank),
        status=Status.PROVISIONAL if is_provisional else Status.FINAL,
        restated=any(row.revision > 0 for row in rows),
        observed_at=max(row.observed_at for row in rows),
        duplicated=bool(known.duplicated)
        and any((row.metric_id, row.period_end) in known.duplicated for row in rows),
    )


def _best_cover(known: _Known, period: Period) -> StatRow | None:
    """Return the reading that covers the period with the shortest window, then the latest; None for a day."""
    if period.grain is Grain.DAY or not period.is_over(known.now):
        return None
    covering = [
        row
        for row in known.fallbacks
        if row.source_window is not SourceWindow.INSTANT
        and row.period_start <= period.start
        and row.period_end >= period.end
    ]
    return min(covering, key=lambda row: (_length(row), -row.period_end.toordinal()), default=None)


def _length(row: StatRow) -> int:
    return (row.period_end - row.period_start).days + 1


def _latest_reading(by_instant: Sequence[StatRow], period: Period) -> StatRow | None:
    """Return the last reading that belongs to the period: by its instant, not by its day."""
    first, last = midnight(period.start) + EDGE_REACH, period.end_instant + EDGE_REACH
    belonging = [row for row in by_instant if first < row.observed_at <= last]
    return belonging[-1] if belonging else None

"""Points by day, week and month from stored rows, their change and their share.

Pure: rows in, points out. "Complete" and "change" are defined only here. Nothing is scaled up, carried
forward or filled with 0: a period without known values has the value None.

The rules:
- A point of several rows has the *lowest* provenance among them (a week with one seeded day is `csv_seed`),
  is provisional if any row is, restated if any row is, and was observed when its newest row was.
- A reading wider than a day (`7d`, `30d`, `month`) is never split or summed. It is the value of the period
  that it covers exactly; for any other period it is only an estimate, as a fallback is.
- A year earlier is 52 weeks back (364 days: the same weekdays, the nearest number of full weeks to a year,
  and it exists for a week 53 too), so 2027-W10 is compared with 2026-W11, since 2026 has 53 weeks.
- A key that is stored more than once counts once, with its newest copy, and the point is `duplicated`.
- A reading of a level belongs to a day only if taken on it; the 12 h of grace are for weeks and months, or
  one reading would be shown as two days.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from community_metrics.model import DistinctRows, SourceWindow, Status, ValueKind
from community_metrics.periods import Grain, midnight

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from community_metrics.model import Provenance, StatRow
    from community_metrics.periods import Period

LEVEL_GRACE = timedelta(hours=12)
"""How long after a week or month a reading still counts as the level at its end."""
TRAILING = 4
"""The number of periods on either side of the four-week change."""
_YEAR_EARLIER = {Grain.DAY: -364, Grain.WEEK: -52, Grain.MONTH: -12}


@dataclass(frozen=True, slots=True)
class Point:
    """One metric in one period.

    `value` is None if nothing is known, an estimate if `estimated` (from the metric `fallback_id`), and
    otherwise the sum over `days_present` of `days_expected` days; a level has one reading of one.
    `complete`: the period is over and nothing is missing; never true for an estimate. `observed_at` is when
    the newest row of the value was read at its source. `duplicated`: the key of a row is stored more than
    once; the value includes only its newest copy.
    """

    period: Period
    value: int | None = None
    days_present: int = 0
    days_expected: int = 1
    complete: bool = False
    estimated: bool = False
    fallback_id: str | None = None
    provenance: Provenance | None = None
    status: Status | None = None
    restated: bool = False
    observed_at: datetime | None = None
    duplicated: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """The change of a value: `absolute` in its own unit, `fraction` of the base (0.05 is 5 % up)."""

    absolute: int
    fraction: float


def points(
    rows: Sequence[StatRow],
    periods: Sequence[Period],
    *,
    window: SourceWindow,
    now: datetime,
    fallbacks: Sequence[StatRow] = (),
) -> list[Point]:
    """Return one point for each of `periods`, in their order.

    `rows` are the metric's own, in any order; `window` is the metric's. `fallbacks` are the rows of its
    fallback metrics, in the order of the catalogue (the earlier metric wins if window and day are equal).
    """
    own, others = DistinctRows.of(rows), DistinctRows.of(fallbacks)
    duplicated = own.duplicated | others.duplicated
    if window.value_kind is ValueKind.LEVEL:
        by_instant = sorted(own.rows, key=lambda row: row.observed_at)
        known = _Known(by_instant, others.rows, duplicated, now)
        return [_level_point(known, period) for period in periods]
    if window is SourceWindow.DAY:
        by_day = sorted(own.rows, key=lambda row: row.period_end)
        known = _Known(by_day, others.rows, duplicated, now)
        return [_flow_point(known, period) for period in periods]
    known = _Known(own.rows, (*own.rows, *others.rows), duplicated, now)
    return [_wide_point(known, period) for period in periods]


def latest_complete(series: Sequence[Point]) -> Point | None:
    """Return the newest complete point; None if there is none."""
    return max((point for point in series if point.complete), key=lambda point: point.period, default=None)


def change_to_previous(series: Sequence[Point], at: Period) -> Change | None:
    """Return the change from the period before `at`; None unless both are complete and the base is not 0."""
    return _change(_complete_value(series, at), _complete_value(series, at.shifted(-1)))


def change_year_on_year(series: Sequence[Point], at: Period) -> Change | None:
    """Return the change from a year earlier: 12 months, 52 weeks or 364 days."""
    return _change(_complete_value(series, at), _complete_value(series, year_earlier(at)))


def change_of_trailing(
    series: Sequence[Point], at: Period, kind: ValueKind, count: int = TRAILING
) -> Change | None:
    """Return the change of the last `count` periods, ending with `at`, from the `count` before them.

    For a flow the two sums are compared, and twice `count` periods must be complete. A level is compared
    with the one `count` periods earlier: levels do not add up.
    """
    if kind is ValueKind.LEVEL:
        return _change(_complete_value(series, at), _complete_value(series, at.shifted(-count)))
    values = [_complete_value(series, at.shifted(-offset)) for offset in range(2 * count)]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    return _change(sum(known[:count]), sum(known[count:]))


def year_earlier(period: Period) -> Period:
    """Return the base period of a year-on-year change."""
    return period.shifted(_YEAR_EARLIER[period.grain])


def share(own: Point, all_of_product: Iterable[Point]) -> float | None:
    """Return `own` as a fraction of the sum of `all_of_product` (itself among them), points of one period.

    None unless all are complete and the sum is not 0: a missing registry would raise the share of the others.
    """
    parts = [point.value if point.complete else None for point in all_of_product]
    known = [value for value in parts if value is not None]
    if not own.complete or own.value is None or len(known) < len(parts) or sum(known) == 0:
        return None
    return own.value / sum(known)


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
    exact = [row for row in known.own if (row.period_start, row.period_end) == (period.start, period.end)]
    if not exact:
        return _estimate(known, period)
    return _point(known, period, exact, days_present=period.days, complete=period.is_over(known.now))


def _level_point(known: _Known, period: Period) -> Point:
    reading = _latest_reading(known.own, period)
    if reading is not None:
        is_over = period.is_over(known.now)
        return _point(known, period, [reading], days_present=1, days_expected=1, complete=is_over)
    # by its day: a transcribed sample has no instant
    samples = [
        row
        for row in known.fallbacks
        if row.source_window is SourceWindow.INSTANT and period.start <= row.period_end <= period.end
    ]
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
        if row.source_window.value_kind is ValueKind.FLOW
        and row.period_start <= period.start
        and row.period_end >= period.end
    ]
    return min(covering, key=lambda row: (_length(row), -row.period_end.toordinal()), default=None)


def _length(row: StatRow) -> int:
    return (row.period_end - row.period_start).days + 1


def _latest_reading(by_instant: Sequence[StatRow], period: Period) -> StatRow | None:
    """Return the last reading of the period or of the grace after it, by its instant, not by its day."""
    grace = timedelta(0) if period.grain is Grain.DAY else LEVEL_GRACE
    # the end of the period belongs to the next one, the end of the grace to this one
    cut = bisect_right if grace else bisect_left
    position = cut(by_instant, period.end_instant + grace, key=lambda row: row.observed_at)
    if position == 0 or by_instant[position - 1].observed_at < midnight(period.start):
        return None
    return by_instant[position - 1]


def _complete_value(series: Sequence[Point], period: Period) -> int | None:
    return next((point.value for point in series if point.period == period and point.complete), None)


def _change(value: int | None, base: int | None) -> Change | None:
    if value is None or base is None or base == 0:
        return None
    return Change(absolute=value - base, fraction=(value - base) / base)

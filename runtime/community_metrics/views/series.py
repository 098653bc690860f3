"""One metric between two days: the JSON and CSV of a series, its badge and its sparkline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.errors import InvalidRange, TooManyPoints
from community_metrics.model import ValueKind
from community_metrics.periods import (
    Grain,
    last_completed,
    last_completed_day,
    last_periods,
    period_of,
    today,
)
from community_metrics.series.additive import is_by_day_only, require_grain
from community_metrics.series.change import latest_complete
from community_metrics.series.freshness import STALE_AFTER_DAYS
from community_metrics.series.points import points
from community_metrics.series.totals import latest_reading
from community_metrics.views.disputes import load_disputes
from community_metrics.views.rows import has_reading, newest_readings, since_edge, with_fallbacks
from community_metrics.views.runs import load_freshness
from community_metrics.views.selection import StoredMetrics

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.series.disputes import Dispute
    from community_metrics.series.grid import Point, PointSeries
    from community_metrics.series.totals import Reading
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.runs import Freshness

_LONGEST_WINDOW: Final = timedelta(days=31)
"""A reading of a month that covers the last period ends up to this much later."""


@dataclass(frozen=True, slots=True)
class DayRange:
    """Which periods to show: those that hold a day from `first` to `last`, at most `max_points` of them.

    Without `first` since the oldest day, without `last` until yesterday; never later than today.
    """

    grain: Grain
    first: date | None
    last: date | None
    max_points: int

    def last_day(self, now: datetime) -> date:
        """Return the last day of the range."""
        return min(self.last or last_completed_day(now), today(now))

    def periods(self, oldest: date, now: datetime) -> list[Period]:
        """Return the periods, oldest first; `oldest` is the first day to show if the range names none.

        Raises:
            InvalidRange: `first` is after the last day.
            TooManyPoints: they are more than `max_points`.
        """
        last = self.last_day(now)
        first = min(oldest, last) if self.first is None else self.first
        if first > last:
            raise InvalidRange(first, last)
        if (last - first).days > self.max_points * period_of(last, self.grain).days:
            raise TooManyPoints(self.max_points)
        periods = [period_of(first, self.grain)]
        while periods[-1].end < last:
            periods.append(periods[-1].shifted(1))
        return periods


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """One metric and its points, oldest first; a running period is incomplete."""

    metric: MetricDefinition
    grain: Grain
    points: PointSeries
    freshness: Freshness
    disputes: tuple[Dispute, ...] = ()
    """The days of these periods that a second witness counts otherwise."""
    latest_reading: Reading | None = None
    """The newest value of a metric that has readings, whatever its period, where it was asked for."""

    @property
    def is_old(self) -> bool:
        """Whether the value to show is of more than 10 days ago."""
        if self.shown_reading is not None:
            newest = self.shown_reading.period_end
        elif self.latest is not None:
            newest = self.latest.period.end
        else:
            return False
        return (today(self.freshness.now) - newest).days > STALE_AFTER_DAYS

    @property
    def shown_reading(self) -> Reading | None:
        """The newest reading, if it is the value to show; of a counter, the newest complete point is."""
        is_counter = self.metric.value_kind is ValueKind.COUNTER
        return None if is_counter and self.latest is not None else self.latest_reading

    @property
    def latest(self) -> Point | None:
        """The newest complete point."""
        at = latest_complete(self.points.complete_values())
        return None if at is None else self.points[at]


async def load_series(
    reader: LanceDBReader,
    catalog: Catalog,
    now: datetime,
    *,
    metric_id: str,
    days: DayRange,
) -> MetricSeries:
    """Return the periods that hold a day of the range: by default from the oldest stored day on.

    Raises:
        UnknownName: the metric is not stored.
        InvalidRange: `first` is after `last`, or after today.
        TooManyPoints: the range has more than `max_points` periods.
        NotAdditive: the metric has no value of this grain.
    """
    stored = StoredMetrics(await reader.metrics(), catalog)
    metric = stored.metric(metric_id)
    require_grain([metric], days.grain)
    oldest = [days.last_day(now)]
    if days.first is None:
        found = [await reader.first_day(name) for name in with_fallbacks([metric])]
        oldest += [day for day in found if day is not None]
    periods = days.periods(min(oldest), now)
    view = await _series_of(reader, stored, metric, periods, now)
    disputed = await load_disputes(reader, [metric_id], since=periods[0].start, until=periods[-1].end)
    return replace(view, disputes=disputed)


async def load_last_weeks(
    reader: LanceDBReader, catalog: Catalog, now: datetime, *, metric_id: str, weeks: int
) -> MetricSeries:
    """Return the last completed weeks of a metric, and its newest reading; of daily uniques the days.

    Raises:
        UnknownName: the metric is not stored.
    """
    stored = StoredMetrics(await reader.metrics(), catalog)
    metric = stored.metric(metric_id)
    periods = last_periods(last_completed(now, Grain.WEEK), weeks)
    if is_by_day_only(metric):
        periods = last_periods(last_completed(now, Grain.DAY), 7 * weeks)
    view = await _series_of(reader, stored, metric, periods, now)
    if not has_reading(metric):
        return view
    newest = await newest_readings(reader, [metric_id], today(now))
    return replace(view, latest_reading=latest_reading(newest, metric_id))


async def _series_of(
    reader: LanceDBReader,
    stored: StoredMetrics,
    metric: MetricDefinition,
    periods: Sequence[Period],
    now: datetime,
) -> MetricSeries:
    readings = await reader.readings(
        with_fallbacks([metric]),
        since=since_edge(periods),
        until=min(periods[-1].end + _LONGEST_WINDOW, today(now)),
    )
    series = points([metric], readings, periods, now).series(0)
    return MetricSeries(
        metric, periods[0].grain, series, await load_freshness(reader, now, stored.definitions)
    )

"""One metric between two days: the JSON and CSV of a series, its badge and its sparkline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.errors import InvalidRange, TooManyPoints
from community_metrics.periods import (
    Grain,
    last_completed,
    last_completed_day,
    last_periods,
    period_of,
    today,
)
from community_metrics.series.change import latest_complete
from community_metrics.series.points import points
from community_metrics.views.rows import with_fallbacks
from community_metrics.views.runs import load_freshness
from community_metrics.views.selection import StoredMetrics

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.series.grid import Point, PointSeries
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.runs import Freshness

_LONGEST_WINDOW: Final = timedelta(days=31)
"""A reading of a month that covers the last period ends up to this much later."""


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """One metric and its points, oldest first; a running period is incomplete."""

    metric: MetricDefinition
    grain: Grain
    points: PointSeries
    freshness: Freshness

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
    grain: Grain,
    first: date | None,
    last: date | None,
    max_points: int,
) -> MetricSeries:
    """Return the periods that hold a day of the range: by default from the oldest stored day to yesterday.

    Raises:
        UnknownName: the metric is not stored.
        InvalidRange: `first` is after `last`, or after today.
        TooManyPoints: the range has more than `max_points` periods.
    """
    metric = StoredMetrics(await reader.metrics(), catalog).metric(metric_id)
    last = min(last or last_completed_day(now), today(now))
    if first is None:
        stored = [await reader.first_day(name) for name in with_fallbacks([metric])]
        first = min([last, *(day for day in stored if day is not None)])
    return await _series_of(reader, metric, _periods(first, last, grain, max_points), now)


async def load_last_weeks(
    reader: LanceDBReader, catalog: Catalog, now: datetime, *, metric_id: str, weeks: int
) -> MetricSeries:
    """Return the last completed weeks of a metric.

    Raises:
        UnknownName: the metric is not stored.
    """
    metric = StoredMetrics(await reader.metrics(), catalog).metric(metric_id)
    return await _series_of(reader, metric, last_periods(last_completed(now, Grain.WEEK), weeks), now)


async def _series_of(
    reader: LanceDBReader, metric: MetricDefinition, periods: Sequence[Period], now: datetime
) -> MetricSeries:
    readings = await reader.readings(
        with_fallbacks([metric]), since=periods[0].start, until=periods[-1].end + _LONGEST_WINDOW
    )
    series = points([metric], readings, periods, now).series(0)
    return MetricSeries(metric, periods[0].grain, series, await load_freshness(reader, now))


def _periods(first: date, last: date, grain: Grain, max_points: int) -> list[Period]:
    if first > last:
        raise InvalidRange(first, last)
    if (last - first).days > max_points * period_of(last, grain).days:
        raise TooManyPoints(max_points)
    periods = [period_of(first, grain)]
    while periods[-1].end < last:
        periods.append(periods[-1].shifted(1))
    return periods

"""Everything a dashboard shows, at one grain: each metric with its changes and share, the totals, freshness.

Reading and computing are two steps, so that the API can compute in a thread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Final

from community_metrics.errors import TooManyPoints
from community_metrics.periods import (
    ONE_DAY,
    Grain,
    last_completed,
    last_completed_day,
    last_periods,
    today,
)
from community_metrics.series.additive import is_by_day_only, require_grain
from community_metrics.series.average import week_averages
from community_metrics.series.change import YEAR, latest_complete
from community_metrics.series.points import points
from community_metrics.series.summary import summarize
from community_metrics.series.totals import flow_total, latest_reading, left_out, level_total, newest_days
from community_metrics.views.disputes import load_disputes
from community_metrics.views.rows import LATELY, has_reading, newest_readings, since_edge, with_fallbacks
from community_metrics.views.runs import load_freshness
from community_metrics.views.selection import StoredMetrics, by_product, declared_breaks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.readings import Readings
    from community_metrics.series.disputes import Dispute
    from community_metrics.series.grid import Point, PointGrid, PointSeries
    from community_metrics.series.summary import Summary
    from community_metrics.series.totals import FlowTotal, LeftOut, LevelTotal, Reading
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.runs import Freshness

SUMMARY_REACH: Final = {Grain.DAY: 364 + 84, Grain.WEEK: 52 + 12, Grain.MONTH: 12 + 3}
"""Periods in which a newest complete one is searched, however few are shown: a year and a quarter."""
TOTAL_REACH: Final = timedelta(days=365)
"""How far back the days of a total are searched, however many periods are shown."""


@dataclass(frozen=True, slots=True)
class MetricView:
    """One metric: its points in the periods of the dashboard, the running period, and the summary.

    `latest_reading` is the newest value of a level, a counter, a rolling total or daily uniques, whatever
    period it belongs to; None for any other flow. `averages` are the means of seven days, of days alone.
    `disputes` are the days of the periods that a second witness counts otherwise.
    """

    metric: MetricDefinition
    points: PointSeries
    running: Point
    summary: Summary
    latest_reading: Reading | None
    averages: list[float | None] | None = None
    disputes: tuple[Dispute, ...] = ()

    @property
    def is_by_day_only(self) -> bool:
        """Whether it has values of days that do not sum to the value of a week."""
        return is_by_day_only(self.metric)


@dataclass(frozen=True, slots=True)
class ProductView:
    """One product: its metrics, and its downloads over 30 days (None without a download metric)."""

    product: str
    display_name: str
    metrics: tuple[MetricView, ...]
    downloads: FlowTotal | None


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The products in the catalogue's order, over completed `periods`, oldest first."""

    periods: tuple[Period, ...]
    products: tuple[ProductView, ...]
    stars: LevelTotal
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class DashboardRows:
    """What was read for a dashboard of the last `count` of `periods`, and newest readings."""

    stored: StoredMetrics
    chosen: Sequence[MetricDefinition]
    readings: Readings
    newest_values: Readings
    periods: Sequence[Period]
    count: int
    freshness: Freshness
    disputes: tuple[Dispute, ...] = ()

    def build(self) -> Dashboard:
        """Compute the dashboard."""
        products = by_product(self.chosen)
        downloads = [metric for product in products for metric in self.stored.downloads.get(product, ())]
        shown = {metric.metric_id: metric for metric in [*self.chosen, *downloads]}
        # the running period comes last, and is in no summary
        periods = [*self.periods, self.periods[-1].shifted(1)]
        grid = points(list(shown.values()), self.readings, periods, self.freshness.now)
        rows = {metric_id: row for row, metric_id in enumerate(shown)}
        return Dashboard(
            periods=tuple(self.periods[-self.count :]),
            products=tuple(
                self._product(product, chosen, grid, rows) for product, chosen in products.items()
            ),
            stars=level_total(self.newest_values, self.stored.stars),
            freshness=self.freshness,
        )

    def _product(
        self,
        product: str,
        chosen: Sequence[MetricDefinition],
        grid: PointGrid,
        rows: Mapping[str, int],
    ) -> ProductView:
        downloads = [metric.metric_id for metric in self.stored.downloads.get(product, ())]
        failed = failed_downloads(self.stored, product, self.readings, self.freshness)
        excluded = {one.metric_id for one in failed}
        shared = [metric_id for metric_id in downloads if metric_id not in excluded]
        totals = dict.fromkeys(shared, grid.complete_totals([rows[metric_id] for metric_id in shared]))
        since = total_start(self.freshness.now)
        return ProductView(
            product=product,
            display_name=self.stored.product_names.get(product, product),
            metrics=tuple(
                self._metric(metric, grid.series(rows[metric.metric_id]), totals.get(metric.metric_id))
                for metric in chosen
            ),
            downloads=flow_total(self.readings, downloads, since, left_out=failed) if downloads else None,
        )

    def _metric(
        self, metric: MetricDefinition, series: PointSeries, totals: Sequence[int | None] | None
    ) -> MetricView:
        completed = series[:-1]
        reach = SUMMARY_REACH[completed.periods[-1].grain]
        breaks = declared_breaks(metric)
        is_daily = completed.periods[-1].grain is Grain.DAY
        averages = week_averages(completed, breaks) if is_daily else None
        return MetricView(
            metric=metric,
            points=completed[-self.count :],
            running=series[-1],
            summary=summarize(
                completed,
                metric.value_kind,
                totals,
                reach,
                self.readings.of_metric(metric.metric_id),
                breaks=breaks,
            ),
            latest_reading=latest_reading(self.newest_values, metric.metric_id)
            if has_reading(metric)
            else None,
            averages=None if averages is None else averages[-self.count :],
            disputes=tuple(one for one in self.disputes if one.metric_id == metric.metric_id),
        )


def failed_downloads(
    stored: StoredMetrics, product: str, readings: Readings, freshness: Freshness
) -> tuple[LeftOut, ...]:
    """Return the downloads of a product that have failed for more than two weeks."""
    metrics = stored.downloads.get(product, ())
    newest = newest_days(readings, [metric.metric_id for metric in metrics], total_start(freshness.now))
    return left_out(metrics, newest, freshness.newest_days)


def total_start(now: datetime) -> date:
    """Return the first day that a total may include."""
    return last_completed_day(now) - TOTAL_REACH + ONE_DAY


async def read_dashboard(
    reader: LanceDBReader,
    catalog: Catalog,
    now: datetime,
    *,
    grain: Grain,
    count: int,
    products: Sequence[str] | None = None,
    metric_ids: Sequence[str] | None = None,
    max_points: int,
) -> DashboardRows:
    """Read a dashboard of the last `count` completed periods, of all shown metrics or some.

    Shares and totals cover every metric of a product, and stars every repository, whatever the filter.

    Raises:
        UnknownName: a product or a metric is not stored.
        TooManyPoints: the dashboard would have more than `max_points`.
        NotAdditive: a metric that is named has no value of this grain. Without names it has points of null.
    """
    stored = StoredMetrics(await reader.metrics(), catalog)
    chosen = stored.chosen(products, metric_ids)
    if metric_ids:
        require_grain(chosen, grain)
    if len(chosen) * count > max_points:
        raise TooManyPoints(max_points)
    rows = await read_chosen(reader, now, stored, chosen, grain=grain, count=count)
    ids, since = [metric.metric_id for metric in chosen], rows.periods[-count:][0].start
    return replace(rows, disputes=await load_disputes(reader, ids, since=since, until=today(now)))


async def read_chosen(
    reader: LanceDBReader,
    now: datetime,
    stored: StoredMetrics,
    chosen: Sequence[MetricDefinition],
    *,
    grain: Grain,
    count: int,
) -> DashboardRows:
    """Read the rows of the chosen metrics and their fallbacks, and what their shares and the totals need."""
    freshness = await load_freshness(reader, now, stored.definitions)
    readings, periods = await _read_own(reader, now, stored, chosen, grain=grain, count=count)
    partly_read = [
        product
        for product in by_product(chosen)
        if any(readings.position(one.metric_id) is None for one in stored.downloads.get(product, ()))
    ]
    since = _first_shared_day(chosen, partly_read, readings, periods, now=now)
    readings = readings.joined(
        await _read_others(reader, stored, readings, partly_read, since=since, freshness=freshness)
    )
    read_at_instants = [metric for metric in chosen if has_reading(metric)]
    newest = readings.newest()
    wanted = dict.fromkeys(metric.metric_id for metric in (*stored.stars, *read_at_instants))
    unread = [metric_id for metric_id in wanted if not newest.days(metric_id)]
    newest = newest.joined(await newest_readings(reader, unread, today(now)))
    return DashboardRows(stored, chosen, readings, newest, periods, count, freshness)


async def _read_own(
    reader: LanceDBReader,
    now: datetime,
    stored: StoredMetrics,
    chosen: Sequence[MetricDefinition],
    *,
    grain: Grain,
    count: int,
) -> tuple[Readings, list[Period]]:
    """Read the chosen metrics and their fallbacks: a year more of those whose newest day is late."""
    last, reach, ids = last_completed(now, grain), max(count, SUMMARY_REACH[grain]), with_fallbacks(chosen)
    periods = last_periods(last, reach)
    readings = await reader.readings(
        ids, since=since_edge(periods), until=today(now), most_of_table=stored.are_most(ids)
    )
    newest = {metric_id: readings.days(metric_id)[-1:] for metric_id in ids}
    late = [name for name, days in newest.items() if days and days[0] < last.end - LATELY]
    if not late:
        return readings, periods
    longer = last_periods(last, reach + YEAR[grain])
    older = await reader.readings(late, since=since_edge(longer), until=since_edge(periods) - ONE_DAY)
    return readings.joined(older), longer


def _first_shared_day(
    chosen: Sequence[MetricDefinition],
    partly_read: Sequence[str],
    readings: Readings,
    periods: Sequence[Period],
    *,
    now: datetime,
) -> date:
    """Return the first day that a total of lately or a share of a chosen metric needs."""
    grid = points([metric for metric in chosen if metric.product in partly_read], readings, periods, now)
    latest = [latest_complete(grid.series(row).complete_values()) for row in range(len(grid.metrics))]
    return min([today(now) - LATELY, *(periods[at].start for at in latest if at is not None)])


async def _read_others(
    reader: LanceDBReader,
    stored: StoredMetrics,
    readings: Readings,
    partly_read: Sequence[str],
    *,
    since: date,
    freshness: Freshness,
) -> Readings:
    """Read what is not chosen: the other downloads of the products, and the stars."""
    downloads = {product: stored.downloads[product] for product in partly_read}
    wanted = [metric.metric_id for metric in (*chain(*downloads.values()), *stored.stars)]
    others = [name for name in dict.fromkeys(wanted) if readings.position(name) is None]
    first, until = total_start(freshness.now), today(freshness.now)
    most = stored.are_most(others)
    found = await reader.readings(others, since=since, until=until, most_of_table=most)
    known = readings.joined(found)
    # the newest day of a metric that has none lately decides whether it leaves its total
    unread = [metric.metric_id for metric in chain(*downloads.values()) if not known.days(metric.metric_id)]
    older = await reader.newest_readings(unread, since=first, until=until)
    known = known.joined(older)
    again = [
        metric.metric_id
        for product in partly_read
        if _may_end_earlier(stored, product, known, since, freshness)
        for metric in downloads[product]
        if metric.metric_id in set(others)
    ]
    rest = await reader.readings(
        again, since=first, until=since - ONE_DAY, most_of_table=stored.are_most(again)
    )
    return found.joined(older.without(again)).joined(rest)


def _may_end_earlier(
    stored: StoredMetrics, product: str, readings: Readings, since: date, freshness: Freshness
) -> bool:
    """Return whether days before `since` belong to the total of a product, or may."""
    failed = failed_downloads(stored, product, readings, freshness)
    ids = [metric.metric_id for metric in stored.downloads[product]]
    total = flow_total(readings, ids, total_start(freshness.now), left_out=failed)
    if total.period_start is not None:
        return total.period_start < since
    # there is no total while one metric has no day at all, however much is read
    return all(readings.days(metric_id) for metric_id in total.metric_ids)

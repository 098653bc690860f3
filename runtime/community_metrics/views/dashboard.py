"""Everything a dashboard shows, at one grain: each metric with its changes and share, the totals, freshness.

Reading and computing are two steps, so that the API can compute in a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.errors import TooManyPoints
from community_metrics.periods import Grain, last_completed, last_completed_day, last_periods
from community_metrics.series.points import latest_complete
from community_metrics.series.summary import flow_total, level_total, summarize
from community_metrics.views.rows import newest_rows, points_of, read_rows, with_fallbacks
from community_metrics.views.runs import load_freshness
from community_metrics.views.selection import StoredMetrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition, StatRow
    from community_metrics.periods import Period
    from community_metrics.series.points import Point
    from community_metrics.series.summary import FlowTotal, LevelTotal, Summary
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.rows import RowsByMetric
    from community_metrics.views.runs import Freshness

SUMMARY_REACH: Final = {Grain.DAY: 364 + 84, Grain.WEEK: 52 + 12, Grain.MONTH: 12 + 3}
"""Periods that a summary is computed from, however few are shown: a year, and a quarter for late data."""
TOTAL_REACH: Final = timedelta(days=365)
"""How far back the days of a total are searched, however many periods are shown."""


@dataclass(frozen=True, slots=True)
class MetricView:
    """One metric: its points in the periods of the dashboard, the running period, and the summary."""

    metric: MetricDefinition
    points: tuple[Point, ...]
    running: Point
    summary: Summary


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
    """What was read for a dashboard of the last `count` of `periods`, with the newest star readings."""

    stored: StoredMetrics
    chosen: Sequence[MetricDefinition]
    rows: RowsByMetric
    newest: Mapping[str, StatRow]
    periods: Sequence[Period]
    count: int
    freshness: Freshness

    def build(self) -> Dashboard:
        """Compute the dashboard."""
        products = dict.fromkeys(metric.product for metric in self.chosen)
        stars = {metric.metric_id: self.newest.get(metric.metric_id) for metric in self.stored.stars}
        return Dashboard(
            periods=tuple(self.periods[-self.count :]),
            products=tuple(self._product(product) for product in products),
            stars=level_total({metric_id: [row] if row else [] for metric_id, row in stars.items()}),
            freshness=self.freshness,
        )

    def _product(self, product: str) -> ProductView:
        chosen = [metric for metric in self.chosen if metric.product == product]
        downloads = self.stored.downloads_of(product)
        # the running period comes last, and is in no summary
        periods = [*self.periods, self.periods[-1].shifted(1)]
        series = {
            metric: points_of(metric, self.rows, periods, self.freshness.now)
            for metric in dict.fromkeys([*chosen, *downloads])
        }
        shared = [series[metric] for metric in downloads]
        return ProductView(
            product=product,
            display_name=self.stored.product_name(product),
            metrics=tuple(
                self._metric(metric, series[metric], shared if metric in downloads else ())
                for metric in chosen
            ),
            downloads=flow_total(self._days_of_total(downloads)) if downloads else None,
        )

    def _metric(
        self, metric: MetricDefinition, series: Sequence[Point], shared: Sequence[Sequence[Point]]
    ) -> MetricView:
        *completed, running = series
        newest = completed[-SUMMARY_REACH[running.period.grain] :]
        latest = latest_complete(newest)
        # a share needs one point of each; every series here has the same periods
        at = None if latest is None else series.index(latest)
        return MetricView(
            metric=metric,
            points=tuple(completed[-self.count :]),
            running=running,
            summary=summarize(
                newest, metric.value_kind, [] if at is None else [[other[at]] for other in shared]
            ),
        )

    def _days_of_total(self, metrics: Sequence[MetricDefinition]) -> dict[str, Sequence[StatRow]]:
        first = last_completed_day(self.freshness.now) - TOTAL_REACH
        return {
            metric.metric_id: [row for row in self.rows.get(metric.metric_id, ()) if row.period_end > first]
            for metric in metrics
        }


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
    """
    stored = StoredMetrics(await reader.metrics(), catalog)
    chosen = stored.chosen(products, metric_ids)
    if len(chosen) * count > max_points:
        raise TooManyPoints(max_points)
    newest = await newest_rows(reader, [metric.metric_id for metric in stored.stars])
    return await read_chosen(reader, now, stored, chosen, newest, grain=grain, count=count)


async def read_chosen(
    reader: LanceDBReader,
    now: datetime,
    stored: StoredMetrics,
    chosen: Sequence[MetricDefinition],
    newest: Mapping[str, StatRow],
    *,
    grain: Grain,
    count: int,
) -> DashboardRows:
    """Read the rows of the chosen metrics, their fallbacks, and the downloads of their products."""
    periods = last_periods(last_completed(now, grain), max(count, SUMMARY_REACH[grain]))
    products = {metric.product for metric in chosen}
    counted = [metric.metric_id for product in products for metric in stored.downloads_of(product)]
    ids = dict.fromkeys([*with_fallbacks(chosen), *counted])
    rows = await read_rows(reader, ids, since=periods[0].start)
    return DashboardRows(stored, chosen, rows, newest, periods, count, await load_freshness(reader, now))

"""The terminal's report: the weekly dashboard, up to the week of the newest data.

Every number is the dashboard's. Only the end of the window, and the point that a row shows, are the report's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from community_metrics.model import InsightKind, ValueKind
from community_metrics.periods import Grain, last_completed, period_of, today
from community_metrics.series.freshness import STALE_AFTER_DAYS
from community_metrics.views.dashboard import read_chosen
from community_metrics.views.goals import load_goals
from community_metrics.views.insights import read_insights
from community_metrics.views.rows import newest_readings, with_fallbacks
from community_metrics.views.selection import StoredMetrics

if TYPE_CHECKING:
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.series.change import Change
    from community_metrics.series.grid import Point
    from community_metrics.series.insights import Insight
    from community_metrics.series.totals import Reading
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.dashboard import Dashboard, MetricView, ProductView
    from community_metrics.views.goals import Goals


@dataclass(frozen=True, slots=True)
class Report:
    """A weekly dashboard that ends with the newest data; `newest_day` is None when nothing is stored.

    `other_metrics` are the stored metrics that the catalogue lacks, active or not; `insights` those of the
    last week, `goals` those of the catalogue, None if it has none.
    """

    dashboard: Dashboard
    newest_day: date | None
    other_metrics: tuple[str, ...] = ()
    insights: tuple[Insight, ...] = ()
    goals: Goals | None = None

    @property
    def age_days(self) -> int | None:
        """How many days ago the newest data ended."""
        now = self.dashboard.freshness.now
        return None if self.newest_day is None else (today(now) - self.newest_day).days

    @property
    def is_old(self) -> bool:
        """Whether the newest data are old, and the window ends there."""
        return self.age_days is not None and self.age_days > STALE_AFTER_DAYS

    @property
    def is_of_other_catalog(self) -> bool:
        """Whether the catalogue has none of the metrics that are shown."""
        return bool(self.metrics) and {one.metric.metric_id for one in self.metrics} <= set(
            self.other_metrics
        )

    @property
    def has_fetched(self) -> bool:
        """Whether anything was ever fetched; else all values come from files."""
        return self.dashboard.freshness.has_fetched

    @property
    def products(self) -> list[ProductView]:
        """The products with a metric of which something is known, and only such metrics; else all."""
        known = [
            replace(product, metrics=tuple(metric for metric in product.metrics if is_known(metric)))
            for product in self.dashboard.products
        ]
        return [product for product in known if product.metrics] or list(self.dashboard.products)

    @property
    def empty_metrics(self) -> tuple[str, ...]:
        """The ids of the metrics that no product shows, because nothing of them is known."""
        shown = {metric.metric.metric_id for product in self.products for metric in product.metrics}
        ids = (metric.metric.metric_id for metric in self.metrics)
        return tuple(metric_id for metric_id in ids if metric_id not in shown)

    @property
    def shown_insights(self) -> tuple[Insight, ...]:
        """The insights to show; before anything was fetched, not that each metric is missing."""
        hidden = () if self.has_fetched else (InsightKind.MISSING, InsightKind.SILENCE)
        return tuple(insight for insight in self.insights if insight.kind not in hidden)

    @property
    def metrics(self) -> list[MetricView]:
        """Every metric, product by product."""
        return [metric for product in self.dashboard.products for metric in product.metrics]


def is_known(metric: MetricView) -> bool:
    """Return whether a metric has a point or a reading to show."""
    return shown_point(metric) is not None or metric.latest_reading is not None


def shown_point(metric: MetricView) -> Point | None:
    """Return the point in a metric's row without a `shown_reading`: newest complete, else newest known."""
    known = [point for point in metric.points if point.value is not None]
    return next((point for point in reversed(known) if point.complete), known[-1] if known else None)


def shown_reading(metric: MetricView) -> Reading | None:
    """Return the reading in a metric's row; of a counter only while no week of it is known."""
    if metric.metric.value_kind is ValueKind.COUNTER and shown_point(metric) is not None:
        return None
    return metric.latest_reading


def shown_change(metric: MetricView) -> Change | None:
    """Return the change to the point in a metric's row, of a rolling total from a window earlier."""
    return metric.summary.change if shown_point(metric) == metric.summary.latest else None


async def load_report(reader: LanceDBReader, catalog: Catalog, now: datetime, *, weeks: int) -> Report:
    """Return the report of `weeks` weeks."""
    stored = StoredMetrics(await reader.metrics(), catalog)
    ids = with_fallbacks(stored.shown)
    newest = await newest_readings(reader, ids, today(now), most_of_table=stored.are_most(ids))
    newest_day = max((day for metric_id in ids for day in newest.days(metric_id)), default=None)
    count = weeks + _weeks_without_data(newest_day, now)
    # one more, for a window that ends a week earlier
    rows = await read_chosen(reader, now, stored, stored.shown, grain=Grain.WEEK, count=count + 1)
    report = replace(report_of(rows.build(), newest_day, weeks=weeks), other_metrics=stored.not_in_catalog)
    if newest_day is None:
        return report
    material = await read_insights(reader, catalog, now, period=report.dashboard.periods[-1])
    goals = await load_goals(reader, catalog, now) if catalog.goals else None
    return replace(report, insights=material.build().insights, goals=goals)


def report_of(dashboard: Dashboard, newest_day: date | None, *, weeks: int) -> Report:
    """Return the report of a dashboard that has a week more than the report."""
    last_week = len(dashboard.periods) - _weeks_without_data(newest_day, dashboard.freshness.now)
    known = {
        index
        for product in dashboard.products
        for metric in product.metrics
        for index, point in enumerate(metric.points)
        if point.value is not None
    }
    # a fallback's reading may stop within the last week
    if last_week - 1 not in known and last_week - 2 in known:
        last_week -= 1
    window = slice(last_week - weeks, last_week)
    products = [
        replace(product, metrics=tuple(replace(m, points=m.points[window]) for m in product.metrics))
        for product in dashboard.products
    ]
    cut = replace(dashboard, periods=dashboard.periods[window], products=tuple(products))
    return Report(cut, newest_day)


def _weeks_without_data(newest_day: date | None, now: datetime) -> int:
    """Return how many completed weeks came after the week of the newest data."""
    last = last_completed(now, Grain.WEEK)
    day = last.end if newest_day is None else newest_day
    return max(0, (last.start - period_of(day, Grain.WEEK).start).days // 7)

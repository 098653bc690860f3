"""`/dashboard/weekly`, `/daily`, `/monthly`: everything a dashboard shows, in one answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response

from community_metrics.api import params, schemas
from community_metrics.api.context import now_of
from community_metrics.api.mappers import (
    change_body,
    downloads_body,
    identity_fields,
    point_fields,
    stars_body,
)
from community_metrics.api.problems import Problem, documented
from community_metrics.api.services import json_of, read_fresh, services_of
from community_metrics.periods import Grain, last_completed, last_completed_day, last_periods
from community_metrics.series.points import latest_complete, points
from community_metrics.series.summary import flow_total, stock_total, summarize
from community_metrics.views.selection import Stored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from community_metrics.model import MetricDefinition, StatRow
    from community_metrics.periods import Period
    from community_metrics.series.points import Point
    from community_metrics.storage.reader import LanceDBReader

router = APIRouter(tags=["dashboard"])
_ERRORS: Final = documented(401, 404, 422, 500, 503)
_SUMMED_UP: Final = {Grain.DAY: 364 + 84, Grain.WEEK: 52 + 12, Grain.MONTH: 12 + 3}
"""Periods that the changes look at, however few are shown: a year, and a quarter for a newest that lags."""
_TOTAL_REACH: Final = timedelta(days=365)
"""How far back the days of a total are looked for, however many periods are shown."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The bodies of one grain."""

    grain: Grain
    point: type[schemas.Point]
    running: type[schemas.Point]
    metric: type[schemas.MetricSeries[Any, Any]]
    product: type[schemas.ProductSeries[Any]]
    dashboard: type[schemas.Dashboard[Any]]


_WEEKLY: Final = Shape(
    Grain.WEEK,
    schemas.WeekPoint,
    schemas.RunningWeek,
    schemas.WeeklyMetric,
    schemas.WeeklyProduct,
    schemas.WeeklyDashboard,
)
_DAILY: Final = Shape(
    Grain.DAY,
    schemas.DayPoint,
    schemas.RunningDay,
    schemas.DailyMetric,
    schemas.DailyProduct,
    schemas.DailyDashboard,
)
_MONTHLY: Final = Shape(
    Grain.MONTH,
    schemas.MonthPoint,
    schemas.RunningMonth,
    schemas.MonthlyMetric,
    schemas.MonthlyProduct,
    schemas.MonthlyDashboard,
)


@router.get(
    "/dashboard/weekly",
    response_model=schemas.WeeklyDashboard,
    responses=_ERRORS,
    operation_id="weeklyDashboard",
)
async def weekly(
    request: Request,
    weeks: params.Weeks = 104,
    product: params.Products = None,
    metric_id: params.MetricIds = None,
) -> Response:
    """Every metric by ISO week, with its changes and shares, the totals, and how fresh all of it is."""
    return await _answer(request, _WEEKLY, weeks, product, metric_id)


@router.get(
    "/dashboard/daily",
    response_model=schemas.DailyDashboard,
    responses=_ERRORS,
    operation_id="dailyDashboard",
)
async def daily(
    request: Request,
    days: params.Days = 90,
    product: params.Products = None,
    metric_id: params.MetricIds = None,
) -> Response:
    """Every metric by UTC day; an estimate is never made for a day."""
    return await _answer(request, _DAILY, days, product, metric_id)


@router.get(
    "/dashboard/monthly",
    response_model=schemas.MonthlyDashboard,
    responses=_ERRORS,
    operation_id="monthlyDashboard",
)
async def monthly(
    request: Request,
    months: params.Months = 24,
    product: params.Products = None,
    metric_id: params.MetricIds = None,
) -> Response:
    """Every metric by calendar month."""
    return await _answer(request, _MONTHLY, months, product, metric_id)


@dataclass(frozen=True, slots=True)
class View:
    """What was read for one dashboard, and the periods it is shown in.

    `periods` are the `count` that are shown, or more where the changes look further back. `stars` has of each
    repository its newest reading, however old.
    """

    stored: Stored
    chosen: Sequence[MetricDefinition]
    rows: Mapping[str, Sequence[StatRow]]
    stars: Mapping[str, Sequence[StatRow]]
    periods: Sequence[Period]
    count: int
    now: datetime

    def series_of(self, metric: MetricDefinition, periods: Sequence[Period]) -> list[Point]:
        """Return the points of one metric."""
        fallbacks = [row for fallback in metric.fallbacks for row in self.rows.get(fallback, ())]
        own = self.rows.get(metric.metric_id, ())
        return points(own, periods, window=metric.source_window, now=self.now, fallbacks=fallbacks)

    def days_of_total(self, metrics: Sequence[MetricDefinition]) -> dict[str, Sequence[StatRow]]:
        """Return the last year's rows of some metrics, an empty sequence for one without any."""
        first = last_completed_day(self.now) - _TOTAL_REACH
        return {
            metric.metric_id: [row for row in self.rows.get(metric.metric_id, ()) if row.period_end > first]
            for metric in metrics
        }


async def _answer(
    request: Request, shape: Shape, count: int, products: list[str] | None, metric_ids: list[str] | None
) -> Response:
    now = now_of(request.scope)
    catalog = services_of(request).catalog

    async def read(reader: LanceDBReader) -> View:
        stored = Stored(await reader.metrics(), catalog)
        chosen = stored.chosen(products, metric_ids)
        _require_bounded(len(chosen) * count)
        periods = last_periods(last_completed(now, shape.grain), max(count, _SUMMED_UP[shape.grain]))
        rows = _by_metric(await reader.stats(_ids_to_read(stored, chosen), since=periods[0].start))
        return View(stored, chosen, rows, await _newest_stars(reader, stored), periods, count, now)

    view, freshness = await read_fresh(request, read)
    body = await services_of(request).built(lambda: json_of(_dashboard(view, shape, freshness)))
    return Response(body, media_type="application/json")


def _dashboard(view: View, shape: Shape, freshness: schemas.Freshness) -> schemas.Dashboard[Any]:
    return shape.dashboard(
        period_start=view.periods[-view.count].start,
        period_end=view.periods[-1].end,
        products=_products(view, shape),
        stars=stars_body(stock_total(view.stars)),
        freshness=freshness,
    )


def _require_bounded(size: int) -> None:
    if size > params.MAX_POINTS:
        raise Problem(
            "answer-too-large",
            f"The answer would have {size:,} points; at most {params.MAX_POINTS:,} are given at once. "
            "Ask for fewer periods, or for some metrics with product= or metric_id=.",
        )


def _ids_to_read(stored: Stored, chosen: Sequence[MetricDefinition]) -> list[str]:
    """Return the metrics shown, their fallbacks, and those that enter a share or a sum of downloads."""
    products = {metric.product for metric in chosen}
    counted = [metric for product in products for metric in stored.downloads_of(product)]
    wanted = [*chosen, *counted]
    fallbacks = [fallback for metric in chosen for fallback in metric.fallbacks]
    return sorted({*(metric.metric_id for metric in wanted), *fallbacks})


async def _newest_stars(reader: LanceDBReader, stored: Stored) -> dict[str, list[StatRow]]:
    found = {metric.metric_id: await reader.newest_row(metric.metric_id) for metric in stored.stars}
    return {metric_id: [row] if row else [] for metric_id, row in found.items()}


def _by_metric(rows: Sequence[StatRow]) -> dict[str, list[StatRow]]:
    grouped: dict[str, list[StatRow]] = {}
    for row in rows:
        grouped.setdefault(row.metric_id, []).append(row)
    return grouped


def _products(view: View, shape: Shape) -> list[schemas.ProductSeries[Any]]:
    ids = list(dict.fromkeys(metric.product for metric in view.chosen))
    return [_product(product, view, shape) for product in ids]


def _product(product: str, view: View, shape: Shape) -> schemas.ProductSeries[Any]:
    downloads = view.stored.downloads_of(product)
    chosen = [metric for metric in view.chosen if metric.product == product]
    series = {metric.metric_id: view.series_of(metric, view.periods) for metric in {*chosen, *downloads}}
    shared = [series[metric.metric_id] for metric in downloads]
    return shape.product(
        product=product,
        display_name=view.stored.product_name(product),
        metrics=[
            _metric(metric, series[metric.metric_id], shared if metric in downloads else [], view, shape)
            for metric in chosen
        ],
        downloads_30d=downloads_body(flow_total(view.days_of_total(downloads))) if downloads else None,
    )


def _metric(
    metric: MetricDefinition,
    series: Sequence[Point],
    shared: Sequence[Sequence[Point]],
    view: View,
    shape: Shape,
) -> schemas.MetricSeries[Any, Any]:
    reach = _SUMMED_UP[shape.grain]
    newest = series[-reach:]
    summary = summarize(newest, metric.value_kind, _at_latest(newest, [other[-reach:] for other in shared]))
    running = view.series_of(metric, [view.periods[-1].shifted(1)])[0]
    latest = summary.latest
    return shape.metric(
        **identity_fields(metric),
        points=[shape.point(**point_fields(point)) for point in series[-view.count :]],
        running=shape.running(**point_fields(running)),
        latest_complete=latest and shape.point(**point_fields(latest)),
        change=change_body(summary.change),
        four_period_change=change_body(summary.trailing),
        year_on_year_change=change_body(summary.year_on_year),
        share=summary.share,
    )


def _at_latest(series: Sequence[Point], shared: Sequence[Sequence[Point]]) -> list[list[Point]]:
    """Return of each series the one point that a share looks at; all series here have the same periods."""
    latest = latest_complete(series)
    if latest is None:
        return []
    at = list(series).index(latest)
    return [[other[at]] for other in shared]

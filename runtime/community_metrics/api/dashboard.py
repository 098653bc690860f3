"""`/dashboard/weekly`, `/daily`, `/monthly`: everything a dashboard shows, in one answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response

from community_metrics.api import params, responses
from community_metrics.api.bodies import (
    change_body,
    downloads_body,
    identity_fields,
    point_fields,
    stars_body,
)
from community_metrics.api.cache import now_of
from community_metrics.api.problems import Problem, documented
from community_metrics.api.selection import Stored
from community_metrics.api.services import json_of, read_fresh, services_of
from community_metrics.series import latest_complete, points
from community_metrics.summary import flow_total, stock_total, summarize
from community_metrics.weeks import Grain, last_completed, last_periods

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from community_metrics.model import MetricDefinition, StatRow
    from community_metrics.series import Point
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.weeks import Period

router = APIRouter(tags=["dashboard"])
_ERRORS: Final = documented(401, 404, 422, 500, 503)
_YEAR: Final = {Grain.DAY: 364, Grain.WEEK: 52, Grain.MONTH: 12}
"""Periods read beyond those shown, so that the oldest one shown has its year-on-year base."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The bodies of one grain."""

    grain: Grain
    point: type[responses.Point]
    running: type[responses.Point]
    metric: type[responses.MetricSeries[Any, Any]]
    product: type[responses.ProductSeries[Any]]
    dashboard: type[responses.Dashboard[Any]]


_WEEKLY: Final = Shape(
    Grain.WEEK,
    responses.WeekPoint,
    responses.RunningWeek,
    responses.WeeklyMetric,
    responses.WeeklyProduct,
    responses.WeeklyDashboard,
)
_DAILY: Final = Shape(
    Grain.DAY,
    responses.DayPoint,
    responses.RunningDay,
    responses.DailyMetric,
    responses.DailyProduct,
    responses.DailyDashboard,
)
_MONTHLY: Final = Shape(
    Grain.MONTH,
    responses.MonthPoint,
    responses.RunningMonth,
    responses.MonthlyMetric,
    responses.MonthlyProduct,
    responses.MonthlyDashboard,
)


@router.get(
    "/dashboard/weekly",
    response_model=responses.WeeklyDashboard,
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
    response_model=responses.DailyDashboard,
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
    response_model=responses.MonthlyDashboard,
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

    `periods` reach a year further back than the `count` that are shown.
    """

    stored: Stored
    chosen: Sequence[MetricDefinition]
    rows: Mapping[str, Sequence[StatRow]]
    periods: Sequence[Period]
    count: int
    now: datetime

    def series_of(self, metric: MetricDefinition, periods: Sequence[Period]) -> list[Point]:
        """Return the points of one metric."""
        fallbacks = [row for fallback in metric.fallbacks for row in self.rows.get(fallback, ())]
        own = self.rows.get(metric.metric_id, ())
        return points(own, periods, window=metric.source_window, now=self.now, fallbacks=fallbacks)

    def rows_of(self, metrics: Sequence[MetricDefinition]) -> dict[str, Sequence[StatRow]]:
        """Return the rows of some metrics, an empty sequence for one without any."""
        return {metric.metric_id: self.rows.get(metric.metric_id, ()) for metric in metrics}


async def _answer(
    request: Request, shape: Shape, count: int, products: list[str] | None, metric_ids: list[str] | None
) -> Response:
    now = now_of(request.scope)
    catalog = services_of(request).catalog

    async def read(reader: LanceDBReader) -> View:
        stored = Stored(await reader.metrics(), catalog)
        chosen = stored.chosen(products, metric_ids)
        _require_bounded(len(chosen) * count)
        periods = last_periods(last_completed(now, shape.grain), count + _YEAR[shape.grain])
        rows = await reader.stats(_ids_to_read(stored, chosen), since=periods[0].start)
        return View(stored, chosen, _by_metric(rows), periods, count, now)

    view, freshness = await read_fresh(request, read)
    body = shape.dashboard(
        period_start=view.periods[-count].start,
        period_end=view.periods[-1].end,
        products=_products(view, shape),
        stars=stars_body(stock_total(view.rows_of(view.stored.stars))),
        freshness=freshness,
    )
    return Response(json_of(body), media_type="application/json")


def _require_bounded(size: int) -> None:
    if size > params.MAX_POINTS:
        raise Problem(
            "answer-too-large",
            f"The answer would have {size:,} points; at most {params.MAX_POINTS:,} are given at once. "
            "Ask for fewer periods, or for some metrics with product= or metric_id=.",
        )


def _ids_to_read(stored: Stored, chosen: Sequence[MetricDefinition]) -> list[str]:
    """Return the metrics shown, their fallbacks, and those that enter a share or a total."""
    products = {metric.product for metric in chosen}
    counted = [metric for product in products for metric in stored.downloads_of(product)]
    wanted = [*chosen, *counted, *stored.stars]
    fallbacks = [fallback for metric in chosen for fallback in metric.fallbacks]
    return sorted({*(metric.metric_id for metric in wanted), *fallbacks})


def _by_metric(rows: Sequence[StatRow]) -> dict[str, list[StatRow]]:
    grouped: dict[str, list[StatRow]] = {}
    for row in rows:
        grouped.setdefault(row.metric_id, []).append(row)
    return grouped


def _products(view: View, shape: Shape) -> list[responses.ProductSeries[Any]]:
    ids = list(dict.fromkeys(metric.product for metric in view.chosen))
    return [_product(product, view, shape) for product in ids]


def _product(product: str, view: View, shape: Shape) -> responses.ProductSeries[Any]:
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
        downloads_30d=downloads_body(flow_total(view.rows_of(downloads))) if downloads else None,
    )


def _metric(
    metric: MetricDefinition,
    series: Sequence[Point],
    shared: Sequence[Sequence[Point]],
    view: View,
    shape: Shape,
) -> responses.MetricSeries[Any, Any]:
    summary = summarize(series, metric.value_kind, _at_latest(series, shared))
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

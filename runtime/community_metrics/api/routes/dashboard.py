"""`/dashboard/weekly`, `/daily`, `/monthly`: everything a dashboard shows, in one body."""

from __future__ import annotations

from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response

from community_metrics.api import params
from community_metrics.api.mappers import dashboard_body
from community_metrics.api.problems import documented
from community_metrics.api.schemas.dashboard import DailyDashboard, MonthlyDashboard, WeeklyDashboard
from community_metrics.api.services import json_of, read_view, services_of
from community_metrics.periods import Grain
from community_metrics.views.dashboard import read_dashboard

router = APIRouter(tags=["dashboard"])
_ERRORS: Final = documented(401, 404, 422, 500, 503)


@router.get(
    "/dashboard/weekly", response_model=WeeklyDashboard, responses=_ERRORS, operation_id="weeklyDashboard"
)
async def weekly(
    request: Request,
    weeks: params.Weeks = 104,
    product: params.Products = None,
    metric_id: params.MetricIds = None,
) -> Response:
    """Every metric by ISO week, with its changes and shares, the totals, and how fresh the data are."""
    return await _dashboard(request, Grain.WEEK, weeks, product, metric_id)


@router.get(
    "/dashboard/daily", response_model=DailyDashboard, responses=_ERRORS, operation_id="dailyDashboard"
)
async def daily(
    request: Request,
    days: params.Days = 90,
    product: params.Products = None,
    metric_id: params.MetricIds = None,
) -> Response:
    """Every metric by UTC day; a day is never estimated."""
    return await _dashboard(request, Grain.DAY, days, product, metric_id)


@router.get(
    "/dashboard/monthly", response_model=MonthlyDashboard, responses=_ERRORS, operation_id="monthlyDashboard"
)
async def monthly(
    request: Request,
    months: params.Months = 24,
    product: params.Products = None,
    metric_id: params.MetricIds = None,
) -> Response:
    """Every metric by calendar month."""
    return await _dashboard(request, Grain.MONTH, months, product, metric_id)


async def _dashboard(
    request: Request, grain: Grain, count: int, products: list[str] | None, metric_ids: list[str] | None
) -> Response:
    load = partial(
        read_dashboard,
        grain=grain,
        count=count,
        products=products,
        metric_ids=metric_ids,
        max_points=params.MAX_POINTS,
    )
    rows, versions = await read_view(request, load)
    body = await services_of(request).built(lambda: json_of(dashboard_body(rows.build(), versions)))
    return Response(body, media_type="application/json")

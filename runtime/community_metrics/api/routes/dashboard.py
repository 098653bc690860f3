"""`/dashboard/weekly`, `/daily`, `/monthly`: everything a dashboard shows, in one body."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from community_metrics.api import params
from community_metrics.api.cache.middleware import now_of
from community_metrics.api.mappers import dashboard_body
from community_metrics.api.problems import documented
from community_metrics.api.schemas.dashboard import DailyDashboard, MonthlyDashboard, WeeklyDashboard
from community_metrics.api.services import json_of, services_of
from community_metrics.periods import Grain
from community_metrics.views.dashboard import read_dashboard

router = APIRouter(tags=["dashboard"])
_ERRORS: Final = documented(401, 404, 422, 500, 503)


@router.get(
    "/dashboard/weekly",
    response_model=WeeklyDashboard,
    responses=_ERRORS,
    operation_id="weeklyDashboard",
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
    "/dashboard/daily",
    response_model=DailyDashboard,
    responses=_ERRORS,
    operation_id="dailyDashboard",
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
    "/dashboard/monthly",
    response_model=MonthlyDashboard,
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
    return await _dashboard(request, Grain.MONTH, months, product, metric_id)


async def _dashboard(
    request: Request, grain: Grain, count: int, products: list[str] | None, metric_ids: list[str] | None
) -> Response:
    services, now = services_of(request), now_of(request.scope)
    rows, versions = await services.database.consistently(
        lambda reader: read_dashboard(
            reader,
            services.catalog,
            now,
            grain=grain,
            count=count,
            products=products,
            metric_ids=metric_ids,
            max_points=params.MAX_POINTS,
        )
    )
    body = await services.built(lambda: json_of(dashboard_body(rows.build(), versions)))
    return Response(body, media_type="application/json")

"""`/overview`: one week of every product, as the first screen of the page shows it."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request, Response

from community_metrics.api import params  # noqa: TC001  FastAPI reads it at run time
from community_metrics.api.mappers import overview_body
from community_metrics.api.problems import documented
from community_metrics.api.schemas.overview import Overview
from community_metrics.api.services import json_of, read_view, services_of
from community_metrics.periods import Grain, period_named
from community_metrics.views.overview import read_overview

router = APIRouter(tags=["dashboard"])


@router.get(
    "/overview",
    response_model=Overview,
    responses=documented(401, 404, 422, 500, 503),
    operation_id="overview",
)
async def overview(request: Request, week: params.WeekName = None) -> Response:
    """Each product's total of a week that is over, its changes, a year of weeks, SDKs and stars.

    Without a week the newest one in which a series is complete.
    """
    load = partial(read_overview, week=None if week is None else period_named(week, Grain.WEEK))
    rows, versions = await read_view(request, load)
    body = await services_of(request).built(lambda: json_of(overview_body(rows.build(), versions)))
    return Response(body, media_type="application/json")

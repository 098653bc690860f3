"""`/insights`: what changed in a week, a month or a quarter, in sentences with their numbers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from community_metrics.api import params  # noqa: TC001  FastAPI reads it at run time
from community_metrics.api.mappers import insights_body
from community_metrics.api.problems import documented, invalid
from community_metrics.api.schemas.insights import Insights
from community_metrics.api.services import json_of, read_view, services_of
from community_metrics.periods import Grain, period_named
from community_metrics.views.insights import read_insights

if TYPE_CHECKING:
    from community_metrics.periods import Period

router = APIRouter(tags=["insights"])


@router.get(
    "/insights",
    response_model=Insights,
    responses=documented(401, 404, 422, 500, 503),
    operation_id="insights",
)
async def insights(
    request: Request,
    week: params.WeekName = None,
    month: params.MonthName = None,
    quarter: params.QuarterName = None,
    product: params.Products = None,
) -> Response:
    """Say what changed in a period that is over, by the rules of docs/insights.md.

    Without a period the last completed week; only one of `week`, `month` and `quarter`.
    """
    load = partial(read_insights, period=_period(week=week, month=month, quarter=quarter), products=product)
    rows, versions = await read_view(request, load)
    body = await services_of(request).built(lambda: json_of(insights_body(rows.build(), versions)))
    return Response(body, media_type="application/json")


def _period(**labels: str | None) -> Period | None:
    given = [(name, label) for name, label in labels.items() if label is not None]
    if len(given) > 1:
        raise invalid(given[1][0], f"cannot be combined with {given[0][0]}", "one of week, month and quarter")
    return next((period_named(label, Grain(name)) for name, label in given), None)

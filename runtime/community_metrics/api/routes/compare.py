"""`/compare`: which metrics may share a chart."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request, Response

from community_metrics.api import params  # noqa: TC001  FastAPI reads it at run time
from community_metrics.api.comparing import comparable_body, compared_body
from community_metrics.api.problems import documented
from community_metrics.api.schemas.compare import Comparable, Comparison
from community_metrics.api.services import json_response, read_view
from community_metrics.views.compare import load_comparable, load_compared

router = APIRouter(tags=["dashboard"])


@router.get(
    "/compare",
    response_model=Comparison,
    responses=documented(401, 404, 422, 500, 503),
    operation_id="compare",
)
async def compare(
    request: Request,
    metric_id: params.ChartMetrics,
    from_day: params.FromDay = None,
    to_day: params.ToDay = None,
) -> Response:
    """Say which metrics may share a chart, on which axes and on which scale, by the rule `alike`.

    A metric that may not is named with the reason; the first one decides what the others are compared with.
    """
    load = partial(load_compared, metric_ids=metric_id, first=from_day, last=to_day)
    view, versions = await read_view(request, load)
    return json_response(compared_body(view, versions))


@router.get(
    "/compare/parts",
    response_model=Comparable,
    responses=documented(401, 422, 500, 503),
    operation_id="comparable",
)
async def comparable(request: Request) -> Response:
    """Return for each metric what `/compare` looks at, so that a page without a server gives its answers.

    Take the metrics in the order of the chart. Refuse one if its way of counting changed within the days
    shown, with the sentence of the newest such change. Otherwise refuse it if it may not share a chart with
    a metric that was accepted before it, with the sentence about the first such metric.
    """
    return json_response(comparable_body(*await read_view(request, load_comparable)))

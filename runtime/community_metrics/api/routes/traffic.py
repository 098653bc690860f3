"""`/traffic-items`: the places from which a repository was visited, and its pages that were viewed."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request, Response

from community_metrics.api import params  # noqa: TC001  FastAPI reads it at run time
from community_metrics.api.mappers import traffic_body
from community_metrics.api.problems import documented, invalid
from community_metrics.api.schemas.traffic import TrafficItems
from community_metrics.api.services import json_of, read_view, services_of
from community_metrics.views.traffic import load_traffic_items

router = APIRouter(tags=["traffic"])


@router.get(
    "/traffic-items",
    response_model=TrafficItems,
    responses=documented(401, 404, 422, 500, 503),
    operation_id="trafficItems",
)
async def traffic_items(
    request: Request,
    metric_id: params.TrafficMetric,
    since: params.SinceDay = None,
    until: params.UntilDay = None,
) -> Response:
    """List the places of one metric by day of reading: without `since` only the newest one, up to `until`."""
    if since and until and since > until:
        raise invalid("since", f"{since} is after {until}", f"up to {until}, the last day")
    load = partial(load_traffic_items, metric_id=metric_id, since=since, until=until)
    view, versions = await read_view(request, load)
    body = await services_of(request).built(lambda: json_of(traffic_body(view, versions)))
    return Response(body, media_type="application/json")

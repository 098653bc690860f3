"""`/events`: what happened on a day, so that a chart can show it beside the numbers."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request, Response

from community_metrics.api import params  # noqa: TC001  FastAPI reads it at run time
from community_metrics.api.mappers import events_body
from community_metrics.api.problems import documented
from community_metrics.api.schemas.events import Events
from community_metrics.api.services import json_of, read_view, services_of
from community_metrics.views.events import load_events

router = APIRouter(tags=["events"])


@router.get(
    "/events",
    response_model=Events,
    responses=documented(401, 404, 422, 500, 503),
    operation_id="events",
)
async def events(
    request: Request,
    since: params.EventsFrom = None,
    until: params.EventsTo = None,
    product: params.Products = None,
) -> Response:
    """List releases, posts, mentions, outages of registries, and notes by people, by day.

    An event without a product is about all of them, so every product has it.
    """
    load = partial(load_events, since=since, until=until, products=product)
    view, versions = await read_view(request, load)
    body = await services_of(request).built(lambda: json_of(events_body(view, versions)))
    return Response(body, media_type="application/json")

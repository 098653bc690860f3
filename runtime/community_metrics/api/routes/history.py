"""`/history` and `/restatements`: the runs, and the values that registries changed."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request, Response

from community_metrics.api import params  # noqa: TC001  FastAPI reads it at run time
from community_metrics.api.mappers import history_body, restatements_body
from community_metrics.api.problems import documented
from community_metrics.api.schemas.status import History, Restatements
from community_metrics.api.services import json_response, read_view
from community_metrics.views.runs import load_history
from community_metrics.views.selection import load_restatements

router = APIRouter(tags=["history"])


@router.get(
    "/history", response_model=History, responses=documented(401, 422, 500, 503), operation_id="history"
)
async def history(
    request: Request,
    status: params.State = None,
    job: params.Job = None,
    limit: params.Limit = 50,
    before: params.Before = None,
) -> Response:
    """List runs, newest first, with their errors. `next_before` leads to the next page.

    A page filtered by `running` or `abandoned` may hold fewer than `limit` runs and still have a next one:
    the lease decides which of the two a run is, not its row.
    """
    read = await read_view(
        request,
        lambda reader, _, now: load_history(reader, now, limit=limit, state=status, job=job, before=before),
    )
    return json_response(history_body(*read))


@router.get(
    "/restatements",
    response_model=Restatements,
    responses=documented(401, 404, 422, 500, 503),
    operation_id="restatements",
)
async def restatements(
    request: Request,
    metric_id: params.MetricIds = None,
    since: params.Since = None,
    limit: params.Limit = 100,
) -> Response:
    """List values that a registry changed after they were stored, last changed first."""
    load = partial(load_restatements, metric_ids=metric_id or (), since=since, limit=limit)
    return json_response(restatements_body(*await read_view(request, load)))

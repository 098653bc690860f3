"""`/history` and `/restatements`: what was run, and what registries took back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response

from community_metrics.api import params, schemas
from community_metrics.api.context import now_of
from community_metrics.api.mappers import restatement_body, run_body
from community_metrics.api.problems import documented
from community_metrics.api.services import json_of, read_fresh, services_of
from community_metrics.model import RunStatus
from community_metrics.series.freshness import RunView, run_view
from community_metrics.views.selection import Stored

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.model import StatRow
    from community_metrics.storage.reader import LanceDBReader

router = APIRouter(tags=["history"])
_UNENDED: Final = frozenset({"running", "abandoned"})


@router.get(
    "/history",
    response_model=schemas.History,
    responses=documented(401, 422, 500, 503),
    operation_id="history",
)
async def history(
    request: Request,
    status: params.State = None,
    job: params.Job = None,
    limit: params.Limit = 50,
    before: params.Before = None,
) -> Response:
    """List runs, newest first, with what failed. `next_before` leads to the next page.

    A page filtered by `running` or `abandoned` may hold fewer than `limit` runs and still have a next one:
    which of the two a run is, its lease says, not its row.
    """

    async def read(reader: LanceDBReader) -> tuple[list[RunView], datetime | None]:
        stored = _stored_status(status)
        # one more than asked for tells whether there is a next page
        runs = await reader.runs(limit=limit + 1, status=stored, job_name=job, before=before)
        lease = await reader.lease()
        views = [run_view(run, lease, now_of(request.scope)) for run in runs[:limit]]
        kept = [view for view in views if status in {None, view.state}]
        return kept, runs[limit - 1].started_at if len(runs) > limit else None

    (views, next_before), freshness = await read_fresh(request, read)
    body = schemas.History(
        runs=[run_body(view) for view in views], next_before=next_before, freshness=freshness
    )
    return Response(json_of(body), media_type="application/json")


@router.get(
    "/restatements",
    response_model=schemas.Restatements,
    responses=documented(401, 404, 422, 500, 503),
    operation_id="restatements",
)
async def restatements(
    request: Request,
    metric_id: params.MetricIds = None,
    since: params.Since = None,
    limit: params.Limit = 100,
) -> Response:
    """List values that a registry changed after we stored them, last changed first."""

    async def read(reader: LanceDBReader) -> list[StatRow]:
        stored = Stored(await reader.metrics(), services_of(request).catalog)
        ids = [stored.metric(each).metric_id for each in metric_id or ()]
        return await reader.restatements(metric_ids=ids or None, since=since, limit=limit + 1)

    rows, freshness = await read_fresh(request, read)
    body = schemas.Restatements(
        restatements=[restatement_body(row) for row in rows[:limit]],
        has_more=len(rows) > limit,
        freshness=freshness,
    )
    return Response(json_of(body), media_type="application/json")


def _stored_status(state: str | None) -> RunStatus | None:
    if state is None:
        return None
    return RunStatus.RUNNING if state in _UNENDED else RunStatus(state)

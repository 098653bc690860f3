"""`/history` and `/restatements`: the runs, and the values that registries changed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from community_metrics.api import atom, params
from community_metrics.api.mappers import history_body, restatements_body
from community_metrics.api.problems import documented
from community_metrics.api.schemas.status import History, Restatements
from community_metrics.api.services import json_response, read_view, services_of
from community_metrics.views.runs import load_history
from community_metrics.views.selection import load_restatements

if TYPE_CHECKING:
    from community_metrics.model import StatRow
    from community_metrics.views.selection import Restatements as RestatementsView

router = APIRouter(tags=["history"])
_RESTATEMENTS: Final = "/api/v1/restatements"
_FEED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {atom.MEDIA_TYPE: {"schema": {"type": "string"}}}}
}


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
    responses={**_FEED, **documented(401, 404, 422, 500, 503)},
    operation_id="restatements",
)
async def restatements(
    request: Request,
    *,
    metric_id: params.MetricIds = None,
    since: params.Since = None,
    limit: params.Limit = 100,
    format: params.FeedFormat = "json",  # noqa: A002  the parameter's name in the URL
) -> Response:
    """List values that a registry changed after they were stored, last changed first.

    The Atom feed has the last 200 of them at most; a value that is changed again is a new entry.
    """
    load = partial(load_restatements, metric_ids=metric_id or (), since=since, limit=limit)
    view, versions = await read_view(request, load)
    if format == "json":
        return json_response(restatements_body(view, versions))
    selection = urlencode([("metric_id", name) for name in sorted(metric_id or ())])
    services = services_of(request)
    feed = await services.built(lambda: _feed_of(view, selection, services.feed_tag))
    return Response(feed, media_type=atom.MEDIA_TYPE)


def _feed_of(view: RestatementsView, selection: str, tag: str) -> bytes:
    entries = [
        atom.Entry(
            f"{row.metric_id}/{row.period_end}/{row.revision}",
            f"{row.metric_id}, {_days(row)}: {row.value:,} instead of {row.first_value:,}.",
            row.revised_at,
            f"{_RESTATEMENTS}?{urlencode({'metric_id': row.metric_id})}",
        )
        for row in view.rows
        if row.revised_at is not None
    ]
    title = ("Sample data: " if view.freshness.is_sample else "") + "Values that registries restated"
    link = f"{_RESTATEMENTS}?format=atom{'&' if selection else ''}{selection}"
    empty_at = view.freshness.last_success_at or view.freshness.now
    return atom.feed("restatements", title, link, entries, empty_at, tag=tag, selection=selection)


def _days(row: StatRow) -> str:
    first, last = row.period_start, row.period_end
    return str(last) if first == last else f"{first} to {last}"

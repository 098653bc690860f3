"""`/before-after`: a metric in the days before and after a day."""

from __future__ import annotations

from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response

from community_metrics.api import params  # noqa: TC001  FastAPI reads it at run time
from community_metrics.api.mappers import before_after_body
from community_metrics.api.problems import documented, invalid
from community_metrics.api.schemas.comparisons import BeforeAfter
from community_metrics.api.services import json_response, read_view
from community_metrics.model import USUAL_SIDE_DAYS
from community_metrics.views.before_after import load_before_after

_ONE: Final = "one of event_id and day, a day such as 2026-11-22"
router = APIRouter(tags=["insights"])


@router.get(
    "/before-after",
    response_model=BeforeAfter,
    responses=documented(401, 404, 422, 500, 503),
    operation_id="beforeAfter",
)
async def before_after(
    request: Request,
    metric_id: params.ComparedMetric,
    *,
    event_id: params.EventId = None,
    day: params.EventDay = None,
    days: params.SideDays = USUAL_SIDE_DAYS,
    skip_missing: params.SkipMissing = False,
) -> Response:
    """Compare the mean a day before and after an event or a day: what happened together, not why.

    The rule is `before-and-after` of docs/insights.md. A missing day is a 422, unless `skip_missing` is true.
    """
    if event_id is not None and day is not None:
        raise invalid("day", "cannot be combined with event_id", _ONE)
    if (at := event_id if day is None else day) is None:
        raise invalid("day", "is missing", _ONE)
    load = partial(load_before_after, metric_id=metric_id, at=at, days=days, skip_missing=skip_missing)
    view, versions = await read_view(request, load)
    return json_response(before_after_body(view, versions))

"""`/metrics`: the last week and the newest readings, for Prometheus and whatever reads its formats."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from community_metrics.api.context import header
from community_metrics.api.negotiation import exposition_format
from community_metrics.api.openmetrics import OPENMETRICS_TYPE, TEXT_TYPE, written
from community_metrics.api.problems import documented
from community_metrics.api.services import read_view, services_of
from community_metrics.views.exposition import exposition_of, read_exposition

router = APIRouter(tags=["export"])
_FORMATS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The samples, in the format that `Accept` selects.",
        "content": {
            media_type.partition(";")[0]: {"schema": {"type": "string"}}
            for media_type in (TEXT_TYPE, OPENMETRICS_TYPE)
        },
        "headers": {"Vary": {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/metrics",
    response_class=Response,
    responses={**_FORMATS, **documented(401, 422, 500, 503)},
    operation_id="metrics",
)
async def metrics(request: Request) -> Response:
    """Return the last ISO week that is over and the newest readings, in the formats of Prometheus.

    A value that is not complete or not known has no sample; it is never 0. OpenMetrics where `Accept` names
    `application/openmetrics-text`, the older text format otherwise.
    """
    media_format = exposition_format(header(request.scope["headers"], b"accept"))
    rows, _ = await read_view(request, read_exposition)
    text, media_type = await services_of(request).built(
        lambda: written(exposition_of(rows.build()), media_format)
    )
    return Response(text, headers={"content-type": media_type, "vary": "Accept"})

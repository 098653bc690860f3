"""`/health`, `/ready`, `/status`, `/definitions`: the process, storage, the collecting, the catalogue."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from community_metrics.api.context import now_of
from community_metrics.api.mappers import definitions_body, status_body
from community_metrics.api.problems import documented
from community_metrics.api.schemas.base import Health, Ready
from community_metrics.api.schemas.points import Definitions
from community_metrics.api.schemas.status import ServiceStatus
from community_metrics.api.services import json_of, json_response, read_view, services_of
from community_metrics.views.selection import load_definitions
from community_metrics.views.status import load_status

router = APIRouter(tags=["service"])
_UNCACHED: Final = {"cache-control": "no-store"}


@router.get("/health", response_model=Health, responses=documented(422, 500), operation_id="health")
async def health() -> Response:
    """Return 200 while the process runs; checks nothing else."""
    return Response(json_of(Health()), media_type="application/json", headers=_UNCACHED)


@router.get("/ready", response_model=Ready, responses=documented(401, 422, 500, 503), operation_id="ready")
async def ready(request: Request) -> Response:
    """Return 200 when storage responds within a few seconds, otherwise 503 with the reason."""
    await services_of(request).database.look(now_of(request.scope))
    return Response(json_of(Ready()), media_type="application/json", headers=_UNCACHED)


@router.get(
    "/definitions",
    response_model=Definitions,
    responses=documented(401, 422, 500, 503),
    operation_id="definitions",
)
async def definitions(request: Request) -> Response:
    """Every metric ever collected, as stored."""
    view, versions = await read_view(request, load_definitions)
    return json_response(definitions_body(view, versions))


@router.get(
    "/status", response_model=ServiceStatus, responses=documented(401, 422, 500, 503), operation_id="status"
)
async def status(request: Request) -> Response:
    """How the collecting goes: the last success, how complete each metric is, the last runs."""
    return json_response(status_body(*await read_view(request, load_status)))

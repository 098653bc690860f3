"""`/health`, `/ready`, `/status`, `/definitions`: does it run, does storage answer, how does it collect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response

from community_metrics.api import schemas
from community_metrics.api.context import now_of
from community_metrics.api.mappers import definition_body, run_body
from community_metrics.api.problems import documented
from community_metrics.api.services import json_of, read_fresh, services_of
from community_metrics.model import DistinctRows
from community_metrics.periods import lookback_start
from community_metrics.series.freshness import (
    GAP_WEEKS,
    MetricFreshness,
    RunView,
    StoredDays,
    errors_by_metric,
    freshness,
    run_view,
)
from community_metrics.views.selection import Stored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from community_metrics.model import MetricDefinition, StatRow
    from community_metrics.storage.reader import LanceDBReader

router = APIRouter(tags=["service"])
_RUNS_READ: Final = 100
_RUNS_SHOWN: Final = 10
_UNCACHED: Final = {"cache-control": "no-store"}
_HOUR_S: Final = 3_600


@router.get("/health", response_model=schemas.Health, responses=documented(422, 500), operation_id="health")
async def health() -> Response:
    """Say that the process runs; touches nothing else."""
    return Response(json_of(schemas.Health()), media_type="application/json", headers=_UNCACHED)


@router.get(
    "/ready", response_model=schemas.Ready, responses=documented(401, 422, 500, 503), operation_id="ready"
)
async def ready(request: Request) -> Response:
    """Say whether storage answers within a few seconds; 503 with the reason where it does not."""
    await services_of(request).database.ping()
    return Response(json_of(schemas.Ready()), media_type="application/json", headers=_UNCACHED)


@router.get(
    "/definitions",
    response_model=schemas.Definitions,
    responses=documented(401, 422, 500, 503),
    operation_id="definitions",
)
async def definitions(request: Request) -> Response:
    """Every metric ever collected, as stored."""
    stored, fresh = await read_fresh(request, lambda reader: reader.metrics())
    ordered = sorted(stored, key=lambda item: item.metric_id)
    body = schemas.Definitions(metrics=[definition_body(item) for item in ordered], freshness=fresh)
    return Response(json_of(body), media_type="application/json")


@router.get(
    "/status",
    response_model=schemas.ServiceStatus,
    responses=documented(401, 422, 500, 503),
    operation_id="status",
)
async def status(request: Request) -> Response:
    """How the collecting goes: the last success, how whole each metric is, the last runs."""
    now = now_of(request.scope)
    catalog = services_of(request).catalog

    async def read(reader: LanceDBReader) -> tuple[list[MetricFreshness], list[RunView]]:
        shown = Stored(await reader.metrics(), catalog).shown
        runs = await reader.runs(limit=_RUNS_READ)
        lease = await reader.lease()
        days = await _stored_days(reader, shown, lookback_start(now, GAP_WEEKS))
        views = [run_view(run, lease, now) for run in runs[:_RUNS_SHOWN]]
        return freshness(days, now, errors_by_metric(runs)), views

    (metrics, views), fresh = await read_fresh(request, read)
    body = schemas.ServiceStatus(
        last_success_at=fresh.last_success_at,
        last_success_age_hours=_age_hours(fresh.last_success_at, now),
        is_stale=fresh.is_stale,
        metrics=[_metric_status(metric) for metric in metrics],
        runs=[run_body(view) for view in views],
        freshness=fresh,
    )
    return Response(json_of(body), media_type="application/json")


async def _stored_days(
    reader: LanceDBReader, metrics: Sequence[MetricDefinition], since: date
) -> list[StoredDays]:
    rows: dict[str, list[StatRow]] = {metric.metric_id: [] for metric in metrics}
    for row in await reader.stats(list(rows), since=since):
        rows[row.metric_id].append(row)
    return [
        await _days_of(reader, metric, DistinctRows.of(rows[metric.metric_id]).rows, since)
        for metric in metrics
    ]


async def _days_of(
    reader: LanceDBReader, metric: MetricDefinition, rows: Sequence[StatRow], since: date
) -> StoredDays:
    """Return the days of one metric; what lies before `since` is asked for only where it matters."""
    newest = rows[-1] if rows else await reader.newest_row(metric.metric_id)
    reaches_back = bool(rows) and rows[0].period_end == since
    first_day = since if reaches_back else await reader.first_day(metric.metric_id)
    return StoredDays(
        metric_id=metric.metric_id,
        source=metric.source,
        window=metric.source_window,
        first_day=first_day,
        days=frozenset({*(row.period_end for row in rows), *([newest.period_end] if newest else [])}),
        observed_at=None if newest is None else newest.observed_at,
    )


def _metric_status(metric: MetricFreshness) -> schemas.MetricStatus:
    return schemas.MetricStatus(
        metric_id=metric.metric_id,
        source=metric.source,
        newest_day=metric.newest_day,
        settled_through=metric.settled_through,
        missing_days=list(metric.missing_days),
        observed_at=metric.observed_at,
        last_error=metric.last_error,
    )


def _age_hours(success_at: datetime | None, now: datetime) -> int | None:
    if success_at is None:
        return None
    return max(0, int((now - success_at).total_seconds() // _HOUR_S))

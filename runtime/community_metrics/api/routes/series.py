"""`/series/{metric_id}`: one metric between two days, as JSON or CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from fastapi import APIRouter, Request, Response

from community_metrics.api import params, schemas
from community_metrics.api.context import header, now_of
from community_metrics.api.mappers import identity_fields, point_fields
from community_metrics.api.negotiation import CSV, negotiated
from community_metrics.api.problems import Problem, documented, invalid
from community_metrics.api.services import json_of, read_fresh, services_of
from community_metrics.api.spreadsheet import plain_cell
from community_metrics.periods import Grain, last_completed_day, period_of, today
from community_metrics.series.points import points
from community_metrics.views.selection import Stored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.series.points import Point
    from community_metrics.storage.reader import LanceDBReader

router = APIRouter(tags=["series"])
_POINTS: Final[dict[Grain, type[schemas.Point]]] = {
    Grain.DAY: schemas.DayPoint,
    Grain.WEEK: schemas.WeekPoint,
    Grain.MONTH: schemas.MonthPoint,
}
_MAX_PERIODS: Final = 10_000
_LONGEST_WINDOW: Final = timedelta(days=31)
"""A reading of a month that covers the last period ends up to this much later."""
_CSV_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {"text/csv": {"schema": {"type": "string"}}},
        "headers": {"Vary": {"schema": {"type": "string"}}},
    }
}


@dataclass(frozen=True, slots=True)
class _Range:
    grain: Grain
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class Found:
    """One metric and its points."""

    metric: MetricDefinition
    points: Sequence[Point]


@router.get(
    "/series/{metric_id}",
    response_model=schemas.Series,
    responses={**_CSV_ANSWER, **documented(401, 404, 422, 500, 503)},
    operation_id="series",
)
async def series(
    request: Request,
    metric_id: params.MetricId,
    *,
    grain: params.SeriesGrain = "week",
    first: params.FromDay = None,
    last: params.ToDay = None,
    format: params.Format = None,  # noqa: A002  the parameter's name in the URL
) -> Response:
    """One metric by day, week or month. The first and the last period may reach beyond the two days given."""
    found, freshness = await read_fresh(
        request, lambda reader: _found(reader, request, metric_id, _Range(Grain(grain), first, last))
    )
    if (format or negotiated(header(request.scope["headers"], b"accept"))) == CSV:
        text = await services_of(request).built(lambda: _csv_of(found))
        return Response(text, media_type="text/csv", headers=_csv_headers(metric_id))
    body = await services_of(request).built(lambda: json_of(_series(found, grain, freshness)))
    return Response(body, media_type="application/json", headers={"vary": "Accept"})


def _series(
    found: Found, grain: Literal["day", "week", "month"], freshness: schemas.Freshness
) -> schemas.Series:
    return schemas.Series(
        metric=schemas.MetricIdentity(**identity_fields(found.metric)),
        grain=grain,
        points=[_POINTS[Grain(grain)](**point_fields(point)) for point in found.points],
        freshness=freshness,
    )


async def _found(reader: LanceDBReader, request: Request, metric_id: str, wanted: _Range) -> Found:
    now = now_of(request.scope)
    metric = Stored(await reader.metrics(), services_of(request).catalog).metric(metric_id)
    ids = [metric.metric_id, *metric.fallbacks]
    last = min(wanted.last or last_completed_day(now), today(now))
    first = wanted.first or await _oldest_day(reader, ids, last)
    periods = _periods(first, last, wanted.grain)
    rows = await reader.stats(ids, since=periods[0].start, until=periods[-1].end + _LONGEST_WINDOW)
    fallbacks = [row for fallback in metric.fallbacks for row in rows if row.metric_id == fallback]
    own = [row for row in rows if row.metric_id == metric_id]
    return Found(metric, points(own, periods, window=metric.source_window, now=now, fallbacks=fallbacks))


async def _oldest_day(reader: LanceDBReader, metric_ids: Sequence[str], last: date) -> date:
    found = [await reader.first_day(metric_id) for metric_id in metric_ids]
    return min([last, *(day for day in found if day is not None)])


def _periods(first: date, last: date, grain: Grain) -> list[Period]:
    if first > last:
        raise invalid("from", f"{first} is after {last}", f"up to {last}, the last day")
    if (last - first).days > _MAX_PERIODS * period_of(last, grain).days:
        raise Problem(
            "answer-too-large",
            f"From {first} to {last} are more than {_MAX_PERIODS:,} periods. "
            "Ask for a later from= or a wider grain=.",
        )
    periods = [period_of(first, grain)]
    while periods[-1].end < last:
        periods.append(periods[-1].shifted(1))
    return periods


def _csv_of(found: Found) -> str:
    out = io.StringIO(newline="")
    rows = [point_fields(point) for point in found.points]
    writer = csv.DictWriter(out, fieldnames=["metric_id", *rows[0]])
    writer.writeheader()
    for row in rows:
        cells = {name: plain_cell(value) for name, value in row.items()}
        writer.writerow({"metric_id": found.metric.metric_id, **cells})
    return out.getvalue()


def _csv_headers(metric_id: str) -> dict[str, str]:
    name = metric_id.replace(":", "_")
    return {"content-disposition": f'attachment; filename="{name}.csv"', "vary": "Accept"}

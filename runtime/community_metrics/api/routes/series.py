"""`/series/{metric_id}`: one metric between two days, as JSON or CSV, by itself or beside its registry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fastapi import APIRouter, Request, Response

from community_metrics.api import params
from community_metrics.api.context import header
from community_metrics.api.mappers import (
    beside_registry_body,
    disputed_fields,
    point_fields,
    registry_point_fields,
    series_body,
)
from community_metrics.api.negotiation import CSV, negotiated
from community_metrics.api.problems import documented, invalid
from community_metrics.api.schemas.points import BesideRegistry, Series
from community_metrics.api.services import json_of, read_view, services_of
from community_metrics.api.spreadsheet import BYTE_ORDER_MARK, csv_text, file_name
from community_metrics.periods import Grain
from community_metrics.views.registry import load_beside_registry
from community_metrics.views.series import DayRange, load_series

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from pydantic import BaseModel

    from community_metrics.catalog import Catalog
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.registry import BesideRegistry as BesideRegistryView
    from community_metrics.views.runs import Freshness
    from community_metrics.views.series import MetricSeries

V = TypeVar("V", "MetricSeries", "BesideRegistryView")
router = APIRouter(tags=["series"])
_CSV_RESPONSE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {"text/csv": {"schema": {"type": "string"}}},
        "headers": {"Vary": {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/series/{metric_id}",
    response_model=Series,
    responses={**_CSV_RESPONSE, **documented(401, 404, 422, 500, 503)},
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
    excel: params.Excel = False,
) -> Response:
    """One metric by day, week or month. The first and the last period may extend beyond the two days.

    Uniques do not add up: by week or month they are a 422.
    """
    days = DayRange(Grain(grain), first, last, params.MAX_PERIODS)
    load = partial(load_series, metric_id=metric_id, days=days)
    face = _Face(format, excel, metric_id)
    return await _answer(request, load, face, series_body, _csv_of)


@router.get(
    "/series/{metric_id}/registry",
    response_model=BesideRegistry,
    responses={**_CSV_RESPONSE, **documented(401, 404, 422, 500, 503)},
    operation_id="seriesBesideRegistry",
)
async def series_beside_registry(
    request: Request,
    metric_id: params.MetricId,
    *,
    grain: params.SeriesGrain = "week",
    first: params.FromDay = None,
    last: params.ToDay = None,
    format: params.Format = None,  # noqa: A002  the parameter's name in the URL
    excel: params.Excel = False,
) -> Response:
    """One metric beside the total of its registry, over the days that both have: its share, and its growth.

    `share_ppm` is the share in parts per million, `net_growth` the growth without that of the registry. Both
    terms are there too. Without `from`, since the first day that both have.
    """
    days = DayRange(Grain(grain), first, last, params.MAX_PERIODS)
    load = partial(load_beside_registry, metric_id=metric_id, days=days)
    face = _Face(format, excel, f"{metric_id}:registry")
    return await _answer(request, load, face, beside_registry_body, _registry_csv_of)


@dataclass(frozen=True, slots=True)
class _Face:
    """How a view is asked for: the format that the URL names, CSV for Excel or not, the name of the file."""

    format: str | None
    excel: bool
    name: str


async def _answer(
    request: Request,
    load: Callable[[LanceDBReader, Catalog, datetime], Awaitable[V]],
    face: _Face,
    body_of: Callable[[V, Mapping[str, int]], BaseModel],
    csv_of: Callable[[V], str],
) -> Response:
    media_format = _format_of(request, face.format, excel=face.excel)
    view, versions = await read_view(request, load)
    services = services_of(request)
    if media_format == CSV:
        text = await services.built(lambda: csv_of(view))
        return _csv_response(text, view.freshness, face.name, excel=face.excel)
    body = await services.built(lambda: json_of(body_of(view, versions)))
    return Response(body, media_type="application/json", headers={"vary": "Accept"})


def _format_of(request: Request, wanted: str | None, *, excel: bool) -> str:
    media_format = wanted or negotiated(header(request.scope["headers"], b"accept"))
    if excel and media_format != CSV:
        raise invalid("excel", "is for CSV alone. Fix: add format=csv, or remove it")
    return media_format


def _csv_response(text: str, freshness: Freshness, name: str, *, excel: bool) -> Response:
    file = file_name(f"{name.replace(':', '_')}.csv", is_sample=freshness.is_sample)
    attachment = f'attachment; filename="{file}"'
    headers = {"content-disposition": attachment, "vary": "Accept"}
    return Response((BYTE_ORDER_MARK if excel else "") + text, media_type="text/csv", headers=headers)


def _csv_of(view: MetricSeries) -> str:
    named = {"metric_id": view.metric.metric_id, "unit": view.metric.unit}
    rows = [named | point_fields(point) | disputed_fields(point, view.disputes) for point in view.points]
    return csv_text(rows, is_sample=view.freshness.is_sample)


def _registry_csv_of(view: BesideRegistryView) -> str:
    named = {
        "metric_id": view.metric.metric_id,
        "registry_id": view.registry.metric_id,
        "unit": view.metric.unit,
    }
    rows = [named | registry_point_fields(point) for point in view.points]
    return csv_text(rows, is_sample=view.freshness.is_sample)

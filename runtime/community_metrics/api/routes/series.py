"""`/series/{metric_id}`: one metric between two days, as JSON or CSV."""

from __future__ import annotations

import csv
import io
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response

from community_metrics.api import params
from community_metrics.api.context import header
from community_metrics.api.mappers import point_fields, series_body
from community_metrics.api.negotiation import CSV, negotiated
from community_metrics.api.problems import documented, invalid
from community_metrics.api.schemas.points import Series
from community_metrics.api.services import json_of, read_view, services_of
from community_metrics.api.spreadsheet import BYTE_ORDER_MARK, plain_cell
from community_metrics.periods import Grain
from community_metrics.views.series import load_series

if TYPE_CHECKING:
    from community_metrics.views.series import MetricSeries

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
    media_format = format or negotiated(header(request.scope["headers"], b"accept"))
    if excel and media_format != CSV:
        raise invalid("excel", "is for CSV alone. Fix: add format=csv, or remove it")
    load = partial(
        load_series,
        metric_id=metric_id,
        grain=Grain(grain),
        first=first,
        last=last,
        max_points=params.MAX_PERIODS,
    )
    view, versions = await read_view(request, load)
    services = services_of(request)
    if media_format == CSV:
        text = await services.built(lambda: (BYTE_ORDER_MARK if excel else "") + _csv_of(view))
        attachment = f'attachment; filename="{metric_id.replace(":", "_")}.csv"'
        headers = {"content-disposition": attachment, "vary": "Accept"}
        return Response(text, media_type="text/csv", headers=headers)
    body = await services.built(lambda: json_of(series_body(view, versions)))
    return Response(body, media_type="application/json", headers={"vary": "Accept"})


def _csv_of(view: MetricSeries) -> str:
    out = io.StringIO(newline="")
    rows = [point_fields(point) for point in view.points]
    named = {"metric_id": view.metric.metric_id, "unit": view.metric.unit}
    writer = csv.DictWriter(out, fieldnames=[*named, *rows[0]])
    writer.writeheader()
    for row in rows:
        cells = {name: plain_cell(value) for name, value in row.items()}
        writer.writerow({**named, **cells})
    return out.getvalue()

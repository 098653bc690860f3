"""`/chart/{metric_id}.svg` and `/chart.svg`: a whole chart as a picture, for a README or a slide."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response

from community_metrics.api import params  # noqa: TC001  FastAPI reads it at run time
from community_metrics.api.pictures import MEDIA_TYPE, picture
from community_metrics.api.problems import documented, invalid
from community_metrics.api.services import read_view, services_of
from community_metrics.charts.svg import chart_svg
from community_metrics.charts.words import chart_of
from community_metrics.errors import InvalidRange, TooManyPoints
from community_metrics.periods import Grain
from community_metrics.views.chart import Request as ChartRequest
from community_metrics.views.chart import Span, read_chart

if TYPE_CHECKING:
    from community_metrics.views.chart import ChartRows

router = APIRouter(tags=["pictures"])
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The picture.", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
    **documented(401, 404, 422, 500, 503),
}
_SPANS: Final = {"12w": Span(days=84), "1y": Span(days=364), "2y": Span(days=728), "all": Span()}


@router.get("/chart/{metric_id}.svg", response_class=Response, responses=_RESPONSES, operation_id="chart")
async def chart(
    request: Request,
    metric_id: params.MetricId,
    by: params.SeriesGrain = "week",
    range: params.ChartRange = "1y",  # noqa: A002  the parameter's name in the URL, as on the page
    theme: params.Theme = "auto",
) -> Response:
    """Draw a metric: axes with units, gaps left open, events as marks.

    It ends with the newest completed period that has data. Where the picture has no room for so many periods,
    they are wider, and the picture says so. At most 20 kB.
    """
    asked = ChartRequest(metric_ids=(metric_id,), grain=Grain(by), span=_span(range))
    return await _drawn(request, asked, theme)


@router.get("/chart.svg", response_class=Response, responses=_RESPONSES, operation_id="charts")
async def charts(
    request: Request,
    *,
    metric_id: params.MetricIds = None,
    product: params.Products = None,
    family: params.Family = None,
    total: params.Total = False,
    by: params.SeriesGrain = "week",
    range: params.ChartRange = "1y",  # noqa: A002  as above
    theme: params.Theme = "auto",
) -> Response:
    """Draw several metrics on one axis, or their sum.

    The metrics of `metric_id`, else those of `family` (`downloads` without one), of all products or of those
    in `product`. They count the same thing; at most 8, and 50 with `total`.
    """
    asked = ChartRequest(
        metric_ids=tuple(metric_id or ()),
        family=family,
        products=tuple(product or ()),
        grain=Grain(by),
        span=_span(range),
        is_total=total,
    )
    return await _drawn(request, asked, theme)


async def _drawn(request: Request, asked: ChartRequest, theme: str) -> Response:
    try:
        rows, _ = await read_view(request, partial(read_chart, asked=asked))
    except InvalidRange as error:
        raise invalid("range", str(error), f"up to {error.last}, the last day") from error
    except TooManyPoints as error:
        detail = "has more days than the picture has room for, and no wider periods have values"
        raise invalid("range", detail, f"at most {error.limit} days of all metrics together") from error
    return await services_of(request).built(lambda: _picture(rows, theme))


def _picture(rows: ChartRows, theme: str) -> Response:
    return picture(chart_svg(chart_of(rows.build()), theme=theme))


def _span(text: str) -> Span:
    if text in _SPANS:
        return _SPANS[text]
    first, last = text.split("..")
    return Span(first=date.fromisoformat(first), last=date.fromisoformat(last))

"""`/preview`: what a link to the page says of itself, as words, as a picture, and as a page of tags."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from community_metrics.api import params  # noqa: TC001  FastAPI reads it at run time
from community_metrics.api.context import PREFIX
from community_metrics.api.mappers import freshness_body
from community_metrics.api.open_graph import origin_of, page_of
from community_metrics.api.problems import Problem, documented
from community_metrics.api.schemas.preview import Preview
from community_metrics.api.services import json_response, read_view, services_of
from community_metrics.charts.png import can_draw, chart_png
from community_metrics.charts.words import SAMPLE, chart_of
from community_metrics.periods import Grain, period_named
from community_metrics.views.chart import read_chart
from community_metrics.views.preview import load_preview

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.views.preview import Preview as PreviewView

router = APIRouter(tags=["pictures"])
_NAME: Final = "Community metrics"
_PROBLEMS: Final = documented(401, 404, 422, 500, 503)
_PNG: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The picture.",
        "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
    },
    **_PROBLEMS,
}
_HTML: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}},
    **_PROBLEMS,
}


@router.get("/preview", response_model=Preview, responses=_PROBLEMS, operation_id="preview")
async def preview(
    request: Request, week: params.WeekName = None, product: params.LinkedProduct = None
) -> Response:
    """Return title, description and picture of a link to the page, for a week and a product of it."""
    return json_response(await _body(request, week, product))


@router.get("/preview.html", response_class=Response, responses=_HTML, operation_id="previewPage")
async def preview_page(
    request: Request, week: params.WeekName = None, product: params.LinkedProduct = None
) -> Response:
    """Return a page of Open Graph tags alone, to which a static host may send programs that read links."""
    body = await _body(request, week, product)
    policy = {
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "cache-control": "no-cache",
    }
    return Response(page_of(body, origin_of(request.scope)), media_type="text/html", headers=policy)


@router.get("/preview.png", response_class=Response, responses=_PNG, operation_id="previewImage")
async def preview_image(
    request: Request, week: params.WeekName = None, product: params.LinkedProduct = None
) -> Response:
    """Draw the picture of a link, 1,200 by 630 pixels; a 404 without the extra `png` or a font."""
    view, _ = await _view(request, week, product)
    if view.chart is None or not can_draw():
        reason = "no metrics add up to one" if can_draw() else "the extra png and a font are not installed"
        raise Problem("not-found", f"This link has no picture: {reason}.")
    rows, _ = await read_view(request, partial(read_chart, asked=view.chart))
    drawing = await services_of(request).built(lambda: chart_png(chart_of(rows.build())))
    return Response(drawing, media_type="image/png")


async def _view(
    request: Request, week: str | None, product: str | None
) -> tuple[PreviewView, Mapping[str, int]]:
    period = None if week is None else period_named(week, Grain.WEEK)
    return await read_view(request, partial(load_preview, week=period, product=product))


async def _body(request: Request, week: str | None, product: str | None) -> Preview:
    view, versions = await _view(request, week, product)
    sentences = [SAMPLE] if view.freshness.is_sample else []
    sentences += list(
        dict.fromkeys(one.sentence for one in (view.headline, view.foremost) if one is not None)
    )
    given = {"week": week, "product": product}
    query = urlencode({name: value for name, value in given.items() if value is not None})
    image = f"{PREFIX}preview.png{'?' if query else ''}{query}"
    return Preview(
        week=view.week.label,
        title=f"{view.name or _NAME}, {view.week.label}",
        description=" ".join(sentences) or "Nothing is known of this week.",
        image=image if view.chart is not None and can_draw() else None,
        freshness=freshness_body(view.freshness, versions),
    )

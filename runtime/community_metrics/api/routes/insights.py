"""`/insights`: what changed in a week, a month or a quarter, in sentences with their numbers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from community_metrics.api import atom, params
from community_metrics.api.mappers import insights_body
from community_metrics.api.problems import documented, invalid
from community_metrics.api.schemas.insights import Insights
from community_metrics.api.services import json_of, read_view, services_of
from community_metrics.model import InsightKind
from community_metrics.periods import Grain, period_named
from community_metrics.views.insights import read_insights

if TYPE_CHECKING:
    from community_metrics.periods import Period
    from community_metrics.views.insights import Insights as InsightsView

router = APIRouter(tags=["insights"])
_PATH: Final = "/api/v1/insights"
_FEED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {atom.MEDIA_TYPE: {"schema": {"type": "string"}}}}
}


@router.get(
    "/insights",
    response_model=Insights,
    responses={**_FEED, **documented(401, 404, 422, 500, 503)},
    operation_id="insights",
)
async def insights(
    request: Request,
    *,
    week: params.WeekName = None,
    month: params.MonthName = None,
    quarter: params.QuarterName = None,
    product: params.Products = None,
    format: params.FeedFormat = "json",  # noqa: A002  the parameter's name in the URL
) -> Response:
    """Say what changed in a period that is over, by the rules of docs/insights.md.

    Without a period the last completed week; only one of `week`, `month` and `quarter`. The Atom feed has the
    same sentences but those of missing days, which end when the days are published.
    """
    chosen = {"week": week, "month": month, "quarter": quarter}
    load = partial(read_insights, period=_period(chosen), products=product)
    rows, versions = await read_view(request, load)
    services = services_of(request)
    if format == "atom":
        selection = urlencode(_selection(chosen, product))
        feed = await services.built(lambda: _feed_of(rows.build(), selection, services.feed_tag))
        return Response(feed, media_type=atom.MEDIA_TYPE)
    body = await services.built(lambda: json_of(insights_body(rows.build(), versions)))
    return Response(body, media_type="application/json")


def _period(chosen: dict[str, str | None]) -> Period | None:
    given = [(name, label) for name, label in chosen.items() if label is not None]
    if len(given) > 1:
        raise invalid(given[1][0], f"cannot be combined with {given[0][0]}", "one of week, month and quarter")
    return next((period_named(label, Grain(name)) for name, label in given), None)


def _selection(chosen: dict[str, str | None], products: list[str] | None) -> list[tuple[str, str]]:
    """Return the parameters that choose the entries of the feed."""
    periods = [(name, label) for name, label in chosen.items() if label is not None]
    return periods + [("product", name) for name in sorted(products or ())]


def _feed_of(view: InsightsView, selection: str, tag: str) -> bytes:
    entries = [
        atom.Entry(one.insight_id.replace("|", "/"), one.sentence, one.period.end_instant, one.link)
        for one in view.insights
        if one.kind is not InsightKind.MISSING
    ]
    title = f"{'Sample data: ' if view.freshness.is_sample else ''}Insights of {view.period.label}"
    link = f"{_PATH}?format=atom{'&' if selection else ''}{selection}"
    at = view.period.end_instant
    return atom.feed("insights", title, link, entries, at, tag=tag, selection=selection)

"""`/outages`: days that a registry did not count, counted low or late, or restated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response

from community_metrics.api import atom, params
from community_metrics.api.context import header
from community_metrics.api.mappers import outages_body
from community_metrics.api.negotiation import CSV, negotiated
from community_metrics.api.problems import documented
from community_metrics.api.schemas.outages import Outage, Outages
from community_metrics.api.services import json_of, read_view, services_of
from community_metrics.api.spreadsheet import csv_text, file_name
from community_metrics.views.outages import load_outages

if TYPE_CHECKING:
    from community_metrics.views.outages import Ledger

router = APIRouter(tags=["outages"])
_PATH: Final = "/api/v1/outages"
_OTHER_FORMATS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {
            media_type: {"schema": {"type": "string"}} for media_type in ("text/csv", atom.MEDIA_TYPE)
        },
        "headers": {"Vary": {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/outages",
    response_model=Outages,
    responses={**_OTHER_FORMATS, **documented(401, 422, 500, 503)},
    operation_id="outages",
)
async def outages(
    request: Request,
    *,
    format: params.LedgerFormat = None,  # noqa: A002  the parameter's name in the URL
) -> Response:
    """List the days that each registry did not count, counted low or late, or restated, last seen first.

    They follow from the stored totals of the registries, by the rule `outage-ledger` of docs/insights.md. The
    Atom feed has the last 200.
    """
    media_format = format or negotiated(header(request.scope["headers"], b"accept"))
    view, versions = await read_view(request, load_outages)
    services, vary = services_of(request), {"vary": "Accept"}
    if media_format == "atom":
        feed = await services.built(lambda: _atom_of(view, services.feed_tag))
        return Response(feed, media_type=atom.MEDIA_TYPE, headers=vary)
    if media_format == CSV:
        text = await services.built(lambda: _csv_of(view))
        file = file_name("outages.csv", is_sample=view.freshness.is_sample)
        attachment = {"content-disposition": f'attachment; filename="{file}"'}
        return Response(text, media_type="text/csv", headers=vary | attachment)
    body = await services.built(lambda: json_of(outages_body(view, versions)))
    return Response(body, media_type="application/json", headers=vary)


def _csv_of(view: Ledger) -> str:
    names = tuple(Outage.model_fields)
    rows = [{name: getattr(one, name) for name in names} for one in view.outages]
    return csv_text(rows, names, is_sample=view.freshness.is_sample)


def _atom_of(view: Ledger, tag: str) -> bytes:
    entries = [
        atom.Entry(one.outage_id.replace("|", "/"), one.sentence, one.seen_at, one.link)
        for one in view.outages
    ]
    empty_at = view.freshness.last_success_at or view.freshness.now
    title = ("Sample data: " if view.freshness.is_sample else "") + "Outages of package registries"
    return atom.feed("outages", title, f"{_PATH}?format=atom", entries, empty_at, tag=tag)

"""`/digests`: the stored digests of weeks, months and quarters, which never change."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response

from community_metrics.api import atom, params
from community_metrics.api.mappers import digests_body
from community_metrics.api.problems import documented
from community_metrics.api.schemas.digests import DigestList
from community_metrics.api.services import json_of, read_view, services_of
from community_metrics.charts.style import CONTENT_SECURITY_POLICY
from community_metrics.digest.formats import Format, rendered
from community_metrics.model.digest_content import Digest
from community_metrics.views.digests import load_digest, load_digests, load_news

if TYPE_CHECKING:
    from community_metrics.views.digests import News

router = APIRouter(tags=["digests"])
_PATH: Final = "/api/v1/digests"
_MEDIA_TYPES: Final = {"html": "text/html", "md": "text/markdown", "json": "application/json"}
_FORMATS: Final = {"html": Format.HTML, "md": Format.MARKDOWN, "json": Format.JSON}
_TEXT: Final = {"schema": {"type": "string"}}
_FEED: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {atom.MEDIA_TYPE: _TEXT}}}
_OTHER_FORMATS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {_MEDIA_TYPES["html"]: _TEXT, _MEDIA_TYPES["md"]: _TEXT}}
}


@router.get(
    "/digests",
    response_model=DigestList,
    responses={**_FEED, **documented(401, 422, 500, 503)},
    operation_id="digests",
)
async def digests(
    request: Request,
    *,
    format: params.FeedFormat = "json",  # noqa: A002  the parameter's name in the URL
) -> Response:
    """List the digests that were stored, at most 200, the newest period first.

    The Atom feed has the newest digests, and each round number that these say a series has passed.
    """
    services = services_of(request)
    if format == "atom":
        news, _ = await read_view(request, load_news)
        return Response(
            await services.built(lambda: _feed_of(news, services.feed_tag)), media_type=atom.MEDIA_TYPE
        )
    view, versions = await read_view(request, load_digests)
    body = await services.built(lambda: json_of(digests_body(view, versions)))
    return Response(body, media_type="application/json")


@router.get(
    "/digests/{digest_id}.{digest_format}",
    response_model=Digest,
    responses={**_OTHER_FORMATS, **documented(401, 404, 422, 500, 503)},
    operation_id="digest",
)
async def digest(
    request: Request, digest_id: params.DigestId, digest_format: params.DigestFormat
) -> Response:
    """Return a stored digest as slides, as Markdown or as data: the same bytes whenever it is asked for."""
    stored, _ = await read_view(request, partial(load_digest, digest_id=digest_id))
    text = await services_of(request).built(lambda: rendered(stored, _FORMATS[digest_format]))
    policy = {"content-security-policy": CONTENT_SECURITY_POLICY} if digest_format == "html" else {}
    return Response(text, media_type=_MEDIA_TYPES[digest_format], headers=policy)


def _feed_of(news: News, tag: str) -> bytes:
    entries = [
        atom.Entry(one.name, one.title, one.at, f"{_PATH}/{one.digest_id}.html", "text/html")
        for one in news.entries
    ]
    empty_at = news.freshness.last_success_at or news.freshness.now
    title = ("Sample data: " if news.freshness.is_sample else "") + "Digests and milestones"
    return atom.feed("digests", title, f"{_PATH}?format=atom", entries, empty_at, tag=tag)

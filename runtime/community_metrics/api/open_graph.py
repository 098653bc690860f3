"""Open Graph tags of a link, in the page or on a page of their own."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

from community_metrics.charts.png import HEIGHT, WIDTH
from community_metrics.charts.text import cleaned

if TYPE_CHECKING:
    from starlette.types import Scope

    from community_metrics.api.schemas.preview import Preview

_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9a-f:.]+\](:\d{1,5})?")
_OWN_TAGS: Final = re.compile(r'\s*<meta (?:property="og:|name="twitter:|name="description")[^>]*>')
_READERS: Final = re.compile(
    r"bot\b|facebookexternalhit|whatsapp|slack|embedly|preview|unfurl|crawler|spider", re.IGNORECASE
)
"""The names of programs that read a page to show what a link is about."""
OF_LINK: Final = ("week", "product")
"""The parameters of the page that a preview depends on."""


def is_read_for_a_preview(user_agent: str) -> bool:
    """Return whether a program reads the page to show a link; a browser does not wait for numbers."""
    return _READERS.search(user_agent) is not None


def link_query(query: bytes) -> str:
    """Return the part of a page's query that its preview depends on, each parameter once."""
    given = dict(parse_qsl(query.decode("latin-1")))
    return urlencode([(name, given[name]) for name in OF_LINK if given.get(name)])


def origin_of(scope: Scope) -> str | None:
    """Return the origin that the request was sent to; None if its `Host` is no host."""
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    return f"{scope['scheme']}://{host}" if _HOST.fullmatch(host) else None


def tags_of(preview: Preview, origin: str | None) -> str:
    """Return the tags; without an origin none for the picture, whose address must be absolute."""
    title, description = cleaned(preview.title), cleaned(preview.description)
    image = None if origin is None or preview.image is None else origin + preview.image
    tags = [
        ("name", "description", description),
        ("property", "og:type", "website"),
        ("property", "og:title", title),
        ("property", "og:description", description),
        ("name", "twitter:card", "summary" if image is None else "summary_large_image"),
    ]
    if image is not None:
        tags += [
            ("property", "og:image", image),
            ("property", "og:image:type", "image/png"),
            ("property", "og:image:width", str(WIDTH)),
            ("property", "og:image:height", str(HEIGHT)),
            ("property", "og:image:alt", f"{title}: the weeks of a year as a line"),
        ]
    return "".join(f'<meta {kind}="{name}" content="{escape(content)}" />' for kind, name, content in tags)


def with_tags(page: str, tags: str) -> str:
    """Return a page with these tags in the place of its own."""
    return _OWN_TAGS.sub("", page).replace("</head>", f"{tags}</head>", 1)


def page_of(preview: Preview, origin: str | None) -> str:
    """Return a page that has nothing but the tags and the words, for programs that read links."""
    title, description = escape(cleaned(preview.title)), escape(cleaned(preview.description))
    head = f'<meta charset="utf-8" /><title>{title}</title>{tags_of(preview, origin)}'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><p>{description}</p></body></html>'

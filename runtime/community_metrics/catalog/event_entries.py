"""The entries of a catalogue file that events come from, `[[feed]]` and `[[mention]]`, and their rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from community_metrics.catalog.entries import Entry, Slug, Subject
from community_metrics.model import Visibility, is_web_address
from community_metrics.origins import require_secure_origin
from community_metrics.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from community_metrics.catalog.document import Fault, RawEntry

_SHORTEST_TEXT = 3
_WORD = re.compile(r"\w")


def _feed_url(value: str) -> str:
    """Return the address of a feed: what is read from it is shown, so nobody on the way may change it."""
    example = "write the address of an Atom or RSS feed, like https://example.org/feed.xml"
    if not is_web_address(value) or not value.isascii() or "#" in value:
        raise ValueError(f"{value!r} is not the address of a page. Fix: {example}")
    parts = urlsplit(value)
    try:
        require_secure_origin(f"{parts.scheme}://{parts.netloc}")
    except ValueError:
        raise ValueError(f"{value!r} is not an https address of a public server. Fix: {example}") from None
    return value


def _mentioned(value: str) -> str:
    if len(value.strip()) < _SHORTEST_TEXT or not _WORD.search(value) or value != value.strip():
        raise ValueError(
            f"{value!r} would match too much. Fix: write a name of at least {_SHORTEST_TEXT} letters, "
            "like LanceDB, without blanks around it"
        )
    return value


FeedUrl = Annotated[str, AfterValidator(_feed_url)]
MentionedText = Annotated[Subject, AfterValidator(_mentioned)]


class _EventEntry(Entry):
    id: Slug
    product: Slug | None = None
    visibility: Annotated[Visibility, Field(strict=False)] = Visibility.PUBLIC
    is_active: Annotated[bool, Field(alias="active")] = True


class Feed(_EventEntry):
    """One `[[feed]]`: an Atom or RSS feed, each entry of which is a post.

    `product` is the one that its posts are about; without it they are about all of them. `visibility` says
    who may see them.
    """

    url: FeedUrl


class Mention(_EventEntry):
    """One `[[mention]]`: stories of Hacker News that name `text` and have at least `least_points`."""

    text: MentionedText
    least_points: Annotated[int, Field(ge=1)]


def event_entry_faults(
    feeds: Sequence[RawEntry], mentions: Sequence[RawEntry], product_ids: Sequence[str]
) -> Iterator[Fault]:
    """Yield a fault for each feed or mention that repeats another or is about an unknown product."""
    for entries, field in ((feeds, "url"), (mentions, "text")):
        for name in ("id", field):
            first: dict[str, RawEntry] = {}
            for entry in entries:
                value = entry.get(name)
                if isinstance(value, str) and first.setdefault(value.casefold(), entry) is not entry:
                    other = first[value.casefold()]
                    yield entry.fault(name, f"{value!r} is already used in {other.place}. Fix: remove one")
        for entry in entries:
            product = entry.get("product")
            if product and product not in product_ids:
                yield entry.fault(
                    "product", f"there is no [[product]] {product!r}; {suggestion(product, product_ids)}"
                )

"""Atom feeds (RFC 4287): entries with stable ids, written by an XML writer that escapes every text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from community_metrics.config import PROJECT_URL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

MEDIA_TYPE: Final = "application/atom+xml"
MOST_ENTRIES: Final = 200
"""Entries of a feed: readers keep what they have seen."""
NAMESPACE: Final = "http://www.w3.org/2005/Atom"
_TAG: Final = f"tag:github.com,2026:{PROJECT_URL.removeprefix('https://github.com/')}"
"""Begins every id, by RFC 4151."""

_PLAIN: Final = "/:@+"
"""What an id may have beside letters, digits and `-._~`: those of metrics have a part of it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed; `name` identifies it in the feed forever, `link` is a path of the API."""

    name: str
    title: str
    at: datetime
    link: str
    media_type: str = "application/json"
    """What the link leads to."""


def tag_of(address: str | None) -> str:
    """Return what begins the ids of a deployment: "all products" of two teams are two facts.

    The address is that of its API or of its site. Its scheme is left out, so that a deployment which gets TLS
    keeps its ids. Without an address they are those of every deployment that has none.
    """
    place = "" if address is None else address.partition("://")[2].rstrip("/")
    return f"{_TAG}/{quote(place, safe=_PLAIN)}" if place else _TAG


def feed(
    name: str,
    title: str,
    link: str,
    entries: Sequence[Entry],
    empty_at: datetime,
    *,
    tag: str,
    selection: str = "",
) -> bytes:
    """Return a feed of the newest of `entries`; `empty_at` is when one without any was last changed.

    `tag` begins each id, by `tag_of`. `selection` is the query that chose the entries. It is a part of the
    feed's id and of no entry's, since an entry is the same in each feed that has it.
    """
    root = ET.Element("feed", {"xmlns": NAMESPACE})
    newest = sorted(entries, key=lambda entry: (entry.at, entry.name), reverse=True)[:MOST_ENTRIES]
    _text(root, "id", f"{tag}/{name}{'?' if selection else ''}{selection}")
    _text(root, "title", title)
    _text(root, "updated", _instant(newest[0].at if newest else empty_at))
    _text(ET.SubElement(root, "author"), "name", "community-metrics")
    ET.SubElement(root, "link", {"rel": "self", "type": MEDIA_TYPE, "href": link})
    for entry in newest:
        element = ET.SubElement(root, "entry")
        _text(element, "id", f"{tag}/{name}/{quote(entry.name, safe=_PLAIN)}")
        _text(element, "title", entry.title)
        _text(element, "updated", _instant(entry.at))
        ET.SubElement(element, "link", {"rel": "alternate", "type": entry.media_type, "href": entry.link})
        _text(element, "summary", entry.title)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _text(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

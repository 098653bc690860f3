"""Posts of Atom and RSS feeds that a catalogue names.

A feed has only its newest entries; what was read stays stored. An entry without a date is left out: nobody
knows its day. XML is read by defusedxml, which refuses entities: a feed is written by others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from community_metrics.errors import SourceShapeError, TerminalSourceError
from community_metrics.model import EventKind, FoundEvent
from community_metrics.sources.base import FetchRequest, FetchResult, OneByOne
from community_metrics.sources.client.hosts import feed_host
from community_metrics.sources.found import found_event, instant_of
from community_metrics.text import counted

if TYPE_CHECKING:
    from datetime import datetime
    from xml.etree.ElementTree import Element

    from community_metrics.sources.client.client import RegistryClient

_MOST_BYTES: Final = 8 * 1024**2
_HEADERS: Final = {"accept": "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5"}
_ROOTS: Final = {"feed", "rss", "RDF"}
_ENTRIES: Final = {"entry", "item"}
_DATES: Final = ("published", "pubDate", "date", "issued", "updated", "modified")
"""Elements that hold the day of an entry, the first publication before a later change."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed: what identifies it, its title, its link, its instant (None: it states none)."""

    identity: str
    title: str
    url: str | None
    published_at: datetime | None


class FeedFile:
    """Reads a feed that arrives in pieces."""

    def __init__(self) -> None:
        self._body = bytearray()

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        self._body += piece

    def result(self) -> tuple[Entry, ...]:
        """Return the entries; ValueError for what is no feed."""
        return entries_of(bytes(self._body))


def entries_of(content: bytes) -> tuple[Entry, ...]:
    """Return the entries of an Atom or RSS document.

    Raises:
        ValueError: it is not well-formed XML, declares entities, or is no feed.
    """
    try:
        root = fromstring(content)
    except ParseError as error:
        raise ValueError(f"it is not well-formed XML ({error})") from None
    except DefusedXmlException as error:
        raise ValueError(f"it declares entities, which are never read ({type(error).__name__})") from None
    if _local(root) not in _ROOTS:
        raise ValueError(f"it is XML, but its root is <{_local(root)}> and not that of a feed")
    return tuple(_entry(element) for element in root.iter() if _local(element) in _ENTRIES)


class Feeds(OneByOne):
    """The posts of feeds; the subject of a request is the address of one."""

    name = "feed"
    host = "feeds"

    async def read(self, request: FetchRequest, client: RegistryClient) -> FetchResult:
        """Return the posts with a date."""
        return await _posts(request, client)


async def _posts(request: FetchRequest, client: RegistryClient) -> FetchResult:
    parts = urlsplit(request.subject)
    host = feed_host(f"{parts.scheme}://{parts.netloc}")
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    try:
        parsed = await client.get_rows(
            host,
            path,
            FeedFile,
            source=Feeds.name,
            subject=request.subject,
            max_bytes=_MOST_BYTES,
            headers=_HEADERS,
        )
    except SourceShapeError as error:
        fix = "check in a browser that the address is that of an Atom or RSS feed"
        raise replace(error, fix=fix) from None
    except TerminalSourceError as error:
        raise replace(error, fix="correct the url of the [[feed]], or set active = false for it") from None
    dated = [entry for entry in parsed.body if entry.published_at is not None]
    events = {event.key: event for entry in dated if (event := _event(request, entry, parsed.at))}
    undated = len(parsed.body) - len(dated)
    notes = (f"{counted(undated, 'entry').replace('entrys', 'entries')} without a date left out",)
    return FetchResult(request.metric_id, events=tuple(events.values()), notes=notes if undated else ())


def _event(request: FetchRequest, entry: Entry, now: datetime) -> FoundEvent | None:
    """Return the event of an entry with a date; None for one that is announced for later."""
    at = entry.published_at
    if at is None or at > now:
        return None
    digest = hashlib.blake2b(entry.identity.encode(), digest_size=8).hexdigest()
    return found_event(f"{request.metric_id}:{digest}", EventKind.POST, at, entry.title, entry.url)


def _entry(element: Element) -> Entry:
    url = _link(element)
    title = _text(element, "title") or url or ""
    identity = _text(element, "id") or _text(element, "guid") or url or title
    dates = (instant_of(_text(element, name)) for name in _DATES)
    return Entry(identity, title, url, next((date for date in dates if date is not None), None))


def _link(element: Element) -> str | None:
    """Return the address of an entry's page: Atom states it as an attribute, RSS as text or as its guid."""
    links = [child for child in element if _local(child) == "link"]
    pages = [link.get("href") for link in links if link.get("rel", "alternate") == "alternate"]
    texts = [(link.text or "").strip() for link in links]
    guids = [_text(element, "guid")]
    return next((text for text in (*pages, *texts, *guids) if text and text.startswith("http")), None)


def _text(element: Element, name: str) -> str:
    """Return the text of the first child of this name, in any namespace, with that of its own children."""
    for child in element:
        if _local(child) == name:
            return "".join(child.itertext()).strip()
    return ""


def _local(element: Element) -> str:
    """Return the name of an element without its namespace; an empty one for a comment."""
    return str(element.tag).rpartition("}")[2] if isinstance(element.tag, str) else ""

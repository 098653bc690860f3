"""What happened on a day: releases, posts, mentions, notes by people, and days that a registry did not count.

Stored events and those derived from the values are merged here, so that every reader gets both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from community_metrics.errors import InvalidRange, TooManyEvents, UnknownName
from community_metrics.model import Event, EventKind, OutageKind, Visibility, event_order
from community_metrics.series.outages import UNCOUNTED
from community_metrics.suggestions import similar_ids
from community_metrics.views.outages import load_outages
from community_metrics.views.runs import load_freshness
from community_metrics.views.selection import StoredMetrics

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.series.outages import Outage
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.runs import Freshness

MAX_EVENTS: Final = 5_000
"""Events in one answer: about 2 MB of JSON."""
_OUTAGES: Final = UNCOUNTED | {OutageKind.LOW}


@dataclass(frozen=True, slots=True)
class Events:
    """The events of some days, oldest first; what people say is apart from what sources state."""

    stated: Sequence[Event]
    notes: Sequence[Event]
    freshness: Freshness


async def load_events(
    reader: LanceDBReader,
    catalog: Catalog,
    now: datetime,
    *,
    since: date | None = None,
    until: date | None = None,
    products: Sequence[str] | None = None,
) -> Events:
    """Return the events of the days from `since` to `until`, of all products or of some.

    An event without a product is about all of them.

    Raises:
        InvalidRange: the first day is after the last.
        UnknownName: a product is not known.
        TooManyEvents: the range has more than `MAX_EVENTS`.
    """
    if since and until and since > until:
        raise InvalidRange(since, until)
    stored = StoredMetrics(await reader.metrics(), catalog)
    require_products(known_products(stored), products or ())
    outages = await outage_events(reader, catalog, now, since=since, until=until)
    found = [
        event
        for event in sorted([*await reader.events(since=since, until=until), *outages], key=event_order)
        if not products or event.product is None or event.product in products
    ]
    if len(found) > MAX_EVENTS:
        raise TooManyEvents(MAX_EVENTS)
    return Events(
        stated=[event for event in found if event.kind is not EventKind.NOTE],
        notes=[event for event in found if event.kind is EventKind.NOTE],
        freshness=await load_freshness(reader, now, stored.definitions),
    )


async def event_named(reader: LanceDBReader, event_id: str, *, derived: Sequence[Event] = ()) -> Event:
    """Return the stored event with this id, unless it was removed, or the one of `derived`.

    Raises:
        UnknownName: there is none.
    """
    if found := await reader.events(event_ids=[event_id]):
        return found[0]
    known = {event.event_id: event for event in derived}
    if event_id in known:
        return known[event_id]
    known |= {event.event_id: event for event in await reader.events()}
    similar = similar_ids(event_id, {name: (event.title,) for name, event in known.items()})
    raise UnknownName("event", event_id, similar)


async def outage_events(
    reader: LanceDBReader,
    catalog: Catalog,
    now: datetime,
    *,
    since: date | None = None,
    until: date | None = None,
) -> list[Event]:
    """Return the days that a registry did not count, or counted low, as the ledger of outages has them.

    A day that it counted late or restated has its numbers by now: only the ledger shows it.
    """
    return [
        _outage_event(outage)
        for outage in (await load_outages(reader, catalog, now)).outages
        if outage.kind in _OUTAGES and (since or outage.day) <= outage.day <= (until or outage.day)
    ]


def _outage_event(outage: Outage) -> Event:
    return Event(
        event_id=outage.outage_id,
        day=outage.day,
        happened_at=None,
        kind=EventKind.OUTAGE,
        title=outage.sentence,
        product=None,
        url=None,
        origin=outage.metric_id,
        metric_id=outage.metric_id,
        visibility=Visibility.PUBLIC,  # as its metric is: the reader has no other
        author=None,
        recorded_at=outage.seen_at,
        ingestion_run_id="",
    )


def known_products(stored: StoredMetrics) -> list[str]:
    """Return the ids of the products that the catalogue or storage has."""
    return sorted(
        {*stored.product_names, *(one.product for one in stored.definitions if not one.is_registry)}
    )


def require_products(known: Sequence[str], products: Sequence[str]) -> None:
    """Raise UnknownName for a product that is not known."""
    for product in products:
        if product not in known:
            raise UnknownName("product", product, similar_ids(product, dict.fromkeys(known, ())))

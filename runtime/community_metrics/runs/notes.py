"""What a person records and removes: one short run each, alone on the database, with a row in `history`.

The run makes the API build its bodies anew. Its scope is the event: who may see the event sees the run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from community_metrics.clock import SystemClock
from community_metrics.errors import ConfigurationError, InvalidEvent, UnknownName
from community_metrics.model import EVENT_JOB, NOTE_ORIGIN, Event, EventKind, Visibility
from community_metrics.periods import FIRST_YEAR, today
from community_metrics.runs.lock import database_lease
from community_metrics.runs.short import recorded_run, short_run_id
from community_metrics.storage import LanceDBStore
from community_metrics.suggestions import similar_ids

if TYPE_CHECKING:
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings


@dataclass(frozen=True, slots=True)
class Note:
    """What a person says happened on a day, about one product or (None) all of them."""

    day: date
    title: str
    author: str
    product: str | None = None
    url: str | None = None
    visibility: Visibility = Visibility.PUBLIC

    def event(self, now: datetime, run_id: str, copy: int = 1) -> Event:
        """Return its row; `copy` counts the times that it was recorded anew after a removal.

        Raises:
            ConfigurationError: a part of it cannot be stored.
        """
        if not self.day.year >= FIRST_YEAR or self.day > today(now):
            raise ConfigurationError(
                f"{self.day} is not a day from {FIRST_YEAR} to today, {today(now)} (UTC). "
                "Fix: write the day on which it happened."
            )
        parts = (str(self.day), self.title, self.author, self.product or "", self.url or "", str(copy))
        digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=4).hexdigest()
        try:
            return Event(
                event_id=f"{NOTE_ORIGIN}:{self.day}:{digest}",
                day=self.day,
                happened_at=None,
                kind=EventKind.NOTE,
                title=self.title,
                product=self.product,
                url=self.url,
                origin=NOTE_ORIGIN,
                metric_id=None,
                visibility=self.visibility,
                author=self.author,
                recorded_at=now,
                ingestion_run_id=run_id,
            )
        except InvalidEvent as error:
            name = {"title": "the text", "author": "--by", "url": "--url"}.get(error.field, error.field)
            raise ConfigurationError(f"Nothing was recorded: {name} must be {error.expected}.") from error


async def record_note(
    settings: Settings,
    catalog: Catalog,
    note: Note,
    *,
    clock: Clock | None = None,
    store_type: type[LanceDBStore] = LanceDBStore,
) -> tuple[Event, bool]:
    """Store a note; return it, and whether it is new: the same note is stored once.

    Raises:
        ConfigurationError: the day is not over or begun, or a text cannot be stored; nothing was changed.
        UnknownName: neither the catalogue nor the database has the product; `similar` are those that exist.
        RunLocked: a run holds the database; nothing was changed.
        StorageError: a LanceDB operation failed.
    """
    clock = clock or SystemClock()
    note.event(clock.now(), "")  # raises before the database is touched
    async with store_type.open(settings) as store:
        await _require_known(store, catalog, note.product)
        run_id = short_run_id(EVENT_JOB, clock)
        async with database_lease(store, settings, run_id, clock):
            await store.create_tables()  # a database of an earlier version has no table of events
            for copy in count(1):
                event = note.event(clock.now(), run_id, copy)
                stored = await store.events(event_ids=[event.event_id], with_removed=True)
                if stored and not stored[0].is_removed:
                    return stored[0], False
                if not stored:
                    break
            async with recorded_run(store, EVENT_JOB, event.event_id, run_id, clock):
                await store.write_events([event])
    return event, True


async def remove_event(
    settings: Settings,
    event_id: str,
    by: str,
    *,
    clock: Clock | None = None,
    store_type: type[LanceDBStore] = LanceDBStore,
) -> Event:
    """Hide an event of any origin from every view, also when its origin states it again; its row stays.

    Raises:
        ConfigurationError: `by` is no name; nothing was changed.
        UnknownName: no such event is stored, or it was removed before; nothing was changed.
        RunLocked: a run holds the database; nothing was changed.
        StorageError: a LanceDB operation failed.
    """
    clock = clock or SystemClock()
    if not by.isprintable() or not by.strip():
        raise ConfigurationError("--by must be the name of the person who removes the event, in one line.")
    async with store_type.open(settings) as store:
        await store.lease()  # raises where there is no database: the lock would create its folder
        run_id = short_run_id(EVENT_JOB, clock)
        async with database_lease(store, settings, run_id, clock):
            event = await _shown(store, event_id)
            removed = replace(event, removed_at=clock.now(), removed_by=by)
            async with recorded_run(store, EVENT_JOB, event.event_id, run_id, clock):
                await store.write_events([removed])
    return removed


async def _require_known(store: LanceDBStore, catalog: Catalog, product: str | None) -> None:
    stored = await store.metrics()  # raises where there is no database
    known = {*(one.id for one in catalog.products), *(one.product for one in stored if not one.is_registry)}
    if product is not None and product not in known:
        raise UnknownName("product", product, sorted(known))


async def _shown(store: LanceDBStore, event_id: str) -> Event:
    found = await store.events(event_ids=[event_id])
    if not found:
        known = {event.event_id: (event.title,) for event in await store.events()}
        raise UnknownName("event", event_id, similar_ids(event_id, known))
    return found[0]

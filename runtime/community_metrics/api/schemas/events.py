"""What happened on a day: what sources state, and apart from it what people say."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from community_metrics.api.schemas.base import Body, Freshness, Versions


class Event(Body):
    """One event as its origin states it."""

    event_id: str
    """The same in every answer."""
    day: date
    """UTC day on which it happened."""
    happened_at: datetime | None
    """When it happened; null where the origin states only the day."""
    kind: Literal["release", "pre_release", "post", "mention", "outage"]
    """What happened: a release or a preview of one, an entry of a feed, a story that names the product, a day
    that a registry did not count."""
    title: str
    """What the origin calls it."""
    product: str | None
    """Id of the product; null: it is about all of them. A release in several registries is one event in each,
    all of one product."""
    url: str | None
    """Its page; null where the origin states none."""
    origin: str
    """Where it was read: `crates:lance`, `github:lancedb/lancedb`, `feed:lance-blog`, `mention:lancedb`."""
    recorded_at: datetime
    """When it was first read."""


class Note(Body):
    """What a person says happened: a cause that somebody names, not one that was measured."""

    event_id: str
    """The same in every answer."""
    day: date
    """UTC day on which it happened."""
    title: str
    """What happened, in the person's words."""
    author: str
    """Who says it."""
    product: str | None
    """Id of the product; null: it is about all of them."""
    url: str | None
    """A page about it; null if the person named none."""
    recorded_at: datetime
    """When it was recorded."""


class EventVersions(Versions):
    """Versions of the tables; no other body has that of the events, some of which are for the team only."""

    events: int
    """Version of the events; 0 before a job has created their table."""


class EventFreshness(Freshness):
    """How fresh the data are, and the versions of the tables with that of the events."""

    versions: EventVersions
    """Which versions of the tables the body was read from."""


class Events(Body):
    """The events of some days."""

    events: list[Event]
    """What sources state, oldest first."""
    notes: list[Note]
    """What people say, oldest first; each with its author."""
    freshness: EventFreshness
    """How fresh the data are."""

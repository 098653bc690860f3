"""The events of a run: the places that it reads them from, and the rows that they become."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.catalog.readings import EventReading
from community_metrics.errors import AnotherRepository, StorageNotBootstrapped
from community_metrics.model import Event, is_reading_id
from community_metrics.periods import last_completed_day, today
from community_metrics.runs.turns import in_turn, read_on
from community_metrics.sources import available_sources
from community_metrics.sources.base import FetchRequest
from community_metrics.sources.readers import EVENT_READERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from community_metrics.model import FoundEvent, LastRead
    from community_metrics.runs.batches import Batch
    from community_metrics.runs.job import RunContext
    from community_metrics.sources.base import Reader

_REPOSITORIES: Final = "releases/github"
_READ_AGAIN: Final = timedelta(days=30)
"""How far behind its newest event a place is read again: points grow, and names are corrected."""


def wanted_readings(
    context: RunContext,
    turns: Mapping[str, LastRead],
    read_before: AbstractSet[str],
    spared: AbstractSet[str],
) -> list[EventReading]:
    """Return the places to read: every active one that was not read today (UTC), least recently read first.

    A run over chosen metrics reads none. A place waits while it, or a metric of its repository, is among the
    `spared`, which failed recently.
    """
    if context.job.only:
        return []
    now = context.clock.now()
    done = read_on(today(now), turns.values()) | read_before | spared
    named = {
        reading.id: reading
        for reading in context.catalog.readings
        if reading.is_active and reading.id not in done
    }
    found = [named[name] for name in in_turn(named, turns, now)]
    return _without_repositories_of(context, spared, found)


def without_strangers(context: RunContext, readings: Sequence[EventReading]) -> list[EventReading]:
    """Return the places without the repositories whose name was refused in this run as another one's.

    Their releases are none of ours. A metric that failed for any other reason says nothing of the repository.
    """
    outcomes = context.batches.outcomes.values()
    refused = {ended.metric_id for ended in outcomes if ended.error_class == AnotherRepository.__name__}
    return _without_repositories_of(context, refused, readings)


def _without_repositories_of(
    context: RunContext, metric_ids: AbstractSet[str], readings: Sequence[EventReading]
) -> list[EventReading]:
    left_out = {one.subject.lower() for one in context.catalog.metrics if one.metric_id in metric_ids}
    return [
        reading
        for reading in readings
        if reading.reader != _REPOSITORIES or reading.subject.lower() not in left_out
    ]


async def reading_requests(
    context: RunContext, readings: Sequence[EventReading]
) -> dict[Reader, list[FetchRequest]]:
    """Return what to ask each reader for."""
    requests: dict[Reader, list[FetchRequest]] = {}
    until = last_completed_day(context.clock.now())
    for reading in readings:
        newest = await _newest(context, reading.origin)
        request = FetchRequest(
            metric_id=reading.id,
            subject=reading.subject,
            options={"least_points": reading.least_points},
            since=None if newest is None else (newest - _READ_AGAIN).date(),
            until=until,
            source=reading.reader,
        )
        requests.setdefault(EVENT_READERS[reading.reader], []).append(request)
    return requests


def events_of(context: RunContext, batch: Batch, now: datetime) -> list[Event]:
    """Return the rows of what a batch states; what is announced for later has not happened yet."""
    return [
        _row(found, place, context.run_id, now)
        for result in batch.results
        if result.events
        for place in (_place(context, result.metric_id),)
        for found in result.events
        if found.happened_at <= now
    ]


def _place(context: RunContext, name: str) -> EventReading:
    """Return the place that a result is from: a reading, or a metric whose own answer states releases."""
    if is_reading_id(name):
        return next(one for one in context.catalog.readings if one.id == name)
    metric = next(one for one in context.catalog.defined if one.metric_id == name)
    source = available_sources()[metric.source]
    return EventReading(
        name,
        metric.source,
        metric.subject,
        f"{source.host}:{metric.subject}",
        metric.product,
        metric_id=name,
        visibility=metric.visibility,
    )


def _row(found: FoundEvent, place: EventReading, run_id: str, now: datetime) -> Event:
    at = found.happened_at.astimezone(UTC)
    return Event(
        event_id=found.key,
        day=at.date(),
        happened_at=at,
        kind=found.kind,
        title=found.title,
        product=place.product,
        url=found.url,
        origin=place.origin,
        metric_id=place.metric_id,
        visibility=place.visibility,
        author=None,
        recorded_at=now,
        ingestion_run_id=run_id,
    )


async def _newest(context: RunContext, origin: str) -> datetime | None:
    """Return the instant of the newest stored event of an origin; None if there is none."""
    try:
        stored = await context.store.events(origin=origin, with_removed=True)
    except StorageNotBootstrapped:  # a dry run creates no table
        return None
    return max((event.happened_at for event in stored if event.happened_at), default=None)

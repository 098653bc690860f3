"""The check of `community-metrics doctor` that reads each `[[feed]]` and `[[mention]]` of the catalogue."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from community_metrics.cli.checks import Check, fail, ok
from community_metrics.periods import ONE_DAY, last_completed_day
from community_metrics.sources.base import FetchRequest
from community_metrics.sources.readers import EVENT_READERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.catalog import Catalog
    from community_metrics.catalog.readings import EventReading
    from community_metrics.clock import Clock
    from community_metrics.errors import SourceError
    from community_metrics.sources.client.client import RegistryClient

_FIX = "correct its entry in the catalogue, or set active = false for it"


async def event_checks(catalog: Catalog, client: RegistryClient, clock: Clock) -> list[Check]:
    """Read one day of each active feed and mention; return a check for each that fails, one for the rest."""
    groups: dict[str, list[EventReading]] = {}
    for place in catalog.named_readings:
        groups.setdefault(place.reader, []).append(place)
    read = await asyncio.gather(*(_read(name, places, client, clock) for name, places in groups.items()))
    checks = {place_id: check for group in read for place_id, check in group.items()}
    failed = [check for check in checks.values() if check is not None]
    readable = [place_id for place_id, check in checks.items() if check is None]
    return [*([ok("events", f"{', '.join(readable)} can be read")] if readable else []), *failed]


async def _read(
    name: str, places: Sequence[EventReading], client: RegistryClient, clock: Clock
) -> dict[str, Check | None]:
    """Return the failed check of each place of one reader, None where it was read."""
    until = last_completed_day(clock.now())
    requests = [
        FetchRequest(
            place.id,
            place.subject,
            {"least_points": place.least_points},
            until - ONE_DAY,
            until,
            source=name,
        )
        for place in places
    ]
    return {
        result.metric_id: None if result.error is None else _failed(result.metric_id, result.error)
        async for result in EVENT_READERS[name].fetch(requests, client)
    }


def _failed(place_id: str, error: SourceError) -> Check:
    return fail("events", f"{place_id}: {replace(error, fix=None).message}", error.fix or _FIX)

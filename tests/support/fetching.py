"""Fetches from a replay server as a run does: real sources, the real client, an injected clock."""

from __future__ import annotations

import random
from datetime import date
from typing import TYPE_CHECKING, Any

from community_metrics.sources import FetchRequest, FetchResult, available_sources
from community_metrics.sources.client.client import RegistryClient
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from community_metrics.sources.client.retries import RequestLimits
    from tests.support.replay import Replay

SUNDAY = date(2026, 11, 22)
"""The newest completed day at `clock.NOON`."""


def wanted(subject: str, metric_id: str = "downloads:it:x", **values: Any) -> FetchRequest:
    """Return a request for everything a registry has of `subject`, up to `SUNDAY`."""
    return FetchRequest(
        metric_id, subject, values.pop("options", {}), **{"since": None, "until": SUNDAY} | values
    )


def after_reading(result: FetchResult) -> dict[str, Any]:
    """Return what the next request says of a stored reading: the id of its subject, and its parts."""
    (stored,) = result.observations
    return {
        "first_stored_day": stored.period_end,
        "stored_ids": frozenset({stored.subject_id}),
        "last_newest_part": stored.newest_part,
        "last_parts_digest": stored.parts_digest,
    }


def client_of(
    replay: Replay,
    clock: FakeClock | None = None,
    *,
    limits: RequestLimits | None = None,
    paced: bool = True,
    **settings: Any,
) -> RegistryClient:
    rng = random.Random(7)  # noqa: S311  jitter, no secret
    return RegistryClient(replay.settings(**settings), clock or FakeClock(), rng, paced=paced, limits=limits)


async def fetch_all(
    source: str, replay: Replay, *requests: FetchRequest, clock: FakeClock | None = None, **client: Any
) -> list[FetchResult]:
    async with client_of(replay, clock, **client) as asking:
        return [result async for result in available_sources()[source].fetch(requests, asking)]


async def fetch(source: str, replay: Replay, request: FetchRequest, **client: Any) -> FetchResult:
    (result,) = await fetch_all(source, replay, request, **client)
    return result


def values(result: FetchResult) -> dict[date, int]:
    """Return what was found, by day; raises what kept it from being found."""
    if result.error is not None:
        raise result.error
    return {found.period_end: found.value for found in result.observations}

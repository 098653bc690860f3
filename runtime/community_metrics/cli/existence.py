"""Whether the registries have what `catalog add` is given, or `catalog discover` finds."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from community_metrics.errors import ConfigurationError, UnknownSubject
from community_metrics.periods import today
from community_metrics.sources import FetchRequest
from community_metrics.sources.base import first_options
from community_metrics.sources.client.client import RegistryClient
from community_metrics.sources.client.retries import PROBE_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.errors import SourceError
    from community_metrics.sources import Source
    from community_metrics.sources.client.hosts import RegistryHost


SILENT_S = 2.0
"""A shorter pause is not announced."""


async def require_existing(
    wanted: Sequence[tuple[Source, str]], settings: Settings, clock: Clock, say: Callable[[str], None]
) -> list[str]:
    """Return why a registry could not be asked, each reason once.

    Raises:
        ConfigurationError: a registry does not have a subject.
    """
    errors = [error for error in await existence_errors(wanted, settings, clock, say) if error is not None]
    if unknown := [str(error) for error in errors if isinstance(error, UnknownSubject)]:
        fix = "Fix: correct the name, or add --no-check for what is not published yet."
        raise ConfigurationError(f"Nothing was added, because a registry does not have it. {fix}", unknown)
    return list(dict.fromkeys(error.message for error in errors))


async def existence_errors(
    wanted: Sequence[tuple[Source, str]], settings: Settings, clock: Clock, say: Callable[[str], None]
) -> list[SourceError | None]:
    """Ask each registry for one day of each subject; return an error for each, or None where it has it.

    An `UnknownSubject` says that the registry does not have it, any other that it could not be asked. `say`
    receives one line for each registry and reason to wait, before the first such pause.
    """
    groups: dict[str, list[int]] = {}
    for position, (source, _) in enumerate(wanted):
        groups.setdefault(source.name, []).append(position)
    rng = random.Random()  # noqa: S311  jitter, not secrets
    said: set[tuple[str, str]] = set()

    def on_wait(host: RegistryHost, seconds: float, reason: str) -> None:
        if seconds >= SILENT_S and (host.key, reason) not in said:
            said.add((host.key, reason))
            until = clock.now() + timedelta(seconds=seconds)
            say(f"Waiting for {urlsplit(host.public_origin).netloc} until {until:%H:%M:%S} UTC: {reason}.")

    async with RegistryClient(settings, clock, rng, limits=PROBE_LIMITS, on_wait=on_wait) as client:
        found = await asyncio.gather(
            *(
                _errors(wanted[places[0]][0], {n: wanted[n][1] for n in places}, client, clock)
                for places in groups.values()
            )
        )
    by_position = {position: error for group in found for position, error in group.items()}
    return [by_position.get(position) for position in range(len(wanted))]


async def _errors(
    source: Source, subjects: Mapping[int, str], client: RegistryClient, clock: Clock
) -> dict[int, SourceError]:
    """Return the error of each subject that has one, by its number."""
    day, options = today(clock.now()) - timedelta(days=1), first_options(source)
    ids = {f"{source.family}:check:n{number}": number for number in subjects}
    requests = [
        FetchRequest(metric_id, subjects[number], options, day, day, source=source.name)
        for metric_id, number in ids.items()
    ]
    results = [result async for result in source.fetch(requests, client)]
    return {ids[result.metric_id]: result.error for result in results if result.error is not None}

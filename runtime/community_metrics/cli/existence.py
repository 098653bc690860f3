"""Whether the registries have the packages and repositories that `catalog add` is given."""

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
    from collections.abc import Callable, Sequence

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
    """Ask each registry for one day of each subject; return why a registry could not be asked.

    `say` receives one line for each registry and reason to wait, before the first such pause.

    Raises:
        ConfigurationError: a registry does not have a subject.
    """
    groups: dict[str, tuple[Source, list[str]]] = {}
    for source, subject in wanted:
        groups.setdefault(source.name, (source, []))[1].append(subject)
    rng = random.Random()  # noqa: S311  jitter, not secrets
    said: set[tuple[str, str]] = set()

    def on_wait(host: RegistryHost, seconds: float, reason: str) -> None:
        if seconds >= SILENT_S and (host.key, reason) not in said:
            said.add((host.key, reason))
            until = clock.now() + timedelta(seconds=seconds)
            say(f"Waiting for {urlsplit(host.public_origin).netloc} until {until:%H:%M:%S} UTC: {reason}.")

    async with RegistryClient(settings, clock, rng, limits=PROBE_LIMITS, on_wait=on_wait) as client:
        found = await asyncio.gather(*(_errors(*group, client, clock) for group in groups.values()))
    errors = [error for group in found for error in group]
    if unknown := [str(error) for error in errors if isinstance(error, UnknownSubject)]:
        fix = "Fix: correct the name, or add --no-check for what is not published yet."
        raise ConfigurationError(f"Nothing was added, because a registry does not have it. {fix}", unknown)
    return list(dict.fromkeys(error.message for error in errors))


async def _errors(
    source: Source, subjects: Sequence[str], client: RegistryClient, clock: Clock
) -> list[SourceError]:
    day, options = today(clock.now()) - timedelta(days=1), first_options(source)
    requests = [
        FetchRequest(f"{source.family}:check:n{number}", subject, options, day, day, source=source.name)
        for number, subject in enumerate(subjects)
    ]
    return [result.error async for result in source.fetch(requests, client) if result.error is not None]

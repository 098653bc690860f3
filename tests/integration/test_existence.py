"""Whether a registry has what `catalog add` is given, and what a person hears while it waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from community_metrics.cli.existence import require_existing
from community_metrics.sources import available_sources
from tests.support.clock import NOON, FakeClock
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from tests.support.replay import Replay


FULL_HOUR = "Waiting for packagist.org until 12:01:00 UTC: it gets no request in the first minute of an hour."


async def asked(replay: Replay, *wanted: str) -> tuple[list[str], list[str], list[float]]:
    """Return the reasons why a registry was not asked, the lines that were said, and the pauses."""
    said: list[str] = []
    clock = FakeClock(NOON)
    pairs = [
        (available_sources()[source], subject)
        for source, _, subject in (one.partition(":") for one in wanted)
    ]
    return await require_existing(pairs, replay.settings(), clock, said.append), said, clock.sleeps


async def test_a_registry_that_limits_requests_is_not_waited_for(replay: Replay) -> None:
    replay.always("/v2/*", Scripted(429, {"retry-after": "40"}, body={}))
    reasons, said, pauses = await asked(replay, "docker:lancedb/lancedb")
    assert "it accepts no request before 2026-11-23T12:00:40Z" in reasons[0]
    assert (said, pauses) == ([], [])


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        (
            ["npm:vectordb", "npm:@lancedb/lancedb", "npm:apache-arrow"],
            "Waiting for api.npmjs.org until 12:00:05 UTC: it gets one request in 5 seconds.",
        ),
        (
            ["packagist:monolog/monolog"],
            FULL_HOUR,
        ),
    ],
)
async def test_a_long_pause_is_announced_once_with_its_reason_and_its_end(
    wanted: list[str], line: str, replay: Replay
) -> None:
    _, said, pauses = await asked(replay, *wanted)
    assert said == [line]
    assert sum(pauses) > 5

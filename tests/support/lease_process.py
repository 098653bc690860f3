"""One of several processes that take, hold and release the lease of a database without a pause.

`python -m tests.support.lease_process '{"name": …, "seconds": …, "db_path": …, "aws_storage_options": …}'`
prints the intervals in which it held the lease, in seconds of the clock that all processes share. It exits
with an error when a lease that it was given is not its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from community_metrics.config import Settings
from community_metrics.errors import RunLocked
from community_metrics.storage import LanceDBStore

TTL = timedelta(minutes=2)
_HELD_S = 0.05
_PAUSE_S = 0.03


async def compete(settings: Settings, name: str, seconds: float) -> list[tuple[float, float]]:
    """Return the intervals (from, to) in which the lease was held."""
    rng = random.Random(name)  # noqa: S311  jitter
    held: list[tuple[float, float]] = []
    end = time.monotonic() + seconds
    async with LanceDBStore.open(settings) as store:
        while time.monotonic() < end:
            held += await _turn(store, f"{name}-{rng.getrandbits(64):016x}", rng.random() * _HELD_S)
            await asyncio.sleep(rng.random() * _PAUSE_S)
    return held


async def _turn(store: LanceDBStore, run_id: str, hold_s: float) -> list[tuple[float, float]]:
    try:
        lease = await store.acquire_lease(run_id, "host", os.getpid(), datetime.now(UTC), TTL)
    except RunLocked:
        return []
    since = time.monotonic()
    await asyncio.sleep(hold_s)
    lease = await store.renew_lease(lease, datetime.now(UTC), TTL)
    until = time.monotonic()
    await store.release_lease(lease, datetime.now(UTC))
    return [(since, until)]


def main() -> None:
    plan: dict[str, Any] = json.loads(sys.argv[1])
    settings = Settings(
        _env_file=None, db_path=plan["db_path"], aws_storage_options=plan["aws_storage_options"]
    )
    sys.stdout.write(json.dumps(asyncio.run(compete(settings, plan["name"], plan["seconds"]))))


if __name__ == "__main__":
    main()

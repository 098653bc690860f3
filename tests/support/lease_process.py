"""One of several processes that take, hold and release one lease after another without a pause.

`python -m tests.support.lease_process '{"name": …, "start": …, "seconds": …, "db_paths": […],
"aws_storage_options": …}'` prints the turns in which it held a lease: number of the database, from, until, in
seconds of the clock that all processes share. It exits with an error when a lease that it was given is not
its own.
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
_HELD_S = 0.02
_PAUSE_S = 0.02


async def compete(plan: dict[str, Any]) -> list[tuple[int, float, float]]:
    """Return the turns. All processes move on from database to database at the same instants.

    Several databases, since moto lists a folder the slower the more versions of a table are in it.
    """
    rng = random.Random(plan["name"])  # noqa: S311  jitter
    turns: list[tuple[int, float, float]] = []
    share_s = plan["seconds"] / len(plan["db_paths"])
    for number, db_path in enumerate(plan["db_paths"]):
        begin, end = (plan["start"] + share_s * count for count in (number, number + 1))
        await asyncio.sleep(begin - time.monotonic())
        settings = Settings(_env_file=None, db_path=db_path, aws_storage_options=plan["aws_storage_options"])
        async with LanceDBStore.open(settings) as store:
            while time.monotonic() < end:
                held = await _turn(store, f"{plan['name']}-{rng.getrandbits(64):016x}", rng)
                turns += [(number, *interval) for interval in held]
                await asyncio.sleep(rng.random() * _PAUSE_S)
    return turns


async def _turn(store: LanceDBStore, run_id: str, rng: random.Random) -> list[tuple[float, float]]:
    try:
        lease = await store.acquire_lease(run_id, "host", os.getpid(), datetime.now(UTC), TTL)
    except RunLocked:
        return []
    since = time.monotonic()
    await asyncio.sleep(rng.random() * _HELD_S)
    stored = await store.lease()
    if stored != lease:
        raise RuntimeError(f"{run_id} was given the lease, and {stored} is stored")
    until = time.monotonic()
    await store.release_lease(lease, datetime.now(UTC))
    return [(since, until)]


def main() -> None:
    sys.stdout.write(json.dumps(asyncio.run(compete(json.loads(sys.argv[1])))))


if __name__ == "__main__":
    main()

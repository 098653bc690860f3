"""A process that refreshes a catalogue once, the default one without another, and says what it cost.

Its last line of output is JSON: how the run ended, the rows it wrote, when its imports were done (seconds of
`time.monotonic`, which Linux and macOS count alike for all processes), and the most memory it ever held.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import lancedb.index
import lancedb.query  # noqa: F401  both are what the store imports when it opens a database

from bench.processes import peak_mb
from community_metrics.config import Settings
from community_metrics.runs.execute import execute
from community_metrics.runs.registry import WeeklyRefresh
from tests.support.clock import FakeClock
from tests.support.replay import HOSTS

if TYPE_CHECKING:
    from community_metrics.runs.job import RunReport


def main() -> None:
    imported_at = time.monotonic()
    db_path, origin, now, *catalog = sys.argv[1:]
    values: dict[str, Any] = {f"source_url_{host}": origin for host in HOSTS}
    if catalog:
        values |= {"catalog": catalog[0], "github_token": "ghp_bench"}
    settings = Settings(_env_file=None, db_path=db_path, **values)
    run = asyncio.run(_refresh(settings, datetime.fromisoformat(now))).run
    outcome = {
        "status": run.status,
        "written": run.rows_inserted + run.rows_updated,
        "imported_at": imported_at,
        "peak_mb": peak_mb(os.getpid()),
    }
    print(json.dumps(outcome))


async def _refresh(settings: Settings, now: datetime) -> RunReport:
    clock = FakeClock(now)  # its sleeps take no time: that is all that "without pacing" means here
    rng = random.Random(0)  # noqa: S311  run ids and jitter
    return await execute(WeeklyRefresh(), settings, clock=clock, rng=rng)


if __name__ == "__main__":
    main()

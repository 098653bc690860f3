"""A process that refreshes the default catalogue once; with `imports` for its only argument it stops after these.

Its last line of output is JSON: how the run ended, the rows it wrote, the most memory it ever held.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import resource
import sys
from datetime import datetime
from pathlib import Path

import lancedb.index
import lancedb.query  # noqa: F401  both are what the store imports when it opens a database
from tests.support.clock import FakeClock
from tests.support.replay import HOSTS

from community_metrics.config import Settings
from community_metrics.jobs.run import JobRequest, RunReport, execute
from community_metrics.jobs.weekly_refresh import gather


def main() -> None:
    if sys.argv[1:] == ["imports"]:
        return
    db_path, origin, now = sys.argv[1:]
    settings = Settings(_env_file=None, db_path=db_path, **{f"source_url_{host}": origin for host in HOSTS})
    report = asyncio.run(_refresh(settings, datetime.fromisoformat(now)))
    run = report.run
    written = run.rows_inserted + run.rows_updated
    print(json.dumps({"status": run.status, "written": written, "peak_mb": _peak_bytes() / 1e6}))


async def _refresh(settings: Settings, now: datetime) -> RunReport:
    clock = FakeClock(now)  # its sleeps take no time: that is all that "without pacing" means here
    return await execute(
        gather,
        JobRequest("weekly_refresh"),
        settings,
        clock=clock,
        rng=random.Random(0),  # noqa: S311  run ids and jitter
    )


def _peak_bytes() -> int:
    """Return the most memory this program held; Linux's `ru_maxrss` would include what the parent held."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s*(\d+) kB", status.read_text())[0]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()

"""A refresh of the default catalogue against a replay server on loopback, without pacing.

Each refresh is a process of its own, timed from the end of its imports to its exit: opening the database,
requests and responses, checks, merge, history, compaction. The clock of the run does not sleep, so no pause
between requests counts. The first refresh fills an empty database with all that the registries still have;
the weekly one runs seven days later on a database that has the rest. Times are medians of 7, memory is the
highest peak of them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.results import Result
from tests.support.clock import NOON
from tests.support.registry import Registry
from tests.support.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

ROUNDS = 7
SECONDS, PEAK_MB = 1.5, 300
"""What a refresh of a catalogue may take beyond interpreter and imports, and hold at most."""


def measure() -> Iterator[Result]:
    """Yield time and memory of the first refresh, then of the weekly one."""
    registry = Registry(NOON.date())
    with TemporaryDirectory() as folder, Replay(registry) as replay:
        empty = [Path(folder) / f"first-{n}" for n in range(ROUNDS)]
        yield from _measured("first refresh", replay, empty, NOON)
        filled = [Path(shutil.copytree(empty[0], Path(folder) / f"weekly-{n}")) for n in range(ROUNDS)]
        a_week_later = NOON + timedelta(weeks=1)
        registry.today = a_week_later.date()
        yield from _measured("weekly refresh", replay, filled, a_week_later)


def _measured(name: str, replay: Replay, databases: Sequence[Path], now: datetime) -> Iterator[Result]:
    costs = [cost(database, replay.origin, now) for database in databases]
    seconds, peaks = zip(*costs, strict=True)
    yield Result.at_most(f"{name}, beyond interpreter and imports", median(seconds), "s", bound=SECONDS)
    yield Result.at_most(f"{name}, peak memory", max(peaks), "MB", bound=PEAK_MB)


def cost(database: Path, origin: str, now: datetime, catalog: Path | None = None) -> tuple[float, float]:
    """Return the seconds that one refresh took after its imports, and the megabytes it held at most."""
    command = [sys.executable, "-m", "bench.one_refresh", str(database), origin, now.isoformat()]
    command += [str(catalog)] if catalog else []
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    ended_at = time.monotonic()
    outcome = json.loads(output.splitlines()[-1])
    assert outcome["status"] == "success", output
    assert outcome["written"] > 0, output
    return ended_at - outcome["imported_at"], outcome["peak_mb"]

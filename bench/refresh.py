"""A refresh of the default catalogue against a replay server on loopback, without pacing.

Each refresh is a process of its own. The time is the median of 7 whole processes, less the median of as many
that only start and import the same modules, turn by turn: it holds opening the database, requests and answers,
checks, merge, history, compaction. The clock of the run does not wait when it is told to, so no pause between
requests counts. The first refresh fills an empty database with all that the registries still have; the weekly
one comes seven days later to a database that has the rest. Memory is the greatest peak of any of them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tests.support.clock import NOON
from tests.support.registry import Registry
from tests.support.replay import Replay

from bench.results import Result
from bench.timing import alternating

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

ROUNDS = 7
WARM_UPS = 1
IMPORTS_ONLY = [sys.executable, "-m", "bench.one_refresh", "imports"]


def measure() -> Iterator[Result]:
    """Yield time and memory of the first refresh, then of the weekly one."""
    with TemporaryDirectory() as folder, Replay(Registry(NOON.date())) as replay:
        empty = [Path(folder) / f"first-{n}" for n in range(WARM_UPS + ROUNDS)]
        yield from _measured("first refresh", replay, empty, NOON)
        filled = [shutil.copytree(empty[0], Path(folder) / f"weekly-{n}") for n in range(WARM_UPS + ROUNDS)]
        yield from _measured("weekly refresh", replay, filled, NOON + timedelta(weeks=1))


def _measured(name: str, replay: Replay, databases: list[Path], now: datetime) -> Iterator[Result]:
    assert replay.registry is not None
    replay.registry.today = now.date()
    remaining = iter(databases)
    peaks: list[float] = []
    whole, imports = alternating(
        lambda: peaks.append(_refreshed(next(remaining), replay.origin, now)["peak_mb"]),
        lambda: subprocess.run(IMPORTS_ONLY, check=True),
        rounds=ROUNDS,
        warm_ups=WARM_UPS,
    )
    yield Result.at_most(f"{name}, beyond interpreter and imports", whole - imports, "s", bound=1.5)
    yield Result.at_most(f"{name}, peak memory", max(peaks), "MB", bound=300)


def _refreshed(database: Path, origin: str, now: datetime) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.one_refresh", str(database), origin, now.isoformat()]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    outcome: dict[str, Any] = json.loads(output.splitlines()[-1])
    assert outcome["status"] == "success", output
    assert outcome["written"] > 0, output
    return outcome

"""A refresh with one more source, for each that came after the first five, against those five alone.

The first five are pypistats, npm, crates.io, GitHub's stars and their history, a metric of each; the entries
of each further source come from the catalogue of all sources. Every refresh fills an empty database from a
replay server on loopback, by a clock that does not sleep: requests and responses, checks, merge, history. The
processor time of all of it counts, the server's included: the least of 5, turn by turn. Whatever is added, it
stays within the bound of `refresh`; the five alone are shown beside it. DuckDB's cost most, since a first
refresh reads a file for every week. Memory is the peak of a process of its own.
"""

from __future__ import annotations

import asyncio
import random
import time
import tomllib
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from bench.refresh import PEAK_MB, SECONDS, cost
from bench.results import Result
from community_metrics.model import RunStatus
from community_metrics.runs.execute import execute
from community_metrics.runs.registry import WeeklyRefresh
from tests.support.clock import NOON, FakeClock
from tests.support.registry import Registry
from tests.support.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CATALOG: Final = Path(__file__).parents[1] / "tests" / "support" / "catalog_all_sources.toml"
FIRST: Final = ("pypistats", "npm", "crates", "github", "github-history")
ROUNDS: Final = 5


def measure() -> Iterator[Result]:
    """Yield what each further source adds to a refresh, then time and memory of all of them."""
    by_source = _metrics_by_source()
    five = [name for source in FIRST for name in by_source.pop(source)[:1]]
    with TemporaryDirectory() as name, Replay(Registry(NOON.date())) as replay:
        folder = Path(name)
        _refresh(replay, folder / "warm", ())
        for source, names in by_source.items():
            seconds = [
                [
                    _refresh(replay, folder / f"{source}-{turn}-{len(only)}", only)
                    for only in (five, [*five, *names])
                ]
                for turn in range(ROUNDS)
            ]
            alone, ours = map(min, zip(*seconds, strict=True))
            yield _row(f"refresh with {source}", ours, alone)
        every = min(_refresh(replay, folder / f"every-{turn}", ()) for turn in range(ROUNDS))
        yield _row("refresh with all of them", every, alone)
        _, peak = cost(folder / "all", replay.origin, NOON, CATALOG)
        yield Result.at_most("refresh with all of them, peak memory", peak, "MB", bound=PEAK_MB)


def _row(name: str, ours: float, alone: float) -> Result:
    return Result(name, ours * 1e3, alone * 1e3, "ms", None, SECONDS * 1e3)


def _metrics_by_source() -> dict[str, list[str]]:
    """Return the ids of the active metrics of each source, in the order of the catalogue."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for entry in tomllib.loads(CATALOG.read_text(encoding="utf-8"))["metric"]:
        if entry.get("active", True):
            found[entry["source"]].append(entry["id"])
    return dict(found)


def _refresh(replay: Replay, database: Path, only: Sequence[str]) -> float:
    """Return the processor time, in seconds, of a refresh of these metrics; of all for none."""
    settings = replay.settings(db_path=str(database), catalog=CATALOG, github_token="ghp_bench")  # noqa: S106  made up
    rng = random.Random(0)  # noqa: S311  run ids and jitter
    started = time.process_time()
    report = asyncio.run(execute(WeeklyRefresh(only=tuple(only)), settings, clock=FakeClock(NOON), rng=rng))
    spent = time.process_time() - started
    assert report.run.status is RunStatus.SUCCESS, report.run.error_summary
    assert report.run.rows_inserted > 0
    return spent

"""A refresh of 40 subjects over four hosts with the real pauses, against the slowest host alone.

Ten packages or repositories each of pypistats (2.5 s between requests), npm (5 s), crates.io (1.1 s) and
GitHub (1 s), and what the sources ask besides to tell a zero from a gap. The replay server answers after
100 ms. A first run with a clock that does not wait fills the database as of yesterday; then the weekly
refresh runs by the machine's clock, once for all subjects and once for those of npm, the slowest host, into
copies of that database. Each runs once: nearly all of it is waiting, which does not scatter.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.results import Result
from community_metrics.clock import SystemClock
from community_metrics.model import RunStatus
from community_metrics.periods import ONE_DAY
from community_metrics.runs.execute import execute
from community_metrics.runs.registry import WeeklyRefresh
from tests.support.clock import FakeClock
from tests.support.registry import Registry
from tests.support.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from community_metrics.clock import Clock

SUBJECTS_OF_A_HOST = 10
LATENCY_S = 0.1
SLOWEST = "downloads:*:nodejs"


@dataclass(frozen=True, slots=True)
class Host:
    """How the catalogue writes the metrics of one host."""

    source: str
    metric_id: str
    subject: str
    others: str


HOSTS = (
    Host("pypistats", "downloads:p{0}:python", "package-{0}", 'sdk = "python"\nwindow = "1d"'),
    Host("npm", "downloads:p{0}:nodejs", "package-{0}", 'sdk = "nodejs"\nwindow = "1d"'),
    Host("crates", "downloads:p{0}:rust", "crate-{0}", 'sdk = "rust"\nwindow = "1d"'),
    Host("github", "stars:p{0}:github", "owner/repository-{0}", 'window = "instant"'),
)


def measure() -> Iterator[Result]:
    """Yield the wall time of all hosts side by side."""
    now = SystemClock().now()
    with TemporaryDirectory() as name, Replay(Registry(now.date()), latency_s=LATENCY_S) as replay:
        folder = Path(name)
        (folder / "catalog.toml").write_text(catalogue_file())
        _refresh(replay, folder, "filled", FakeClock(now - ONE_DAY))
        for copy in ("all", "slowest"):
            shutil.copytree(folder / "filled", folder / copy)
        ours = _refresh(replay, folder, "all", SystemClock())
        slowest = _refresh(replay, folder, "slowest", SystemClock(), only=SLOWEST)
        yield Result.against("40 subjects over four hosts, wall time", ours, slowest, "s", bound=1.15)


def _refresh(replay: Replay, folder: Path, database: str, clock: Clock, *, only: str = "*") -> float:
    """Return the seconds that a refresh takes."""
    settings = replay.settings(db_path=str(folder / database), catalog=folder / "catalog.toml")
    job = WeeklyRefresh(only=(only,))
    rng = random.Random(0)  # noqa: S311  run ids and jitter
    started = time.perf_counter()
    report = asyncio.run(execute(job, settings, clock=clock, rng=rng))
    assert report.run.status is RunStatus.SUCCESS, report.run.error_summary
    assert report.run.rows_inserted > 0
    return time.perf_counter() - started


def catalogue_file() -> str:
    """Return a catalogue of ten metrics of each host."""
    return "\n".join(
        [_product(number) for number in range(SUBJECTS_OF_A_HOST)]
        + [_metric(host, number) for host in HOSTS for number in range(SUBJECTS_OF_A_HOST)]
    )


def _product(number: int) -> str:
    return f'[[product]]\nid = "p{number}"\nname = "Product {number}"\n'


def _metric(host: Host, number: int) -> str:
    metric_id, subject = host.metric_id.format(number), host.subject.format(number)
    return (
        f'[[metric]]\nid = "{metric_id}"\nsource = "{host.source}"\nsubject = "{subject}"\n'
        f'{host.others}\ndisplay_name = "{subject} on {host.source}"\n'
    )

"""Jobs as tests run them: in this process with a stopped clock, or in one that is killed."""

from __future__ import annotations

import json
import os
import random
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from community_metrics.runs.execute import execute
from community_metrics.storage import LanceDBReader
from tests.support.clock import NOON, FakeClock
from tests.support.program import Forked

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from datetime import datetime

    from community_metrics.config import Settings
    from community_metrics.model import Run, RunOutcome, StatRow
    from community_metrics.runs.job import Job, RunReport
    from tests.support.replay import Replay

ROOT = Path(__file__).parents[2]
RNG = random.Random()  # noqa: S311  run ids and jitter


@dataclass
class Rig:
    """One database and the registries it is filled from."""

    replay: Replay
    folder: Path
    now: datetime = NOON
    settings_overrides: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return self.replay.settings(db_path=str(self.folder), **self.settings_overrides)

    async def run(self, job: Job, *, dry_run: bool = False, **options: Any) -> RunReport:
        """Run a job in this process; its clock begins at `now` and moves only when the job waits."""
        clock = FakeClock(self.now)
        return await execute(job, self.settings, dry_run=dry_run, clock=clock, rng=RNG, **options)

    def start(self, job: Job, *, kill_at: str = "") -> Forked:
        """Start a job in a process of its own; it kills itself with SIGKILL at the step `kill_at`."""
        plan = {
            "job_name": job.name,
            "options": vars(job),
            "now": self.now.isoformat(),
            "kill_at": kill_at,
            "db_path": str(self.folder),
            "origin": self.replay.origin,
            "settings": self.settings_overrides,
        }
        words = [json.dumps(plan, default=str)]
        return Forked("tests.support.job_process", words, ROOT, os.environ)

    async def stats(self) -> list[StatRow]:
        """Return every stored row of the catalogue's entries, by metric and day."""
        return await self._stats(of_registries=False)

    async def totals(self) -> list[StatRow]:
        """Return every stored row of the totals of registries, by metric and day."""
        return await self._stats(of_registries=True)

    async def _stats(self, *, of_registries: bool) -> list[StatRow]:
        async with LanceDBReader.open(self.settings) as reader:
            metrics = await reader.metrics()
            return await reader.stats([one.metric_id for one in metrics if one.is_registry is of_registries])

    async def runs(self) -> list[Run]:
        """Return the history, newest first."""
        async with LanceDBReader.open(self.settings) as reader:
            return await reader.runs(limit=100)

    async def outcomes(self) -> list[RunOutcome]:
        """Return how each metric ended in each run, by run and metric."""
        async with LanceDBReader.open(self.settings) as reader:
            runs = await reader.runs(limit=100)
            return await reader.outcomes([run.ingestion_run_id for run in runs])

    async def versions(self) -> dict[str, int]:
        """Return the versions of the two tables that a rerun must leave alone."""
        async with LanceDBReader.open(self.settings) as reader:
            versions = await reader.table_versions()
        return {name: versions[name] for name in ("stats", "metrics")}

    async def duplicate_keys(self) -> dict[str, list[str]]:
        async with LanceDBReader.open(self.settings) as reader:
            return await reader.find_duplicate_keys()


def without_run(rows: Sequence[StatRow]) -> list[dict[str, Any]]:
    """Return the rows without what differs between two runs of the same work: run id and instant."""
    hidden = {"ingestion_run_id", "observed_at"}
    return [{name: value for name, value in asdict(row).items() if name not in hidden} for row in rows]


def finished(process: Forked | subprocess.Popen[str], timeout_s: float = 60) -> tuple[int | None, str, str]:
    """Wait for a process; return its exit code and what it printed."""
    out, err = process.communicate(timeout=timeout_s)
    return process.returncode, out, err

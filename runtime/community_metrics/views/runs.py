"""Runs with their state, the last complete one, and the age of the data that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from community_metrics.model import RunStatus
from community_metrics.series.freshness import COLLECTING_JOBS, is_stale, last_success, run_health, run_view
from community_metrics.views.outcomes import run_views

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from community_metrics.model import Lease, Run
    from community_metrics.series.freshness import RunHealth, RunView
    from community_metrics.storage.reader import LanceDBReader

RUNS_READ = 200
"""Runs that the state of the collecting and the last errors are read from."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the data are at `now`: the last run that collected every metric without an error, if any."""

    now: datetime
    last_complete_run: Run | None

    @property
    def last_success_at(self) -> datetime | None:
        """When that run ended."""
        run = self.last_complete_run
        return None if run is None else run.finished_at or run.started_at

    @property
    def age(self) -> timedelta | None:
        """How long ago that was; never negative, though another host's clock may be ahead."""
        at = self.last_success_at
        return None if at is None else max(timedelta(0), self.now - at)

    @property
    def is_stale(self) -> bool:
        """Whether that was more than 8 days ago, or never."""
        return is_stale(self.last_success_at, self.now)


@dataclass(frozen=True, slots=True)
class History:
    """Runs, newest first; `next_before` starts the next page, None on the last."""

    runs: tuple[RunView, ...]
    next_before: datetime | None
    freshness: Freshness


async def last_complete_run(reader: LanceDBReader) -> Run | None:
    """Return the newest run that collected every metric without an error, however many runs came after it."""
    found = [
        await reader.runs(limit=1, status=RunStatus.SUCCESS, job_name=job, whole_only=True)
        for job in COLLECTING_JOBS
    ]
    return last_success(run for runs in found for run in runs)


def abandoned_runs(runs: Iterable[Run], lease: Lease | None, now: datetime) -> tuple[str, ...]:
    """Return the ids of the runs that are open and hold no live lease: what they merged is all they will."""
    views = (run_view(run, lease, now) for run in runs)
    return tuple(view.run.ingestion_run_id for view in views if view.state == "abandoned")


async def load_freshness(reader: LanceDBReader, now: datetime) -> Freshness:
    """Return how old the data are."""
    return Freshness(now, await last_complete_run(reader))


async def read_runs(reader: LanceDBReader) -> tuple[list[Run], Lease | None]:
    """Return the newest runs, and the lease as it was just before."""
    lease = await reader.lease()  # first: a run that ends in between is then read as closed
    return await reader.runs(limit=RUNS_READ), lease


async def load_history(
    reader: LanceDBReader,
    now: datetime,
    *,
    limit: int,
    state: str | None = None,
    job: str | None = None,
    before: datetime | None = None,
) -> History:
    """Return a page of runs.

    Filtered by an open state a page may have fewer than `limit` runs and still a next page: the lease decides
    which of the two open states a run has, not its row.
    """
    # whether an open run is abandoned is not stored: its lease decides
    stored = "running" if state == "abandoned" else state
    status = RunStatus(stored) if stored else None
    lease = await reader.lease()
    # one more than the page has: whether it exists decides whether there is a next page
    runs = await reader.runs(limit=limit + 1, status=status, job_name=job, before=before)
    views = await run_views(reader, runs[:limit], lease, now)
    return History(
        runs=tuple(view for view in views if state in {None, view.state}),
        next_before=runs[limit - 1].started_at if len(runs) > limit else None,
        freshness=await load_freshness(reader, now),
    )


async def load_run_health(reader: LanceDBReader, now: datetime) -> tuple[RunHealth, Freshness]:
    """Return how the newest collecting runs ended, and how old the data are."""
    runs, lease = await read_runs(reader)
    return run_health(runs, lease, now), await load_freshness(reader, now)

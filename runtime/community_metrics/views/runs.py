"""Runs with their state, the last complete one, and the age of the data that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from community_metrics.model import RunStatus
from community_metrics.periods import ONE_DAY, midnight, today
from community_metrics.series.freshness import (
    COLLECTING_JOBS,
    WHOLE_JOBS,
    last_success,
    run_view,
    source_freshness,
)
from community_metrics.storage.reader import NEWEST_RUNS
from community_metrics.views.outcomes import run_views
from community_metrics.views.rows import has_sample_data, newest_source_days

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.model import Lease, MetricDefinition, Run
    from community_metrics.readings import Readings
    from community_metrics.series.freshness import RunView, SourceFreshness
    from community_metrics.storage.reader import LanceDBReader

RUNS_READ = 200
"""Runs that the state of the collecting and the last errors are read from."""
_READ: Final = (RunStatus.SUCCESS, RunStatus.PARTIAL)
"""How a run ends that stored what it could read."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the data are at `now`.

    `newest_days` has the newest fetched day of each source that is collected, None for a source without one;
    `last_complete_run` is the last run that collected every metric without an error, if any.
    """

    now: datetime
    last_complete_run: Run | None
    newest_days: Mapping[str, date | None]
    is_sample: bool = False
    """Whether the stored numbers are invented: a demo's."""
    read_at: datetime | None = None
    """When the newest run that read something from the registries ended, even if not every metric."""

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
    def sources(self) -> tuple[SourceFreshness, ...]:
        """How fresh each source is, by name."""
        return tuple(source_freshness(name, day, self.now) for name, day in sorted(self.newest_days.items()))

    @property
    def stale(self) -> tuple[SourceFreshness, ...]:
        """The stale sources."""
        return tuple(source for source in self.sources if source.is_stale)

    @property
    def is_stale(self) -> bool:
        """Whether a source is stale, or nothing was ever fetched from any."""
        return bool(self.stale) or not self.has_fetched

    @property
    def has_fetched(self) -> bool:
        """Whether anything was ever fetched; else what is stored comes from files."""
        return any(self.newest_days.values())

    @property
    def never_fetched(self) -> tuple[str, ...]:
        """The sources of which nothing was ever fetched."""
        return tuple(source.source for source in self.sources if source.newest_day is None)


@dataclass(frozen=True, slots=True)
class History:
    """Runs, newest first; `next_before` starts the next page, None on the last."""

    runs: tuple[RunView, ...]
    next_before: datetime | None
    freshness: Freshness


async def last_runs(reader: LanceDBReader, now: datetime) -> tuple[Run | None, Run | None]:
    """Return the newest run that collected every metric without an error, and the newest that read any.

    However many runs came after them. A run that was taken back counts as none, here and below: its values
    are not stored any more.
    """
    undone, newest = await reader.undone_runs(), await reader.newest_runs()
    end = end_of_today(now)
    kept = [run for run in newest or () if run.started_at < end and run.ingestion_run_id not in undone]
    read = [run for run in kept if run.job_name in COLLECTING_JOBS and run.status in _READ]
    complete = last_success(read)
    if complete or (newest is not None and len(newest) < NEWEST_RUNS):
        return complete, next(iter(read), None)
    search = partial(reader.runs, limit=1, before=end, without=undone)
    older = await search(statuses=(RunStatus.SUCCESS,), jobs=WHOLE_JOBS, whole_only=True)
    read = read or await search(statuses=_READ, jobs=COLLECTING_JOBS)
    return last_success(older), next(iter(read), None)


async def ran_since(reader: LanceDBReader, job: str, since: datetime, now: datetime) -> bool:
    """Return whether a run of the job over all its metrics began at `since` or later, and did not fail."""
    undone = await reader.undone_runs()
    runs = await reader.runs(limit=RUNS_READ, jobs=(job,), before=end_of_today(now), without=undone)
    ended = {RunStatus.SUCCESS, RunStatus.PARTIAL}
    return any(run.started_at >= since and run.scope is None and run.status in ended for run in runs)


async def load_freshness(
    reader: LanceDBReader,
    now: datetime,
    metrics: Sequence[MetricDefinition] | None = None,
    every_row: Awaitable[Readings] | None = None,
) -> Freshness:
    """Return how old the data are.

    `metrics` are the stored ones, if they were read already; `every_row`, the rows of some of them up to
    today, if they are being read anyway.
    """
    metrics = await reader.metrics() if metrics is None else metrics
    day = today(now)
    complete, read = await reader.once(("last runs", day), lambda: last_runs(reader, now))
    is_sample = await has_sample_data(reader)
    rows = None if every_row is None else await every_row
    newest_days = await newest_source_days(reader, metrics, day, rows)
    read_at = None if read is None else read.finished_at
    return Freshness(now, complete, newest_days, is_sample=is_sample, read_at=read_at)


def abandoned_runs(runs: Iterable[Run], lease: Lease | None, now: datetime) -> tuple[str, ...]:
    """Return the ids of the runs that are open and hold no live lease: what they merged is all they will."""
    views = (run_view(run, lease, now) for run in runs)
    return tuple(view.run.ingestion_run_id for view in views if view.state == "abandoned")


def end_of_today(now: datetime) -> datetime:
    """Return the next midnight in UTC: a run that started later was recorded by a clock that was ahead.

    Views ignore such a run, as they ignore rows of days after today.
    """
    return midnight(today(now) + ONE_DAY)


async def read_runs(reader: LanceDBReader, now: datetime) -> tuple[list[Run], Lease | None]:
    """Return the newest runs, and the lease as it was just before."""
    lease = await reader.lease()  # first: a run that ends in between is then read as closed
    return await reader.runs(limit=RUNS_READ, before=end_of_today(now)), lease


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
    before = min(before or end_of_today(now), end_of_today(now))
    runs = await reader.runs(
        limit=limit + 1,
        statuses=(status,) if status else (),
        jobs=(job,) if job else (),
        before=before,
        with_loaded=True,
    )
    views = await run_views(reader, runs[:limit], lease, now)
    return History(
        runs=tuple(view for view in views if state in {None, view.state}),
        next_before=runs[limit - 1].started_at if len(runs) > limit else None,
        freshness=await load_freshness(reader, now),
    )

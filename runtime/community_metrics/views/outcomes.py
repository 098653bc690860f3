"""How metrics ended in runs: the last error of each metric, and the causes of each run's failures."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from community_metrics.model import RunStatus
from community_metrics.series.failures import grouped_failures
from community_metrics.series.freshness import COLLECTING_JOBS, RunView, reached_every_metric, run_view

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from community_metrics.model import Lease, Run, RunOutcome
    from community_metrics.series.failures import Failure
    from community_metrics.storage.reader import LanceDBReader

_REACHED_ALL = {RunStatus.SUCCESS, RunStatus.PARTIAL}
_RUNS_AT_ONCE = 20


async def newest_errors(
    reader: LanceDBReader, runs: Sequence[Run], metric_ids: Iterable[str]
) -> dict[str, RunOutcome]:
    """Return the newest outcome of each metric where it is an error; `runs` come newest first.

    Reads back to the last run that reached every metric. A run that was narrowed, interrupted or killed has
    outcomes only of some metrics; for the others the runs before it count.
    """
    recent = [run.ingestion_run_id for run in _back_to_whole(runs)]
    newest: dict[str, RunOutcome] = {}
    for outcome in sorted(await reader.outcomes(recent), key=lambda outcome: recent.index(outcome.run_id)):
        newest.setdefault(outcome.metric_id, outcome)
    return {name: newest[name] for name in metric_ids if name in newest and newest[name].message}


async def run_views(
    reader: LanceDBReader, runs: Sequence[Run], lease: Lease | None, now: datetime
) -> list[RunView]:
    """Return the runs with their states and the causes of their failures; `lease` was read before them."""
    failed = [run.ingestion_run_id for run in runs if run.status is not RunStatus.SUCCESS]
    failures: dict[str, tuple[Failure, ...]] = {}
    for start in range(0, len(failed), _RUNS_AT_ONCE):
        outcomes = await reader.outcomes(failed[start : start + _RUNS_AT_ONCE], failed_only=True)
        by_run = groupby(outcomes, key=lambda outcome: outcome.run_id)
        failures |= {run_id: tuple(grouped_failures(some)) for run_id, some in by_run}
    return [
        replace(run_view(run, lease, now), failures=failures.get(run.ingestion_run_id, ())) for run in runs
    ]


def _back_to_whole(runs: Sequence[Run]) -> Iterator[Run]:
    for run in runs:
        if run.job_name in COLLECTING_JOBS:
            yield run
            if reached_every_metric(run) and run.status in _REACHED_ALL:
                return

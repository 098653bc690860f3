"""What each metric loses next: its stored days and the runs that read it, against what its source keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from community_metrics.catalog.entries import Cadence
from community_metrics.periods import today
from community_metrics.series.freshness import COLLECTING_JOBS
from community_metrics.series.loss import (
    SHORT_RETENTION_DAYS,
    first_relevant_day,
    loss_of,
    may_be_answered,
    oldest_missed,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition, Run
    from community_metrics.series.loss import Loss, ReadDays
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.recent import RecentDays

MOST_DAYS_KEPT: Final = 200
"""Of a source that keeps more days, no lost day is searched for: it would be a read of years."""


def with_retention(
    metrics: Iterable[MetricDefinition], catalog: Catalog
) -> list[tuple[MetricDefinition, int]]:
    """Return the metrics whose source does not keep everything, with the days that it keeps.

    Metrics that the catalogue does not collect are left out: no run could read them. So are readings that it
    collects weekly though they have no past: what lies between two of them is lost by choice.
    """
    collected, kept = {metric.metric_id: metric for metric in catalog.active}, catalog.retention_days
    return [
        (metric, kept[metric.source])
        for metric in metrics
        if metric.metric_id in collected
        and metric.source in kept
        and not (
            collected[metric.metric_id].cadence is Cadence.WEEKLY
            and kept[metric.source] <= SHORT_RETENTION_DAYS
        )
    ]


def first_day_needed(retention_days: Iterable[int], now: datetime) -> date:
    """Return the first day whose rows are needed to say what is lost of sources that keep so many days."""
    days = (first_relevant_day(kept, now) for kept in set(retention_days) if kept <= MOST_DAYS_KEPT)
    return min(days, default=today(now))


async def load_losses(
    reader: LanceDBReader,
    metrics: Sequence[tuple[MetricDefinition, int]],
    recent: RecentDays,
    runs: Sequence[Run],
    now: datetime,
) -> tuple[Loss, ...]:
    """Return what each of the metrics of `with_retention` loses next, the first loss first.

    A metric without rows is left out if it is not known on which days its values end.
    """
    read = await _with_answers(reader, [recent.read_days(*one) for one in metrics], recent, runs, now)
    found = [loss_of(metric, now) for metric in read]
    return tuple(sorted((loss for loss in found if loss is not None), key=attrgetter("vanishes_at")))


async def _with_answers(
    reader: LanceDBReader,
    metrics: Sequence[ReadDays],
    recent: RecentDays,
    runs: Sequence[Run],
    now: datetime,
) -> list[ReadDays]:
    """Return the metrics with the days of their answers, where these decide whether a missed day is lost.

    Rows show most of them. A registry that has no value for a day returns none, and then only a successful
    run shows that it was asked.
    """
    missed = ((metric.metric_id, oldest_missed(metric, now)) for metric in metrics)
    doubtful = {name: day for name, day in missed if day is not None and may_be_answered(day, now)}
    answers = {name: set(recent.read_on(name)) for name in doubtful}
    days = {
        run.ingestion_run_id: today(run.started_at)
        for run in runs
        if run.job_name in COLLECTING_JOBS
        and today(run.started_at) > min(doubtful.values(), default=date.max)
    }
    for metric_id, run_id in await reader.successes(list(days), list(doubtful)):
        answers[metric_id].add(days[run_id])
    return [replace(metric, answered_on=frozenset(answers.get(metric.metric_id, ()))) for metric in metrics]

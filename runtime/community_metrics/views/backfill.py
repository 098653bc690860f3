"""Which metrics could be filled back to before the first run, and how far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.model import BACKFILL_JOB, RunStatus
from community_metrics.sources import available_sources
from community_metrics.sources.backfill import BACKFILLS, backfill_of, window_to_fill

if TYPE_CHECKING:
    from datetime import date, datetime

    from community_metrics.catalog import Catalog, Metric
    from community_metrics.storage.reader import LanceDBReader


@dataclass(frozen=True, slots=True)
class FillBack:
    """One metric: the place that has its older days, and the first of them that it may have.

    `days` are how many it lacks from there on, before those that its own source returns. `first_stored` is
    the oldest stored day, None without any. `is_done`: a backfill has asked for all of them.
    """

    metric_id: str
    place: str
    since: date
    days: int
    first_stored: date | None
    is_done: bool


async def load_fill_back(reader: LanceDBReader, catalog: Catalog, now: datetime) -> list[FillBack]:
    """Return the active metrics that something fills back, the totals of registries among them."""
    metrics = [
        metric
        for metric in (*catalog.active, *catalog.registries)
        if backfill_of(metric.source, metric.subject)
    ]
    ids = [metric.metric_id for metric in metrics]
    readings = await reader.readings(ids)
    undone = await reader.undone_runs()
    runs = await reader.runs(limit=100, jobs=(BACKFILL_JOB,), without=undone)
    begins = {
        run.ingestion_run_id: run.window_start
        for run in runs
        if run.window_start and run.status in {RunStatus.SUCCESS, RunStatus.PARTIAL}
    }
    asked: dict[str, date] = {}
    for metric_id, run_id in await reader.successes(list(begins), ids):
        begin = begins[run_id]
        if begin is not None:
            asked[metric_id] = min(begin, asked.get(metric_id, begin))
    days = {name: frozenset(readings.days(name, fetched_only=True)) for name in ids}
    return [
        _fill_back(metric, days[metric.metric_id], asked.get(metric.metric_id), now) for metric in metrics
    ]


def _fill_back(metric: Metric, stored: frozenset[date], asked: date | None, now: datetime) -> FillBack:
    backfill = BACKFILLS[metric.source]
    first, last = window_to_fill(backfill, available_sources()[metric.source], now)
    lacking = (last - first).days + 1 - sum(first <= day <= last for day in stored)
    is_done = asked is not None and asked <= first
    return FillBack(metric.metric_id, backfill.name, first, lacking, min(stored, default=None), is_done)

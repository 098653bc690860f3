"""What a refresh reads: the metrics and places of events that are left, and why a run is skipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.errors import ConfigurationError, StorageNotBootstrapped
from community_metrics.model import SEED_SOURCE
from community_metrics.periods import today
from community_metrics.runs.definitions import differs, redefined
from community_metrics.runs.events import wanted_readings
from community_metrics.runs.turns import read_on, to_continue
from community_metrics.sources import available_sources
from community_metrics.sources.base import is_read_once_a_day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog, Metric
    from community_metrics.catalog.readings import EventReading
    from community_metrics.model import LastRead, MetricDefinition
    from community_metrics.runs.job import RunContext
    from community_metrics.runs.registry import Refresh

_MOST_CONTINUED = 100


def fetched_metrics(only: Sequence[str], catalog: Catalog) -> list[Metric]:
    """Return the chosen metrics that come from a registry, and the totals that are read with them.

    Raises:
        ConfigurationError: there is none.
    """
    chosen = [metric for metric in catalog.select(only) if metric.source != SEED_SOURCE]
    if not chosen:
        raise ConfigurationError(
            "None of the chosen metrics comes from a registry. `community-metrics seed` loads metrics of the "
            f"source {SEED_SOURCE!r}; `community-metrics catalog add` adds others to {catalog.path}."
        )
    return chosen + [total for total in _sentinels(chosen, catalog) if total not in chosen]


def _sentinels(chosen: Sequence[Metric], catalog: Catalog) -> list[Metric]:
    """Return the totals of registries that the chosen metrics' own sources read anyway, as sentinels."""
    read = {(catalog.registry_ids.get(metric.metric_id), metric.source) for metric in chosen}
    return [total for total in catalog.registries if (total.metric_id, total.source) in read]


@dataclass(frozen=True, slots=True)
class ToRead:
    """What a run reads; `waiting` further metrics are left for a later run. `turns` are the stored ones.

    `changed` are the stored definitions of the metrics that the catalogue defines otherwise by now.
    `read_twice` counts the metrics that were read today already, from a registry that asks to be read once a
    day.
    """

    metrics: list[Metric]
    readings: list[EventReading]
    waiting: int
    turns: dict[str, LastRead]
    changed: Mapping[str, MetricDefinition]
    read_twice: int


async def to_read(job: Refresh, chosen: Sequence[Metric], context: RunContext) -> ToRead:
    """Return what a run that begins now reads."""
    now = context.clock.now()
    turns = {read.metric_id: read for read in await context.store.last_reads()}
    changed = await redefined(context.store, chosen)
    once = _read_once_today(chosen, turns, now) - changed.keys()
    read_before = await _continued(context, chosen) | (frozenset() if job.is_by_hand else once)
    spared = job.spared(turns, now)
    left = job.wanted(chosen, turns, read_before, now)
    metrics = [metric for metric in left if metric.metric_id not in spared]
    readings = wanted_readings(context, turns, read_before, spared)
    read_twice = sum(metric.metric_id in once for metric in metrics)
    return ToRead(metrics, readings, len(left) - len(metrics), turns, changed, read_twice)


async def reason_to_skip(job: Refresh, context: RunContext) -> str | None:
    """Return why a run would ask no registry for anything and write nothing; None if it would.

    Raises:
        ConfigurationError: none of the chosen metrics comes from a registry.
    """
    chosen = fetched_metrics(job.only, context.catalog)
    found = await to_read(job, chosen, context)
    if found.metrics or found.readings:
        return None
    if await differs(context.store, context.catalog, whole=not context.job.only):
        return None  # the run writes the catalogue's definitions, of which the visibility must not wait
    return " ".join(job.notes(chosen, found.metrics, found.waiting))


async def _continued(context: RunContext, chosen: Sequence[Metric]) -> frozenset[str]:
    """Return the metrics and places of events that the runs which this one continues have read."""
    run = context.batches.run
    try:
        earlier = await context.store.runs(limit=_MOST_CONTINUED, jobs=(run.job_name,), before=run.started_at)
    except StorageNotBootstrapped:  # a dry run creates no table
        return frozenset()
    # what an undone run read is not stored any more, also where its undo was killed half way
    undone = await context.store.undone_runs()
    continued = {
        one.ingestion_run_id: one.started_at
        for one in to_continue(earlier, run)
        if one.ingestion_run_id not in undone
    }
    names = [metric.metric_id for metric in chosen] + [one.id for one in context.catalog.readings]
    found = await context.store.successes(list(continued), names)
    taken_back = await _taken_back(context, undone, min(continued.values(), default=run.started_at))
    return frozenset(
        metric_id
        for metric_id, run_id in found
        if metric_id not in taken_back or taken_back[metric_id] < continued[run_id]
    )


async def _taken_back(
    context: RunContext, undone: Mapping[str, datetime], since: datetime
) -> dict[str, datetime]:
    """Return when values of each metric were taken back last, at `since` or later.

    A run before that had maybe found these values unchanged, and stored none of its own.
    """
    late = {name: at for name, at in undone.items() if at >= since}
    taken: dict[str, datetime] = {}
    for one in await context.store.outcomes(list(late)):
        if one.observations:
            taken[one.metric_id] = max(late[one.run_id], taken.get(one.metric_id, since))
    return taken


def _read_once_today(
    chosen: Sequence[Metric], turns: Mapping[str, LastRead], now: datetime
) -> frozenset[str]:
    """Return the metrics that any job read today (UTC) from a registry that asks to be read once a day."""
    sources = available_sources()
    once = (metric.metric_id for metric in chosen if is_read_once_a_day(sources[metric.source]))
    return read_on(today(now), turns.values()) & frozenset(once)

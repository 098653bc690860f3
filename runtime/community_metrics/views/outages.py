"""The outage ledger: what the stored totals of registries show of days that they did not count well."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from community_metrics.model import DistinctRows, OutageKind, ValueMark
from community_metrics.periods import today
from community_metrics.series.outages import outages_of
from community_metrics.views.runs import load_freshness
from community_metrics.views.selection import StoredMetrics, declared_breaks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition, StatRow
    from community_metrics.readings import Readings
    from community_metrics.series.outages import Outage
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.runs import Freshness


_MOST_RUNS: Final = 1_000
"""Runs that are searched for the first reading of a day: two years of daily and weekly ones."""


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry that the catalogue uses: the stored days of its total, and its outages by day."""

    metric: MetricDefinition
    rows: tuple[StatRow, ...]
    outages: tuple[Outage, ...]

    @property
    def values(self) -> dict[date, int]:
        """The total of each stored day."""
        return {row.period_end: row.value for row in self.rows}

    def days(self, *kinds: OutageKind) -> frozenset[date]:
        """Return the days with an outage of one of these kinds."""
        return frozenset(one.day for one in self.outages if one.kind in kinds)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The registries, and their outages, last seen first."""

    registries: tuple[MetricDefinition, ...]
    outages: tuple[Outage, ...]
    freshness: Freshness


async def load_outages(reader: LanceDBReader, catalog: Catalog, now: datetime) -> Ledger:
    """Return every outage that the stored totals of the registries of the catalogue show."""
    stored = StoredMetrics(await reader.metrics(), catalog)
    answered = await _answered_at(reader, [metric.metric_id for metric in stored.registries])
    registries = await read_registries(
        reader, stored, stored.registries, until=today(now), answered_at=answered
    )
    found = [one for registry in registries.values() for one in registry.outages]
    found.sort(key=attrgetter("seen_at", "day", "outage_id"), reverse=True)
    return Ledger(stored.registries, tuple(found), await load_freshness(reader, now, stored.definitions))


async def read_registries(
    reader: LanceDBReader,
    stored: StoredMetrics,
    metrics: Sequence[MetricDefinition],
    *,
    since: date | None = None,
    until: date,
    answered_at: Mapping[str, Sequence[datetime]] | None = None,
) -> dict[str, Registry]:
    """Return the totals of registries in a range of days, with the outages that these days show, by id.

    Without `answered_at`, the runs that read each of them, an outage may have been seen before its `seen_at`.
    """
    ids = [metric.metric_id for metric in metrics]
    rows: dict[str, list[StatRow]] = defaultdict(list)
    for row in DistinctRows.of(await reader.stats(ids, since=since, until=until)).rows:
        rows[row.metric_id].append(row)
    kept, answered = stored.catalog.retention_days, answered_at or {}

    def registry(metric: MetricDefinition) -> Registry:
        own = rows[metric.metric_id]
        read_at = answered.get(metric.metric_id, ())
        breaks = declared_breaks(metric)
        found = outages_of(metric, own, kept.get(metric.source), read_at, breaks=breaks)
        return Registry(metric, tuple(own), found)

    return {metric.metric_id: registry(metric) for metric in metrics}


def low_days(
    readings: Readings,
    metrics: Sequence[MetricDefinition],
    registries: Mapping[str, Registry],
    *,
    since: date,
    until: date,
) -> frozenset[tuple[str, date]]:
    """Return the days of the metrics, all of which were read, that their registry counted low for everybody.

    The total of a registry, by source, says which they are. Where it is not stored up to `until`, as that of
    crates.io, which comes 90 days late, the mark says so that a value got when it was read, from another
    package.
    """
    low = {source: own.days(OutageKind.LOW) for source, own in registries.items()}
    known = {source for source, own in registries.items() if own.values and max(own.values) >= until}
    late = {metric.metric_id for metric in metrics if metric.source not in known}
    marked = readings.marked(ValueMark.LOW_FOR_EVERYBODY, since=since, until=until)
    of_total = ((metric.metric_id, day) for metric in metrics for day in low.get(metric.source, ()))
    return frozenset(
        [
            *((name, day) for name, day in marked if name in late),
            *((name, day) for name, day in of_total if since <= day <= until),
        ]
    )


async def _answered_at(reader: LanceDBReader, metric_ids: Sequence[str]) -> dict[str, list[datetime]]:
    """Return when the runs began that read each metric without an error."""
    starts = {run.ingestion_run_id: run.started_at for run in await reader.runs(limit=_MOST_RUNS)}
    found: dict[str, list[datetime]] = defaultdict(list)
    for metric_id, run_id in await reader.successes(list(starts), metric_ids):
        found[metric_id].append(starts[run_id])
    return found

"""What changed in a period: the rules of `series.insights` over what is stored.

Reading and computing are two steps, so that the API can compute in a thread.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.errors import PeriodNotOver
from community_metrics.model import EventKind
from community_metrics.periods import ONE_DAY, Grain, last_completed, midnight, period_of, today
from community_metrics.series.freshness import COLLECTING_JOBS
from community_metrics.series.insights import (
    LEAD_DAYS,
    RELEASE_DAYS,
    Material,
    Release,
    doubtful,
    foremost,
    insights_of,
)
from community_metrics.series.outages import UNCOUNTED
from community_metrics.series.points import points_of_period
from community_metrics.views.disputes import load_disputes
from community_metrics.views.outages import low_days, read_registries
from community_metrics.views.product_table import totals_of
from community_metrics.views.runs import end_of_today, load_freshness
from community_metrics.views.selection import StoredMetrics, declared_breaks, registry_hosts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition, StatRow
    from community_metrics.periods import Period
    from community_metrics.readings import Readings
    from community_metrics.series.grid import Point
    from community_metrics.series.insights import Insight
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.outages import Registry
    from community_metrics.views.runs import Freshness

_USUAL_AFTER: Final = timedelta(weeks=4)
"""How far after a day the days are from which its usual value follows."""
_MOST_RUNS: Final = 1_000
"""Runs that are searched for readings which returned nothing new: more than half a year of them."""
MOST_RESTATED: Final = 5_000
"""Restated values that are read, last changed first; the insights say where there are more."""


@dataclass(frozen=True, slots=True)
class Insights:
    """The insights of one period, in their order."""

    period: Period
    insights: tuple[Insight, ...]
    freshness: Freshness

    @property
    def foremost(self) -> tuple[int, ...]:
        """Positions of the insights that are shown first where there is room for few."""
        return foremost(self.insights)


@dataclass(frozen=True, slots=True)
class InsightRows:
    """What was read for the insights of a period."""

    stored: StoredMetrics
    material: Material
    freshness: Freshness

    def build(self) -> Insights:
        """Compute the insights."""
        return Insights(self.material.period, insights_of(self.material), self.freshness)

    def points(self) -> dict[str, Point]:
        """Return the point of each metric in the period; none of uniques by day."""
        own = self.material
        return points_of_period(own.metrics, own.readings, own.period, self.freshness.now)


async def read_insights(
    reader: LanceDBReader,
    catalog: Catalog,
    now: datetime,
    *,
    period: Period | None = None,
    products: Sequence[str] | None = None,
) -> InsightRows:
    """Read what the insights of a period need, by default of the last completed week.

    Every stored day of the metrics is read: a sum passes a round number on one of them, and only there.

    Raises:
        UnknownName: a product is not stored.
        PeriodNotOver: the period is not over.
    """
    period = period or last_completed(now, Grain.WEEK)
    if not period.is_over(now):
        raise PeriodNotOver(period.grain.value, period.label, last_completed(now, period.grain).label)
    return await read_material(reader, catalog, now, period, products)


async def read_material(
    reader: LanceDBReader, catalog: Catalog, now: datetime, period: Period, products: Sequence[str] | None
) -> InsightRows:
    """Read the same of a period that may still go on, of which nothing is complete then.

    Raises:
        UnknownName: a product is not stored.
    """
    stored = StoredMetrics(await reader.metrics(), catalog)
    chosen = stored.chosen(products)
    ids = [metric.metric_id for metric in chosen]
    reading = asyncio.ensure_future(
        reader.readings(ids, until=today(now), most_of_table=stored.are_most(ids))
    )
    readings, freshness, registries, releases, disputes = await asyncio.gather(
        reading,
        load_freshness(reader, now, stored.definitions, every_row=reading),
        _registries(reader, stored, chosen, period, now),
        _releases(reader, period),
        load_disputes(reader, ids, since=period.start, until=period.end),
    )
    restated = await _restated(reader, ids if products else None, readings, period)
    material = Material(
        period=period,
        now=now,
        metrics=chosen,
        readings=readings,
        totals=totals_of(stored, chosen, readings, period, freshness),
        breaks={metric.metric_id: declared_breaks(metric) for metric in chosen},
        registry_breaks={source: declared_breaks(own.metric) for source, own in registries.items()},
        hosts=registry_hosts(),
        registries={source: own.values for source, own in registries.items()},
        uncounted={source: own.days(*UNCOUNTED) for source, own in registries.items()},
        low=low_days(readings, chosen, registries, since=period.start, until=period.end),
        releases=releases,
        restated=tuple(row for row in restated[:MOST_RESTATED] if row.period_end <= period.end),
        has_more_restated=len(restated) > MOST_RESTATED,
        disputes=disputes,
        retention_days=catalog.retention_days,
    )
    answered = await _answered(reader, doubtful(material), now)
    return InsightRows(stored, material.with_answers(answered), freshness)


async def _restated(
    reader: LanceDBReader, metric_ids: Sequence[str] | None, readings: Readings, period: Period
) -> list[StatRow]:
    """Return what was restated since the period began; most weeks no row was, and nothing is searched."""
    if not readings.has_revisions:
        return []
    since = midnight(period.start)
    return await reader.restatements(metric_ids=metric_ids, since=since, limit=MOST_RESTATED + 1)


async def _answered(
    reader: LanceDBReader, since: Mapping[str, date], now: datetime
) -> dict[str, frozenset[date]]:
    """Return the UTC days on which a run read each of the metrics without an error, from its day on."""
    if not since:
        return {}
    runs = await reader.runs(limit=_MOST_RUNS, jobs=COLLECTING_JOBS, before=end_of_today(now))
    days = {run.ingestion_run_id: today(run.started_at) for run in runs}
    first = min(since.values())
    asked = [run_id for run_id, day in days.items() if day > first]
    found: dict[str, set[date]] = defaultdict(set)
    for metric_id, run_id in await reader.successes(asked, list(since)):
        found[metric_id].add(days[run_id])
    return {name: frozenset(own) for name, own in found.items()}


async def _releases(reader: LanceDBReader, period: Period) -> tuple[Release, ...]:
    """Return the releases that may explain a day of the period, or of the week in which it begins.

    A preview explains nothing: with one on most days every peak would be near to one.
    """
    first = period_of(period.start, Grain.WEEK).start - timedelta(days=RELEASE_DAYS)
    found = await reader.events(kind=EventKind.RELEASE, since=first, until=period.end)
    return tuple(
        Release(event.product, event.happened_at, event.title)
        for event in found
        if event.product is not None and event.happened_at is not None
    )


async def _registries(
    reader: LanceDBReader,
    stored: StoredMetrics,
    chosen: Sequence[MetricDefinition],
    period: Period,
    now: datetime,
) -> dict[str, Registry]:
    """Return the registry of each source of the chosen metrics, with the days that a judgement needs."""
    totals = {metric.source: total for metric in chosen if (total := stored.registry_of(metric))}
    since = period_of(period.start, Grain.WEEK).start - LEAD_DAYS * ONE_DAY
    until = min(period.end + _USUAL_AFTER, today(now))
    read = await read_registries(reader, stored, tuple(totals.values()), since=since, until=until)
    return {source: read[total.metric_id] for source, total in totals.items()}

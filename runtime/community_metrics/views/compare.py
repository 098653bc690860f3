"""Which of some metrics may share a chart, from what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from community_metrics.errors import InvalidRange
from community_metrics.periods import Grain, last_completed, last_completed_day, last_periods, today
from community_metrics.readings import day_of_number
from community_metrics.series.additive import is_by_day_only
from community_metrics.series.alike import RULE, Alike, Candidate, alike
from community_metrics.series.change import latest_complete
from community_metrics.series.points import points
from community_metrics.views.rows import with_fallbacks
from community_metrics.views.runs import load_freshness
from community_metrics.views.selection import StoredMetrics, declared_breaks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition
    from community_metrics.readings import Readings
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.runs import Freshness

_SIZE_WEEKS: Final = 64
"""Weeks in which the newest complete one is searched, as on a dashboard."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Which metrics share a chart of the days from `first` to `last`; `watched` are those of others."""

    first: date
    last: date
    alike: Alike
    watched: frozenset[str]
    freshness: Freshness

    rule: ClassVar[str] = RULE.rule_id


async def load_compared(
    reader: LanceDBReader,
    catalog: Catalog,
    now: datetime,
    *,
    metric_ids: Sequence[str],
    first: date | None,
    last: date | None,
) -> Compared:
    """Return which of some metrics may share a chart; without `first`, of all days that are stored.

    Raises:
        UnknownName: one of the metrics is not stored.
        InvalidRange: `first` is after `last`.
    """
    stored = StoredMetrics(await reader.metrics(), catalog)
    metrics = [stored.metric(metric_id) for metric_id in dict.fromkeys(metric_ids)]
    until = min(last or last_completed_day(now), today(now))
    if first is not None and first > until:
        raise InvalidRange(first, until)
    ids = with_fallbacks(metrics)
    readings = await reader.readings(ids, until=today(now), most_of_table=stored.are_most(ids))
    starts = {metric.metric_id: _first_day(readings, metric.metric_id) for metric in metrics}
    since = first or min((day for day in starts.values() if day), default=until)
    candidates = _candidates(metrics, catalog, readings, starts, now)
    return Compared(
        first=since,
        last=until,
        alike=alike(candidates, since, until),
        watched=catalog.watched,
        freshness=await load_freshness(reader, now, stored.definitions),
    )


def _candidates(
    metrics: Sequence[MetricDefinition],
    catalog: Catalog,
    readings: Readings,
    starts: dict[str, date | None],
    now: datetime,
) -> list[Candidate]:
    weeks = last_periods(last_completed(now, Grain.WEEK), _SIZE_WEEKS)
    grid = points(metrics, readings, weeks, now)
    ways = {metric.metric_id: _way(catalog, metric.metric_id) for metric in metrics}
    found = []
    for row, metric in enumerate(metrics):
        values = [] if is_by_day_only(metric) else grid.series(row).complete_values()
        at = latest_complete(values)
        found.append(
            Candidate(
                metric=metric,
                way=ways[metric.metric_id],
                breaks=declared_breaks(metric),
                first_day=starts[metric.metric_id],
                size=None if at is None else values[at],
            )
        )
    return found


def _way(catalog: Catalog, metric_id: str) -> str:
    """Return the options that decide how a source counts, those that change the total of its registry."""
    if metric_id not in catalog.registry_ids:
        return ""
    options = next((one.options for one in catalog.metrics if one.metric_id == metric_id), {})
    return ", ".join(
        f"{name} = {str(value).lower()}" for name, value in sorted(options.items()) if value is not False
    )


def _first_day(readings: Readings, metric_id: str) -> date | None:
    rows = readings.of_metric(metric_id)
    counted = rows["first_day"][rows["value"] > 0]
    return day_of_number(int(counted.min())) if len(counted) else None

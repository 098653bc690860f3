"""Which of some metrics may share a chart, from what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from community_metrics.errors import InvalidRange
from community_metrics.periods import Grain, last_completed, last_completed_day, last_periods, today
from community_metrics.readings import day_of_number
from community_metrics.series.additive import is_by_day_only
from community_metrics.series.alike import FAR_APART, RULE, SENTENCES, Alike, Candidate, Part, alike, parts
from community_metrics.series.change import latest_complete
from community_metrics.series.points import points
from community_metrics.views.rows import with_fallbacks
from community_metrics.views.runs import load_freshness
from community_metrics.views.selection import StoredMetrics, declared_breaks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class Comparable:
    """What decides on each stored metric which others may share its chart; `last` is the last day of one."""

    last: date
    parts: tuple[Part, ...]
    watched: frozenset[str]
    freshness: Freshness

    rule: ClassVar[str] = RULE.rule_id
    far_apart: ClassVar[int] = FAR_APART
    sentences: ClassVar[Mapping[str, str]] = SENTENCES


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
    candidates = await _read_candidates(reader, stored, metrics, now)
    since = first or min((one.first_day for one in candidates if one.first_day), default=until)
    return Compared(
        first=since,
        last=until,
        alike=alike(candidates, since, until),
        watched=catalog.watched,
        freshness=await load_freshness(reader, now, stored.definitions),
    )


async def load_comparable(reader: LanceDBReader, catalog: Catalog, now: datetime) -> Comparable:
    """Return what decides on each metric that is still collected which others may share its chart."""
    stored = StoredMetrics(await reader.metrics(), catalog)
    metrics = sorted((one for one in stored.definitions if one.is_active), key=lambda one: one.metric_id)
    return Comparable(
        last=last_completed_day(now),
        parts=parts(await _read_candidates(reader, stored, metrics, now)),
        watched=catalog.watched,
        freshness=await load_freshness(reader, now, stored.definitions),
    )


async def _read_candidates(
    reader: LanceDBReader, stored: StoredMetrics, metrics: Sequence[MetricDefinition], now: datetime
) -> list[Candidate]:
    ids = with_fallbacks(metrics)
    readings = await reader.readings(ids, until=today(now), most_of_table=stored.are_most(ids))
    weeks = last_periods(last_completed(now, Grain.WEEK), _SIZE_WEEKS)
    grid = points(metrics, readings, weeks, now)
    found = []
    for row, metric in enumerate(metrics):
        values = [] if is_by_day_only(metric) else grid.series(row).complete_values()
        at = latest_complete(values)
        found.append(
            Candidate(
                metric=metric,
                way=stored.way_of(metric),
                breaks=declared_breaks(metric),
                first_day=_first_day(readings, metric.metric_id),
                size=None if at is None else values[at],
            )
        )
    return found


def _first_day(readings: Readings, metric_id: str) -> date | None:
    rows = readings.of_metric(metric_id)
    counted = rows["first_day"][rows["value"] > 0]
    return day_of_number(int(counted.min())) if len(counted) else None

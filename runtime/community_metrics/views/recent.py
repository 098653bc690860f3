"""The stored days of metrics since some day, and the newest one before it where there is none after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.periods import ONE_DAY, today
from community_metrics.series.freshness import StoredDays
from community_metrics.series.loss import ReadDays
from community_metrics.views.rows import newest_readings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from community_metrics.model import MetricDefinition
    from community_metrics.readings import Readings
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.selection import StoredMetrics


@dataclass(frozen=True)
class RecentDays:
    """Every row of some metrics from `since` on (`lately`), and the newest before it of some (`older`).

    `older` has those of the metrics whose first row of `lately` is not of `since`; `days` has the days of
    `lately` by metric.
    """

    since: date
    lately: Readings
    older: Readings
    days: Mapping[str, list[date]]

    def stored_days(self, metric: MetricDefinition) -> StoredDays:
        """Return the stored days of a metric: the recent ones, else the newest."""
        metric_id = metric.metric_id
        days, older = self.days[metric_id], self.older.days(metric_id)
        return StoredDays(
            metric_id=metric_id,
            source=metric.source,
            window=metric.source_window,
            first_day=self.since if older else min(days, default=None),
            days=frozenset(days or older),
            observed_at=self.lately.observed_at(metric_id) or self.older.observed_at(metric_id),
            visibility=metric.visibility,
        )

    def read_days(self, metric: MetricDefinition, retention_days: int) -> ReadDays:
        """Return which days of a metric are stored, without the days of its answers."""
        days, older = self.days[metric.metric_id], self.older.days(metric.metric_id)
        return ReadDays(
            metric_id=metric.metric_id,
            kind=metric.value_kind,
            window=metric.source_window,
            retention_days=retention_days,
            known_from=self.since if days and older else min(days or older, default=None),
            stored=tuple(days or older),
            last_read_on=self.lately.last_read_on(metric.metric_id)
            or self.older.last_read_on(metric.metric_id),
            defined_on=today(metric.created_at),
        )

    def read_on(self, metric_id: str) -> list[date]:
        """Return the UTC days on which the rows of a metric were read."""
        return self.lately.read_on(metric_id) + self.older.read_on(metric_id)


async def read_recent_days(
    reader: LanceDBReader, stored: StoredMetrics, since: date, until: date
) -> RecentDays:
    """Return the days of each collected metric in the range; older ones are read only where they matter."""
    ids = [metric.metric_id for metric in stored.collected]
    most = stored.are_most(ids)
    lately = await reader.readings(ids, since=since, until=until, most_of_table=most)
    days = {metric_id: lately.days(metric_id) for metric_id in ids}
    beginning = [metric_id for metric_id in ids if days[metric_id][:1] != [since]]
    older = await newest_readings(reader, beginning, since - ONE_DAY, most_of_table=most)
    return RecentDays(since, lately, older, days)

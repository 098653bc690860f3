"""How the collecting goes: how fresh and complete each metric is, which registries are late, the runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.model import GapKind
from community_metrics.periods import ONE_DAY, lookback_start, today
from community_metrics.series.failures import grouped_failures
from community_metrics.series.freshness import (
    GAP_WEEKS,
    StoredDays,
    behind,
    freshness,
    gap_kind,
    missing_days,
    published_through,
    run_health,
)
from community_metrics.views.outcomes import newest_errors, run_views
from community_metrics.views.rows import newest_readings
from community_metrics.views.runs import load_freshness, read_runs
from community_metrics.views.selection import StoredMetrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import RunOutcome
    from community_metrics.periods import Period
    from community_metrics.series.failures import Failure
    from community_metrics.series.freshness import MetricFreshness, RunHealth, RunView
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.runs import Freshness


@dataclass(frozen=True, slots=True)
class Status:
    """The shown metrics in the catalogue's order, the registries, and the runs, newest first.

    `failures` has the last errors of these metrics by cause, `published_through` the last published day of
    each registry, `behind` that of the late ones.
    """

    freshness: Freshness
    metrics: tuple[MetricFreshness, ...]
    failures: tuple[Failure, ...]
    published_through: Mapping[str, date]
    behind: Mapping[str, date]
    runs: tuple[RunView, ...]
    health: RunHealth

    @property
    def days_behind(self) -> dict[str, int]:
        """How many days ago the last published day of each registry was."""
        now = today(self.freshness.now)
        return {source: (now - day).days for source, day in self.published_through.items()}

    def gaps(self, metric: MetricFreshness) -> dict[GapKind, list[date]]:
        """Return the missing days of a metric by kind; a kind without a day is left out."""
        success, now = self.freshness.last_complete_run, self.freshness.now
        kinds = {day: gap_kind(day, now, success) for day in metric.missing_days}
        return {
            kind: [day for day in kinds if kinds[day] is kind] for kind in GapKind if kind in kinds.values()
        }

    def never_stored(self, catalog: Catalog) -> list[str]:
        """Return the ids of the metrics that the catalogue shows and of which no day is stored."""
        stored = {metric.metric_id for metric in self.metrics if metric.newest_day is not None}
        return [metric.metric_id for metric in catalog.shown if metric.metric_id not in stored]


@dataclass(frozen=True, slots=True)
class WeekStatus:
    """Whether a week is complete: the missing days by metric, and the run that holds the database, if any."""

    missing: Mapping[str, tuple[date, ...]]
    held_by: str | None
    freshness: Freshness


async def load_status(reader: LanceDBReader, catalog: Catalog, now: datetime) -> Status:
    """Return how the collecting goes."""
    stored = StoredMetrics(await reader.metrics(), catalog)
    shown = stored.shown
    days = await _stored_days(reader, stored, lookback_start(now, GAP_WEEKS), today(now))
    runs, lease = await read_runs(reader, now)
    errors = await newest_errors(reader, runs, [metric.metric_id for metric in shown])
    return status_of(
        days,
        errors,
        await run_views(reader, runs[:10], lease, now),
        run_health(runs, lease, now),
        await load_freshness(reader, now, stored.definitions),
    )


def status_of(
    days: Sequence[StoredDays],
    errors: Mapping[str, RunOutcome],
    runs: Sequence[RunView],
    health: RunHealth,
    fresh: Freshness,
) -> Status:
    """Return the status that follows from stored days, the last errors by metric, and runs, newest first."""
    published = published_through(days)
    messages = {metric_id: outcome.message or "" for metric_id, outcome in errors.items()}
    return Status(
        freshness=fresh,
        metrics=tuple(freshness(days, fresh.now, messages)),
        failures=tuple(grouped_failures(errors.values())),
        published_through=published,
        behind=behind(published, fresh.now),
        runs=tuple(runs),
        health=health,
    )


async def load_week_status(
    reader: LanceDBReader, catalog: Catalog, week: Period, now: datetime
) -> WeekStatus:
    """Return whether every metric that a registry counts by the day has each day of the week.

    A metric of which no day was ever fetched has no missing days.
    """
    ids = [metric.metric_id for metric in catalog.fetched_daily]
    lease = await reader.lease()
    readings = await reader.readings(ids, since=week.start, until=week.end, most_of_table=True)
    lacking = [metric_id for metric_id in ids if len(readings.of_metric(metric_id)) < week.days]
    before = await newest_readings(
        reader, lacking, week.start - ONE_DAY, fetched_only=True, most_of_table=True
    )
    missing = {}
    for metric_id in lacking:
        fetched = readings.days(metric_id, fetched_only=True)
        first = week.start if before.days(metric_id) else min(fetched, default=None)
        missing[metric_id] = missing_days(first, readings.days(metric_id), week.start, week.end)
    return WeekStatus(
        missing={metric_id: days for metric_id, days in missing.items() if days},
        held_by=lease.run_id if lease is not None and lease.expires_at > now else None,
        freshness=await load_freshness(reader, now),
    )


async def _stored_days(
    reader: LanceDBReader, stored: StoredMetrics, since: date, until: date
) -> list[StoredDays]:
    """Return the days of each shown metric in the range; older ones are read only where they matter."""
    ids = [metric.metric_id for metric in stored.shown]
    most = stored.are_most(ids)
    lately = await reader.readings(ids, since=since, until=until, most_of_table=most)
    days = {metric_id: lately.days(metric_id) for metric_id in ids}
    older = await newest_readings(
        reader, [name for name in ids if days[name][:1] != [since]], since - ONE_DAY, most_of_table=most
    )
    return [
        StoredDays(
            metric_id=metric.metric_id,
            source=metric.source,
            window=metric.source_window,
            first_day=since if older.days(metric.metric_id) else min(days[metric.metric_id], default=None),
            days=frozenset(days[metric.metric_id] or older.days(metric.metric_id)),
            observed_at=lately.observed_at(metric.metric_id) or older.observed_at(metric.metric_id),
        )
        for metric in stored.shown
    ]

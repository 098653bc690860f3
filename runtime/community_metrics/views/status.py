"""How the collecting goes: how fresh and complete each metric is, which registries are late, the runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.model import GapKind, is_reading_id
from community_metrics.periods import ONE_DAY, lookback_start, today
from community_metrics.series.failures import grouped_failures
from community_metrics.series.freshness import (
    GAP_WEEKS,
    behind,
    freshness,
    gap_kind,
    missing_days,
    published_through,
    run_health,
)
from community_metrics.series.loss import hours_until_loss
from community_metrics.views.deliveries import load_targets
from community_metrics.views.disputes import LATELY, load_disputes
from community_metrics.views.loss import first_day_needed, load_losses, with_retention
from community_metrics.views.outcomes import newest_errors, run_views
from community_metrics.views.public import is_narrowed
from community_metrics.views.recent import read_recent_days
from community_metrics.views.rows import newest_readings
from community_metrics.views.runs import load_freshness, read_runs
from community_metrics.views.selection import StoredMetrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import LastRead, RunOutcome, Visibility
    from community_metrics.periods import Period
    from community_metrics.series.disputes import Dispute
    from community_metrics.series.failures import Failure
    from community_metrics.series.freshness import MetricFreshness, RunHealth, RunView, StoredDays
    from community_metrics.series.loss import Loss
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.deliveries import TargetStatus
    from community_metrics.views.runs import Freshness


@dataclass(frozen=True, slots=True)
class PlaceStatus:
    """A place that runs read events from: when that last succeeded, and the error if it failed since.

    Its address is not among the facts: that of a feed may hold a key.
    """

    place_id: str
    read_at: datetime | None
    last_error: str | None
    visibility: Visibility


@dataclass(frozen=True, slots=True)
class Status:
    """The shown metrics in the catalogue's order, the registries, and the runs, newest first.

    `failures` has the last errors of these metrics, and of the totals of registries, by cause, `losses` what
    the metrics lose next, the first loss first, `published_through` the last published day of each registry,
    `behind` that of the late ones. `places` has every active feed and mention, and of the places of releases
    those that could not be read. `disputes` are the days of the last five weeks that a second witness counts
    otherwise. `deliveries` has for each target which digests were sent, failed or wait, None for a
    viewer who may not see it.
    """

    freshness: Freshness
    metrics: tuple[MetricFreshness, ...]
    failures: tuple[Failure, ...]
    losses: tuple[Loss, ...]
    published_through: Mapping[str, date]
    behind: Mapping[str, date]
    runs: tuple[RunView, ...]
    health: RunHealth
    places: tuple[PlaceStatus, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    deliveries: tuple[TargetStatus, ...] | None = ()

    @property
    def days_behind(self) -> dict[str, int]:
        """How many days ago the last published day of each registry was."""
        now = today(self.freshness.now)
        return {source: (now - day).days for source, day in self.published_through.items()}

    @property
    def hours_until_loss(self) -> float | None:
        """The hours until a metric loses a value that should have been read by now; None if none does."""
        return hours_until_loss(self.losses, self.freshness.now)

    @property
    def urgent_losses(self) -> tuple[Loss, ...]:
        """The losses for which the alarm rises."""
        return tuple(loss for loss in self.losses if loss.is_urgent(self.freshness.now))

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
    shown = stored.collected
    kept = with_retention(shown, catalog)
    since = min(lookback_start(now, GAP_WEEKS), first_day_needed((days for _, days in kept), now))
    recent = await read_recent_days(reader, stored, since, today(now))
    runs, lease = await read_runs(reader, now)
    read = [metric.metric_id for metric in (*shown, *stored.registries)]
    errors = await newest_errors(reader, runs, [*read, *(place.id for place in catalog.readings)])
    return status_of(
        [recent.stored_days(metric) for metric in shown],
        {name: outcome for name, outcome in errors.items() if not is_reading_id(name)},
        await run_views(reader, runs[:10], lease, now),
        run_health(runs, lease, now),
        await load_freshness(reader, now, stored.definitions),
        losses=await load_losses(reader, kept, recent, runs, now),
        places=_places(catalog, await reader.last_reads(), errors),
        disputes=await load_disputes(
            reader, [metric.metric_id for metric in shown], since=today(now) - LATELY, until=today(now)
        ),
        # who receives digests, and the answers of their servers, are nobody's business but the team's
        deliveries=None if is_narrowed(reader) else await load_targets(reader, catalog.deliveries, now),
    )


def _places(
    catalog: Catalog, reads: Sequence[LastRead], errors: Mapping[str, RunOutcome]
) -> tuple[PlaceStatus, ...]:
    read_at = {read.metric_id: read.read_at for read in reads}
    messages = {name: outcome.message for name, outcome in errors.items()}
    named = set(catalog.named_readings)
    return tuple(
        PlaceStatus(place.id, read_at.get(place.id), messages.get(place.id), place.visibility)
        for place in catalog.readings
        if place.is_active and (place in named or place.id in messages)
    )


def status_of(
    days: Sequence[StoredDays],
    errors: Mapping[str, RunOutcome],
    runs: Sequence[RunView],
    health: RunHealth,
    fresh: Freshness,
    *,
    losses: Sequence[Loss] = (),
    places: Sequence[PlaceStatus] = (),
    disputes: Sequence[Dispute] = (),
    deliveries: Sequence[TargetStatus] | None = (),
) -> Status:
    """Return the status that follows from stored days, the last errors by metric, and runs, newest first."""
    published = published_through(days)
    messages = {metric_id: outcome.message or "" for metric_id, outcome in errors.items()}
    return Status(
        freshness=fresh,
        metrics=tuple(freshness(days, fresh.now, messages)),
        failures=tuple(grouped_failures(errors.values())),
        losses=tuple(losses),
        published_through=published,
        behind=behind(published, fresh.now),
        runs=tuple(runs),
        health=health,
        places=tuple(places),
        disputes=tuple(disputes),
        deliveries=None if deliveries is None else tuple(deliveries),
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

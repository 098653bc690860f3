"""How old and how whole the data are: settled days, missing days, the last success, abandoned runs.

Pure, like `series`. `settled_through` is derived, not stored: the newest stored day of any daily metric of
a source is the last day that this source is known to have published, and a day before it that one of its
metrics lacks is missing. What the source has not published yet is nobody's gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from community_metrics.model import SEED_SOURCE, RunStatus, SourceWindow
from community_metrics.periods import ONE_DAY, days_between, lookback_start, today

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.model import Lease, Run
    from community_metrics.periods import Period
    from community_metrics.series.failures import Failure

STALE_AFTER = timedelta(days=8)
"""A weekly schedule that missed one run is older than this."""
GAP_WEEKS = 12
"""How far back missing days are looked for: completed ISO weeks, and the running one."""
BEHIND_AFTER_DAYS = 3
"""How many days before yesterday a registry's newest day may be: they publish late, but not later."""
COLLECTING_JOBS = frozenset({"weekly_refresh", "update_all"})
"""Jobs that ask the registries; seeding a file makes nothing fresher."""


@dataclass(frozen=True, slots=True)
class StoredDays:
    """What freshness needs to know of one metric: the days it has, and when its newest row was read."""

    metric_id: str
    source: str
    window: SourceWindow
    first_day: date | None
    days: frozenset[date]
    observed_at: datetime | None


@dataclass(frozen=True, slots=True)
class MetricFreshness:
    """How fresh one metric is; `missing_days` of the last 12 weeks, oldest first, none for a stock."""

    metric_id: str
    source: str
    newest_day: date | None
    settled_through: date | None
    missing_days: tuple[date, ...]
    observed_at: datetime | None
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as people see it; `state` is its stored status, or `abandoned`."""

    run: Run
    state: str
    failures: tuple[Failure, ...] = ()


def settled_through(metrics: Iterable[StoredDays]) -> dict[str, date]:
    """Return, for each source with a stored daily value, the last day it is known to have published."""
    newest: dict[str, date] = {}
    for metric in metrics:
        if metric.window is SourceWindow.DAY and metric.days:
            newest[metric.source] = max(newest.get(metric.source, max(metric.days)), *metric.days)
    return newest


def missing_days(
    first_day: date | None, days: Collection[date], settled: date | None, now: datetime
) -> tuple[date, ...]:
    """Return the days of the last 12 weeks that are settled at the source and not stored, oldest first.

    Days before the metric's first stored one are not missing: the package may not have existed.
    """
    if first_day is None or settled is None:
        return ()
    start = max(first_day, lookback_start(now, GAP_WEEKS))
    return tuple(day for day in days_between(start, settled) if day not in days)


def missing_in(period: Period, first_day: date | None, days: Collection[date]) -> tuple[date, ...]:
    """Return the days of a period, from the metric's first stored one on, that are not among `days`."""
    if first_day is None:
        return ()
    wanted = days_between(max(first_day, period.start), period.end)
    return tuple(day for day in wanted if day not in days)


def freshness(
    metrics: Sequence[StoredDays], now: datetime, errors: Mapping[str, str] | None = None
) -> list[MetricFreshness]:
    """Return how fresh each of `metrics` is, in their order; `errors` are the last errors, by metric."""
    settled = settled_through(metrics)
    return [
        _of_metric(metric, settled.get(metric.source), now, (errors or {}).get(metric.metric_id))
        for metric in metrics
    ]


def behind(metrics: Iterable[MetricFreshness], now: datetime) -> dict[str, date]:
    """Return the newest day of each registry that has given none for more than 3 days before yesterday.

    `settled_through` cannot tell: a registry that stopped has published nothing that we lack.
    """
    oldest = today(now) - (1 + BEHIND_AFTER_DAYS) * ONE_DAY
    return {
        metric.source: metric.settled_through
        for metric in metrics
        if metric.settled_through and metric.settled_through < oldest and metric.source != SEED_SOURCE
    }


def _of_metric(metric: StoredDays, settled: date | None, now: datetime, error: str | None) -> MetricFreshness:
    is_daily = metric.window is SourceWindow.DAY
    return MetricFreshness(
        metric_id=metric.metric_id,
        source=metric.source,
        newest_day=max(metric.days, default=None),
        settled_through=settled if is_daily else None,
        missing_days=missing_days(metric.first_day, metric.days, settled, now) if is_daily else (),
        observed_at=metric.observed_at,
        last_error=error,
    )


def last_success(runs: Iterable[Run]) -> Run | None:
    """Return the newest run that asked for every metric and got everything, or None."""
    whole = [run for run in runs if _asks_registries(run) and run.scope is None]
    good = [run for run in whole if run.status is RunStatus.SUCCESS]
    return max(good, key=lambda run: run.started_at, default=None)


def _asks_registries(run: Run) -> bool:
    return run.job_name in COLLECTING_JOBS


def is_stale(success: Run | None, now: datetime) -> bool:
    """Say whether the last success is older than 8 days, or never was."""
    return success is None or now - (success.finished_at or success.started_at) > STALE_AFTER


def run_view(run: Run, lease: Lease | None, now: datetime) -> RunView:
    """Return the run with its state: `abandoned` when it says `running` and holds no live lease."""
    if run.status is not RunStatus.RUNNING:
        return RunView(run, run.status.value)
    held = lease is not None and lease.run_id == run.ingestion_run_id and lease.expires_at > now
    return RunView(run, RunStatus.RUNNING.value if held else "abandoned")

"""How old and how complete the data are: published days, missing days, the last complete run, lost runs.

Pure, like the rest of `series`. `published_through` is derived, not stored: the newest stored day of any
daily metric of a source is the last day that this source is known to have published. A day before it that
one of its metrics lacks is missing; a day after it is only late.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile
from typing import TYPE_CHECKING

from community_metrics.model import SEED_SOURCE, SETTLING_DAYS, GapKind, RunStatus, SourceWindow, Visibility
from community_metrics.periods import ONE_DAY, days_between, lookback_start, midnight, today

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.model import Lease, Run
    from community_metrics.series.failures import Failure

STALE_AFTER_DAYS = 10
"""A source is stale when its newest day is older: a week between runs, and three days for a late registry."""
GAP_WEEKS = 12
"""How far back missing days are searched: completed ISO weeks, and the running one."""
WHOLE_JOBS = frozenset({"weekly_refresh", "update_all"})
"""Jobs that fetch every metric from the registries."""
COLLECTING_JOBS = WHOLE_JOBS | {"daily_refresh"}
"""Jobs that fetch from the registries; seeding a file makes nothing fresher."""
FAILED_LATELY = timedelta(minutes=75)
"""How long ago a failure is recent. The monitor runs every hour, a few minutes late after a retry: no failure
falls between two of its measurements."""


@dataclass(frozen=True, slots=True)
class StoredDays:
    """The stored days of one metric, and when its newest row was read."""

    metric_id: str
    source: str
    window: SourceWindow
    first_day: date | None
    days: frozenset[date]
    observed_at: datetime | None
    visibility: Visibility = Visibility.PUBLIC


@dataclass(frozen=True, slots=True)
class MetricFreshness:
    """How fresh one metric is; `missing_days` of the last 12 weeks, oldest first, empty for a level."""

    metric_id: str
    source: str
    newest_day: date | None
    published_through: date | None
    missing_days: tuple[date, ...]
    observed_at: datetime | None
    last_error: str | None = None
    visibility: Visibility = Visibility.PUBLIC


@dataclass(frozen=True, slots=True)
class SourceFreshness:
    """The newest day that was fetched from a source, and from when on it is stale, unless a newer day comes.

    The day of a level is that of its reading. Both are None for a source of which nothing was ever fetched.
    """

    source: str
    newest_day: date | None
    is_stale: bool
    stale_from: datetime | None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with its `state`: the stored status, or `abandoned`."""

    run: Run
    state: str
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class RunHealth:
    """How the collecting runs ended; an abandoned run counts as a failed one.

    `failed_lately` counts the failures of the last 75 minutes, `bad_in_a_row` the runs of a job since its
    last success, of the job that has most of them: a daily success does not hide that the weekly job fails.
    """

    failed_lately: int
    bad_in_a_row: int


def published_through(metrics: Iterable[StoredDays]) -> dict[str, date]:
    """Return the last published day of each registry with a stored daily value; seed files have none."""
    newest: dict[str, date] = {}
    for metric in metrics:
        if metric.window is SourceWindow.DAY and metric.source != SEED_SOURCE and metric.days:
            newest[metric.source] = max(newest.get(metric.source, max(metric.days)), *metric.days)
    return newest


def missing_days(
    first_day: date | None, days: Collection[date], start: date, end: date | None
) -> tuple[date, ...]:
    """Return the days from `start` to `end` that are not among `days`, oldest first.

    Days before the metric's first stored one are not missing: the package may not have existed.
    """
    if first_day is None or end is None:
        return ()
    return tuple(day for day in days_between(max(first_day, start), end) if day not in days)


def freshness(
    metrics: Sequence[StoredDays], now: datetime, errors: Mapping[str, str] | None = None
) -> list[MetricFreshness]:
    """Return how fresh each of `metrics` is, in their order; `errors` holds the last error of some."""
    published, start = published_through(metrics), lookback_start(now, GAP_WEEKS)
    last_days = [published.get(one.source) if one.window is SourceWindow.DAY else None for one in metrics]
    return [
        MetricFreshness(
            metric_id=metric.metric_id,
            source=metric.source,
            newest_day=max(metric.days, default=None),
            published_through=last_day,
            missing_days=missing_days(metric.first_day, metric.days, start, last_day),
            observed_at=metric.observed_at,
            last_error=(errors or {}).get(metric.metric_id),
            visibility=metric.visibility,
        )
        for metric, last_day in zip(metrics, last_days, strict=True)
    ]


def source_freshness(source: str, newest_day: date | None, now: datetime) -> SourceFreshness:
    """Return how fresh a source is: stale when its newest day is more than 10 days ago.

    The result changes only with the newest day and at midnight UTC.
    """
    if newest_day is None:  # there is nothing that could be old
        return SourceFreshness(source, None, is_stale=False, stale_from=None)
    stale_from = midnight(newest_day + (STALE_AFTER_DAYS + 1) * ONE_DAY)
    return SourceFreshness(source, newest_day, now >= stale_from, stale_from)


def behind(published: Mapping[str, date], now: datetime) -> dict[str, date]:
    """Return the last published day of each registry that should have published a newer day.

    Missing days do not show this: a registry that stopped has published nothing that is missing here.
    """
    return {source: day for source, day in published.items() if not _is_late(day + ONE_DAY, now)}


def gap_kind(day: date, now: datetime, success: Run | None) -> GapKind:
    """Return why `day` is missing at `now`, given the last success."""
    if _is_late(day, now):
        return GapKind.LATE
    if success is None or success.window_start is None or success.window_end is None:
        return GapKind.NOT_FETCHED
    was_requested = success.window_start <= day <= success.window_end
    was_late = _is_late(day, success.started_at)
    return GapKind.NOT_RETURNED if was_requested and not was_late else GapKind.NOT_FETCHED


def _is_late(day: date, now: datetime) -> bool:
    return (today(now) - day).days <= SETTLING_DAYS


def last_success(runs: Iterable[Run]) -> Run | None:
    """Return the newest run that collected every metric without an error, or None."""
    complete = [run for run in runs if reached_every_metric(run) and run.status is RunStatus.SUCCESS]
    return max(complete, key=lambda run: run.started_at, default=None)


def reached_every_metric(run: Run) -> bool:
    """Return whether a run of a job that fetches every metric was not narrowed, and left none."""
    return run.job_name in WHOLE_JOBS and run.scope is None and not run.metrics_left


def run_view(run: Run, lease: Lease | None, now: datetime) -> RunView:
    """Return the run with its state: `abandoned` when its row is still open and it holds no live lease.

    `now` is an instant before `lease` was read: a run that started later may hold a newer lease.
    """
    if run.status is not RunStatus.RUNNING:
        return RunView(run, run.status.value)
    held = lease is not None and lease.run_id == run.ingestion_run_id and lease.expires_at > now
    return RunView(run, RunStatus.RUNNING.value if held or run.started_at > now else "abandoned")


def run_health(runs: Sequence[Run], lease: Lease | None, now: datetime) -> RunHealth:
    """Return how the collecting runs among `runs`, newest first, ended."""
    ended = list(_ended(runs, lease, now))
    states: dict[str, list[str]] = defaultdict(list)
    for job_name, state, _ in ended:
        states[job_name].append(state)
    bad = [len(list(takewhile(lambda state: state != RunStatus.SUCCESS, own))) for own in states.values()]
    return RunHealth(
        failed_lately=sum(
            state in {RunStatus.FAILED.value, "abandoned"} and now - at <= FAILED_LATELY
            for _, state, at in ended
        ),
        bad_in_a_row=max(bad, default=0),
    )


def _ended(runs: Sequence[Run], lease: Lease | None, now: datetime) -> Iterator[tuple[str, str, datetime]]:
    """Yield job and state of each collecting run that is over, newest first, and when it ended."""
    for later, run in zip((None, *runs), runs, strict=False):
        state = run_view(run, lease, now).state
        if run.job_name in COLLECTING_JOBS and state != RunStatus.RUNNING:
            yield run.job_name, state, run.finished_at or _abandoned_at(run, lease, later)


def _abandoned_at(run: Run, lease: Lease | None, later: Run | None) -> datetime:
    """Return when an abandoned run lost the database: when its lease expired, or the next run started."""
    if lease is not None and lease.run_id == run.ingestion_run_id:
        return max(lease.heartbeat_at, lease.expires_at)
    return run.started_at if later is None else later.started_at

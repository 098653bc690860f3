"""Stored rows and runs for tests, with only what a test cares about spelled out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from community_metrics.model import (
    OutcomeStatus,
    Provenance,
    Run,
    RunOutcome,
    RunStatus,
    SourceWindow,
    StatRow,
    Status,
)
from community_metrics.periods import Grain, period_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.periods import Period

METRIC = "downloads:lance:python"
WIDE = "downloads_30d:lance:python"
STARS = "stars:lance:github"
SAMPLED = "stars_sampled:lance:github"


def week_named(label: str) -> Period:
    """Return the ISO week named `2026-W47`."""
    year, number = label.split("-W")
    return period_of(date.fromisocalendar(int(year), int(number), 1), Grain.WEEK)


def daily(
    day: date, value: int, *, metric_id: str = METRIC, status: Status = Status.FINAL, **changes: Any
) -> StatRow:
    """Return one day of downloads, read at noon of the day after."""
    return wide(
        day, day, value, metric_id=metric_id, source_window=SourceWindow.DAY, status=status, **changes
    )


def dailies(values: Mapping[date, int], *, metric_id: str = METRIC) -> list[StatRow]:
    """Return one row for each day of `values`."""
    return [daily(day, value, metric_id=metric_id) for day, value in values.items()]


def wide(
    start: date,
    end: date,
    value: int,
    *,
    metric_id: str = WIDE,
    source_window: SourceWindow = SourceWindow.THIRTY_DAYS,
    status: Status = Status.FINAL,
    provenance: Provenance = Provenance.API,
    revision: int = 0,
    observed_at: datetime | None = None,
) -> StatRow:
    """Return one reading of the days from `start` to `end`."""
    read_at = observed_at or datetime.combine(end + timedelta(days=1), time(12), UTC)
    return StatRow(
        metric_id=metric_id,
        period_start=start,
        period_end=end,
        value=value,
        status=status,
        provenance=provenance,
        source_window=source_window,
        observed_at=read_at,
        first_value=value,
        revision=revision,
        revised_at=read_at if revision else None,
        ingestion_run_id="run-1",
        source_ref="https://registry.example/downloads",
    )


def level(observed_at: datetime, value: int, *, metric_id: str = STARS) -> StatRow:
    """Return one reading of a level."""
    day = observed_at.date()
    return wide(
        day, day, value, metric_id=metric_id, source_window=SourceWindow.INSTANT, observed_at=observed_at
    )


def run(
    started_at: datetime,
    status: RunStatus = RunStatus.SUCCESS,
    *,
    run_id: str = "run-1",
    job_name: str = "weekly_refresh",
    error_summary: str | None = None,
) -> Run:
    """Return one row of history; a closed run took a minute."""
    is_open = status is RunStatus.RUNNING
    return Run(
        ingestion_run_id=run_id,
        job_name=job_name,
        started_at=started_at,
        finished_at=None if is_open else started_at + timedelta(minutes=1),
        status=status,
        rows_inserted=35,
        rows_updated=2,
        rows_unchanged=140,
        window_start=date(2026, 10, 19),
        window_end=date(2026, 11, 22),
        error_summary=error_summary,
    )


def failed(run_id: str, metric_id: str, message: str, *, url: str | None = None) -> RunOutcome:
    """Return how a metric ended for which a registry did not return a value."""
    return RunOutcome(
        run_id,
        metric_id,
        OutcomeStatus.FAILED,
        "TransientSourceError",
        message,
        url,
        observations=0,
        last_day=None,
    )


def fetched(run_id: str, metric_id: str) -> RunOutcome:
    """Return how a metric ended of which a week was read."""
    return RunOutcome(
        run_id,
        metric_id,
        OutcomeStatus.SUCCESS,
        None,
        None,
        None,
        observations=7,
        last_day=date(2026, 11, 22),
    )

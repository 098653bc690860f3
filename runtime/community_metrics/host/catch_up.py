"""Check whether a refresh has to run again: `python -m community_metrics.host.catch_up`.

Exit code 0: the weekly refresh is due; 11: the daily one; 10: none; 1: the check failed.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics import log
from community_metrics.catalog import load_catalog
from community_metrics.clock import SystemClock
from community_metrics.config import load_settings
from community_metrics.errors import CommunityMetricsError, StorageNotBootstrapped
from community_metrics.model import SEED_SOURCE
from community_metrics.periods import ONE_DAY, Grain, last_weekly, midnight, period_of, today
from community_metrics.runs.daily import still_to_read
from community_metrics.runs.registry import DailyRefresh, WeeklyRefresh
from community_metrics.text import counted
from community_metrics.views.rows import read
from community_metrics.views.runs import ran_since
from community_metrics.views.status import load_week_status

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.storage import LanceDBReader
    from community_metrics.views.status import WeekStatus

FAILED: Final = 1
EXIT_CODES: Final = {WeeklyRefresh.name: 0, DailyRefresh.name: 11, None: 10}
"""The exit code for each job that may be due, and for none."""
WEEKLY_AT_H: Final = 6
"""The hour of `community-metrics-weekly-refresh.timer`, on Mondays, UTC."""
DAILY_AT: Final = tuple(timedelta(hours=hour, minutes=45) for hour in (2, 8, 14, 20))
"""The times of `community-metrics-daily-refresh.timer`, UTC."""


@dataclass(frozen=True, slots=True)
class CatchUp:
    """The job that should run again, None for none, and the reason as a sentence."""

    job: str | None
    reason: str


async def check(settings: Settings, catalog: Catalog, clock: Clock) -> CatchUp:
    """Check whether the week that ended before the last Monday is complete, and then the last daily run.

    The weekly refresh also reads what the daily one does, so that at most one of them is due.

    Raises:
        StorageError: the database cannot be read.
    """
    now = clock.now()

    async def look(reader: LanceDBReader) -> CatchUp:
        week = period_of(last_weekly(now, WEEKLY_AT_H).date(), Grain.WEEK).shifted(-1)
        view = await load_week_status(reader, catalog, week, now)
        if view.held_by is not None:
            return CatchUp(None, f"Run {view.held_by} holds the database.")
        if (reason := _weekly_reason(view, week.label, now)) is not None:
            return CatchUp(WeeklyRefresh.name, reason)
        missed = await _missed_daily(reader, catalog, now)
        if missed is not None:
            return CatchUp(DailyRefresh.name, f"No daily refresh since {missed:%Y-%m-%d %H:%M} UTC.")
        return CatchUp(None, f"{week.label} is complete.")

    try:
        found, _ = await read(settings, look)
    except StorageNotBootstrapped:
        return CatchUp(WeeklyRefresh.name, "The database does not exist yet.")
    return found


def last_daily(now: datetime) -> datetime:
    """Return the last time at which the daily timer elapsed."""
    days = (midnight(today(now)), midnight(today(now) - ONE_DAY))
    return max(day + at for day in days for at in DAILY_AT if day + at <= now)


def _weekly_reason(view: WeekStatus, label: str, now: datetime) -> str | None:
    scheduled, success = last_weekly(now, WEEKLY_AT_H), view.freshness.last_complete_run
    if success is None or success.started_at < scheduled:
        return f"No complete run since {scheduled:%Y-%m-%d %H:%M} UTC."
    if view.missing:
        gaps = [
            f"{metric_id} ({counted(len(days), 'day')} missing)" for metric_id, days in view.missing.items()
        ]
        return f"{label} is incomplete: {', '.join(gaps)}."
    return None


async def _missed_daily(reader: LanceDBReader, catalog: Catalog, now: datetime) -> datetime | None:
    """Return the last time of the daily timer if no run began since and something is left to read today."""
    scheduled = last_daily(now)
    fetched = [metric for metric in catalog.active if metric.source != SEED_SOURCE]
    turns = {read.metric_id: read for read in await reader.last_reads()}
    if not still_to_read(fetched, turns, now):
        return None
    return None if await ran_since(reader, DailyRefresh.name, scheduled, now) else scheduled


def main() -> int:
    """Print the reason and return the exit code."""
    try:
        settings = load_settings()
        log.configure(settings, is_terminal=False)
        found = asyncio.run(check(settings, load_catalog(settings.catalog), SystemClock()))
    except CommunityMetricsError as error:
        print(f"Cannot check whether a catch-up is due: {error}")  # noqa: T201  for the journal
        return FAILED
    print(found.reason)  # noqa: T201  as above
    return EXIT_CODES[found.job]


if __name__ == "__main__":
    sys.exit(main())

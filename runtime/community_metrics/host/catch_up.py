"""Is a catch-up due? `python -m community_metrics.host.catch_up` runs before the weekly job is started again.

Exit code 0: it is; 10: there is nothing to catch up; 1: unknown, with the reason.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from community_metrics import log
from community_metrics.catalog import load_catalog
from community_metrics.clock import SystemClock
from community_metrics.config import load_settings
from community_metrics.errors import CommunityMetricsError, StorageNotBootstrapped
from community_metrics.periods import Grain, last_weekly, period_of
from community_metrics.views.rows import read
from community_metrics.views.status import load_week_status

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.periods import Period
    from community_metrics.views.status import WeekStatus

DUE, NOT_DUE, UNKNOWN = 0, 10, 1
WEEKLY_AT_H: Final = 6
"""Mondays, UTC, as `community-metrics-weekly-refresh.timer` says."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the weekly job should run again, and why, in one sentence."""

    is_due: bool
    reason: str


async def verdict(settings: Settings, catalog: Catalog, clock: Clock) -> Verdict:
    """Return whether the week that ended with the last Monday is complete.

    Raises:
        StorageError: the database cannot be read.
    """
    now = clock.now()
    scheduled = last_weekly(now, WEEKLY_AT_H)
    week = period_of(scheduled.date(), Grain.WEEK).shifted(-1)
    try:
        view, _ = await read(settings, lambda reader: load_week_status(reader, catalog, week, now))
    except StorageNotBootstrapped:
        return Verdict(True, "There is no database yet.")
    return _judged(view, week, scheduled)


def _judged(view: WeekStatus, week: Period, scheduled: datetime) -> Verdict:
    if view.held_by is not None:
        return Verdict(False, f"Run {view.held_by} holds the database.")
    success = view.freshness.last_complete_run
    if success is None or success.started_at < scheduled:
        return Verdict(True, f"No run has got everything since {scheduled:%Y-%m-%d %H:%M} UTC.")
    if view.missing:
        gaps = [f"{metric_id} lacks {len(days)} days" for metric_id, days in view.missing.items()]
        return Verdict(True, f"{week.label} is incomplete: {', '.join(gaps)}.")
    return Verdict(False, f"{week.label} is complete.")


def main() -> int:
    """Print the verdict and return the exit code."""
    try:
        settings = load_settings()
        log.configure(settings, is_terminal=False)
        found = asyncio.run(verdict(settings, load_catalog(settings.catalog), SystemClock()))
    except CommunityMetricsError as error:
        print(f"Whether a catch-up is due cannot be told: {error}")  # noqa: T201  for systemd's journal
        return UNKNOWN
    print(found.reason)  # noqa: T201  likewise
    return DUE if found.is_due else NOT_DUE


if __name__ == "__main__":
    sys.exit(main())

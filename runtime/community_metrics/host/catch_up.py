"""Check whether the weekly refresh has to run again: `python -m community_metrics.host.catch_up`.

Exit code 0: a run is due; 10: it is not; 1: the check failed.
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
from community_metrics.text import counted
from community_metrics.views.rows import read
from community_metrics.views.status import load_week_status

if TYPE_CHECKING:
    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings

DUE, NOT_DUE, FAILED = 0, 10, 1
WEEKLY_AT_H: Final = 6
"""The hour of `community-metrics-weekly-refresh.timer`, on Mondays, UTC."""


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Whether the weekly refresh should run again, and the reason as a sentence."""

    is_due: bool
    reason: str


async def check(settings: Settings, catalog: Catalog, clock: Clock) -> CatchUp:
    """Check whether the week that ended before the last Monday is complete.

    Raises:
        StorageError: the database cannot be read.
    """
    now = clock.now()
    scheduled = last_weekly(now, WEEKLY_AT_H)
    week = period_of(scheduled.date(), Grain.WEEK).shifted(-1)
    try:
        view, _ = await read(settings, lambda reader: load_week_status(reader, catalog, week, now))
    except StorageNotBootstrapped:
        return CatchUp(True, "The database does not exist yet.")
    if view.held_by is not None:
        return CatchUp(False, f"Run {view.held_by} holds the database.")
    success = view.freshness.last_complete_run
    if success is None or success.started_at < scheduled:
        return CatchUp(True, f"No complete run since {scheduled:%Y-%m-%d %H:%M} UTC.")
    if view.missing:
        gaps = [
            f"{metric_id} ({counted(len(days), 'day')} missing)" for metric_id, days in view.missing.items()
        ]
        return CatchUp(True, f"{week.label} is incomplete: {', '.join(gaps)}.")
    return CatchUp(False, f"{week.label} is complete.")


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
    return DUE if found.is_due else NOT_DUE


if __name__ == "__main__":
    sys.exit(main())

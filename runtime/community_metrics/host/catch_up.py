"""Is a catch-up due? `python -m community_metrics.host.catch_up`, asked before the weekly job is started again.

Ends with 0 where it is, 10 where nothing is to be caught up, 1 where that cannot be told, and says why.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from community_metrics import log
from community_metrics.catalog import load_catalog
from community_metrics.config import load_settings
from community_metrics.errors import CommunityMetricsError, StorageNotBootstrapped
from community_metrics.host.daily import daily_metrics
from community_metrics.periods import Grain, SystemClock, last_weekly, period_of
from community_metrics.series.freshness import missing_in
from community_metrics.storage import LanceDBReader
from community_metrics.views.runs import newest_success

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.config import Settings
    from community_metrics.model import Run
    from community_metrics.periods import Clock, Period

DUE, NOT_DUE, UNKNOWN = 0, 10, 1
WEEKLY_AT_H: Final = 6
"""Mondays, UTC, as `community-metrics-weekly-refresh.timer` says."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the weekly job should run again, and why, in one sentence."""

    is_due: bool
    reason: str


async def verdict(settings: Settings, catalog: Catalog, clock: Clock) -> Verdict:
    """Look whether the week that the last Monday closed is whole.

    Raises:
        StorageError: the database cannot be read.
    """
    now = clock.now()
    scheduled = last_weekly(now, WEEKLY_AT_H)
    week = period_of(scheduled.date(), Grain.WEEK).shifted(-1)
    try:
        async with LanceDBReader.open(settings) as reader:
            lease = await reader.lease()
            if lease is not None and lease.expires_at > now:
                return Verdict(False, f"Run {lease.run_id} holds the database.")
            success = await newest_success(reader)
            gaps = await _gaps(reader, catalog, week)
    except StorageNotBootstrapped:
        return Verdict(True, "There is no database yet.")
    return _judged(success, gaps, week, scheduled)


def _judged(success: Run | None, gaps: list[str], week: Period, scheduled: datetime) -> Verdict:
    if success is None or success.started_at < scheduled:
        return Verdict(True, f"No run has got everything since {scheduled:%Y-%m-%d %H:%M} UTC.")
    if gaps:
        return Verdict(True, f"{week.label} is incomplete: {', '.join(gaps)}.")
    return Verdict(False, f"{week.label} is complete.")


async def _gaps(reader: LanceDBReader, catalog: Catalog, week: Period) -> list[str]:
    """Return the metrics that lack a day of the week; one that never had a day cannot lack one."""
    gaps = []
    for metric in daily_metrics(catalog):
        first = await reader.first_fetched_day(metric.metric_id)
        days = await reader.stored_days(metric.metric_id, week.start, week.end)
        if missing := missing_in(week, first, days):
            gaps.append(f"{metric.metric_id} lacks {len(missing)} days")
    return gaps


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

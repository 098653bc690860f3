"""Whether a catch-up is due depends on the stored days and the runs, read from real tables."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from community_metrics.aws.telemetry import data_gauges
from community_metrics.catalog import load_catalog
from community_metrics.host.catch_up import CatchUp, check
from community_metrics.periods import ONE_DAY
from community_metrics.runs.registry import DailyRefresh, WeeklyRefresh
from community_metrics.storage import LanceDBStore
from tests.support.clock import NOON, FakeClock

if TYPE_CHECKING:
    from tests.support.jobs import Rig

SUNDAY = NOON.date() - ONE_DAY
LATE = ("npm", "@lancedb/lancedb", SUNDAY)


async def checked(rig: Rig) -> CatchUp:
    return await check(rig.settings, load_catalog(None), FakeClock(rig.now))


async def test_without_a_database_a_catch_up_is_due(rig: Rig) -> None:
    assert await checked(rig) == CatchUp("weekly_refresh", "The database does not exist yet.")


async def test_after_a_complete_week_no_catch_up_is_due(rig: Rig) -> None:
    await rig.run(WeeklyRefresh())

    assert await checked(rig) == CatchUp(None, "2026-W47 is complete.")


async def test_with_a_missing_day_a_catch_up_is_due(rig: Rig) -> None:
    registry = rig.replay.registry
    assert registry is not None
    registry.overrides[LATE] = None
    await rig.run(WeeklyRefresh())

    found = await checked(rig)

    assert found.job == "weekly_refresh"
    assert found.reason.startswith("2026-W47 is incomplete: downloads:lancedb:nodejs (1 day missing)")


async def test_a_run_of_some_metrics_is_not_a_complete_run(rig: Rig) -> None:
    await rig.run(WeeklyRefresh(only=("downloads:*",)))

    assert await checked(rig) == CatchUp("weekly_refresh", "No complete run since 2026-11-23 06:00 UTC.")


async def test_the_run_of_the_previous_monday_does_not_count(rig: Rig) -> None:
    await rig.run(WeeklyRefresh())
    rig.now += timedelta(days=7)

    assert (await checked(rig)).job == "weekly_refresh"


async def test_during_a_run_no_catch_up_is_due(rig: Rig) -> None:
    await rig.run(WeeklyRefresh(only=("downloads:*",)))
    async with LanceDBStore.open(rig.settings) as store:
        await store.acquire_lease("other", "elsewhere", 1, rig.now, timedelta(minutes=2))

    assert await checked(rig) == CatchUp(None, "Run other holds the database.")


async def test_a_missed_daily_refresh_is_due_once_the_week_is_complete(rig: Rig) -> None:
    await rig.run(WeeklyRefresh())
    rig.now += ONE_DAY

    assert await checked(rig) == CatchUp("daily_refresh", "No daily refresh since 2026-11-24 08:45 UTC.")

    await rig.run(DailyRefresh())

    assert await checked(rig) == CatchUp(None, "2026-W47 is complete.")


async def test_the_age_of_the_data_is_that_of_the_slowest_source(rig: Rig) -> None:
    registry = rig.replay.registry
    assert registry is not None
    registry.overrides[LATE] = None
    await rig.run(WeeklyRefresh())

    gauges = await data_gauges(rig.settings, FakeClock(rig.now))

    assert gauges["PublishedThroughAgeDays"] == 2
    assert gauges["BadRunsInARow"] == 0


def program(rig: Rig, **environment: str) -> tuple[int, str]:
    """Run the program as systemd does; return its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "community_metrics.host.catch_up"],
        env={"CM_DB_PATH": str(rig.folder), **environment},
        cwd=rig.folder.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


async def test_the_exit_code_says_whether_a_refresh_is_due(rig: Rig) -> None:
    assert program(rig) == (0, "The database does not exist yet.\n")
    async with LanceDBStore.open(rig.settings) as store:
        await store.create_tables()
        await store.acquire_lease("other", "elsewhere", 1, datetime.now(UTC), timedelta(minutes=5))
    assert program(rig) == (10, "Run other holds the database.\n")
    code, printed = program(rig, CM_STORAGE_MODE="neither")
    assert (code, printed.partition(":")[0]) == (1, "Cannot check whether a catch-up is due")

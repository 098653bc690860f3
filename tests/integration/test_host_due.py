"""Whether a catch-up is due, asked of real tables: what is stored and what ran decides, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from community_metrics.catalog import load_catalog
from community_metrics.host.catch_up import Verdict, verdict
from community_metrics.host.monitor import data_gauges
from community_metrics.periods import ONE_DAY
from community_metrics.runs.registry import WeeklyRefresh
from community_metrics.storage import LanceDBStore
from tests.support.clock import NOON, FakeClock

if TYPE_CHECKING:
    from tests.support.jobs import Rig

SUNDAY = NOON.date() - ONE_DAY
LATE = ("npm", "@lancedb/lancedb", SUNDAY)


async def asked(rig: Rig) -> Verdict:
    return await verdict(rig.settings, load_catalog(None), FakeClock(rig.now))


async def test_an_empty_place_has_everything_to_catch_up(rig: Rig) -> None:
    assert await asked(rig) == Verdict(True, "There is no database yet.")


async def test_a_whole_week_is_left_alone(rig: Rig) -> None:
    await rig.run(WeeklyRefresh())

    assert await asked(rig) == Verdict(False, "2026-W47 is complete.")


async def test_a_day_that_came_late_is_asked_for_again(rig: Rig) -> None:
    registry = rig.replay.registry
    assert registry is not None
    registry.overrides[LATE] = None
    await rig.run(WeeklyRefresh())

    found = await asked(rig)

    assert found.is_due
    assert found.reason.startswith("2026-W47 is incomplete: downloads:lancedb:nodejs lacks 1 days")


async def test_a_run_that_got_only_some_is_no_weekly_run(rig: Rig) -> None:
    await rig.run(WeeklyRefresh(only=("downloads:*",)))

    assert await asked(rig) == Verdict(True, "No run has got everything since 2026-11-23 06:00 UTC.")


async def test_the_run_of_last_monday_is_not_this_mondays(rig: Rig) -> None:
    await rig.run(WeeklyRefresh())
    rig.now += timedelta(days=7)

    assert (await asked(rig)).is_due


async def test_a_run_under_way_is_waited_for(rig: Rig) -> None:
    await rig.run(WeeklyRefresh(only=("downloads:*",)))
    async with LanceDBStore.open(rig.settings) as store:
        await store.acquire_lease("other", "elsewhere", 1, rig.now, timedelta(minutes=2))

    assert await asked(rig) == Verdict(False, "Run other holds the database.")


async def test_the_slowest_source_decides_how_far_the_data_are_behind(rig: Rig) -> None:
    registry = rig.replay.registry
    assert registry is not None
    registry.overrides[LATE] = None
    await rig.run(WeeklyRefresh())

    gauges = await data_gauges(rig.settings, FakeClock(rig.now))

    assert gauges["SettledThroughAgeDays"] == 2
    assert gauges["BadRunsInARow"] == 0

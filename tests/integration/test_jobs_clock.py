"""A job on a machine whose clock is not that of the registries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.errors import ClockWrong
from community_metrics.model import RunStatus
from community_metrics.runs.registry import WeeklyRefresh
from tests.support.clock import NOON

if TYPE_CHECKING:
    from tests.support.jobs import Rig

LANCE = WeeklyRefresh(only=("downloads:lance:*", "stars:lance:github"))


@pytest.mark.parametrize("skew", [timedelta(days=400), timedelta(days=1), -timedelta(hours=1)])
async def test_a_run_whose_clock_is_far_from_the_registries_fails_and_stores_nothing(
    rig: Rig, skew: timedelta
) -> None:
    await rig.run(LANCE)
    before = await rig.stats()
    rig.replay.date = NOON
    rig.now = NOON + skew
    with pytest.raises(ClockWrong, match=r"Nothing was stored\. Fix: set the clock"):
        await rig.run(LANCE)
    assert await rig.stats() == before
    (failed,) = [run for run in await rig.runs() if run.status is RunStatus.FAILED]
    assert "This machine's clock is" in str(failed.error_summary)


async def test_a_dry_run_with_a_wrong_clock_fails_as_well(rig: Rig) -> None:
    rig.replay.date = NOON - timedelta(days=1)
    with pytest.raises(ClockWrong, match="clock is"):
        await rig.run(LANCE, dry_run=True)


async def test_minutes_before_midnight_at_the_registries_the_day_is_not_over(rig: Rig) -> None:
    rig.replay.date = datetime(2026, 11, 22, 23, 58, tzinfo=UTC)
    rig.now = datetime(2026, 11, 23, 0, 1, tzinfo=UTC)
    await rig.run(LANCE)
    rows = await rig.stats()
    assert max(row.period_end for row in rows if row.metric_id.startswith("downloads:")) == date(2026, 11, 21)
    assert [row.period_end for row in rows if row.metric_id.startswith("stars:")] == [date(2026, 11, 22)]

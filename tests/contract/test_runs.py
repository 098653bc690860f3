"""A run over every kind of storage: however it ends, the database is free afterwards."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.errors import StorageUnavailable
from community_metrics.model import Provenance, RunStatus
from community_metrics.runs.execute import Gathered, JobRequest, execute
from community_metrics.storage import LanceDBStore
from tests.support.clock import NOON, FakeClock
from tests.support.worlds import observed

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import Run
    from community_metrics.runs.execute import RunContext, Work
    from tests.support.worlds import World

RNG = random.Random(0)  # noqa: S311  run ids


def failing(_request: JobRequest, _catalog: Catalog, _now: datetime) -> Work:
    async def work(_context: RunContext) -> Gathered:
        raise StorageUnavailable("on purpose")

    return work


def bringing_one_row(_request: JobRequest, _catalog: Catalog, _now: datetime) -> Work:
    async def work(_context: RunContext) -> Gathered:
        return Gathered(observations=(observed(7),), provenance=Provenance.API)

    return work


async def test_a_run_that_failed_does_not_keep_the_next_one_waiting(world: World) -> None:
    clock = FakeClock(NOON)
    with pytest.raises(StorageUnavailable):
        await execute(failing, JobRequest("weekly_refresh"), world.settings, clock=clock, rng=RNG)
    report = await execute(
        bringing_one_row, JobRequest("weekly_refresh"), world.settings, clock=clock, rng=RNG
    )
    assert report.run.status is RunStatus.SUCCESS


async def test_a_machine_whose_clock_is_behind_does_not_wait_for_a_run_that_ended(world: World) -> None:
    await execute(bringing_one_row, JobRequest("seed"), world.settings, clock=FakeClock(NOON), rng=RNG)
    behind = FakeClock(NOON - timedelta(minutes=10))
    report = await execute(bringing_one_row, JobRequest("seed"), world.settings, clock=behind, rng=RNG)
    assert report.run.status is RunStatus.SUCCESS


async def test_what_was_merged_stays_counted_when_the_run_cannot_be_closed(world: World) -> None:
    class ClosesBadly(LanceDBStore):
        async def record_run(self, run: Run) -> None:
            if run.status is RunStatus.SUCCESS:
                raise StorageUnavailable("on purpose")
            await super().record_run(run)

    clock = FakeClock(NOON)
    with pytest.raises(StorageUnavailable):
        await execute(
            bringing_one_row, JobRequest("seed"), world.settings, clock=clock, rng=RNG, store_type=ClosesBadly
        )
    async with world.open() as store:
        (run,) = await store.runs(limit=5)
    assert (run.status, run.rows_inserted) == (RunStatus.FAILED, 1)

"""A run over every kind of storage: however it ends, the database is free afterwards."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from community_metrics.errors import SourceUnreachable, StorageUnavailable
from community_metrics.model import OutcomeStatus, Provenance, RunStatus
from community_metrics.runs.execute import execute
from community_metrics.runs.job import JobResult
from community_metrics.sources.base import FetchResult
from community_metrics.storage import LanceDBStore
from tests.support.clock import NOON, FakeClock
from tests.support.worlds import METRIC, OTHER, observed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import Run, RunOutcome
    from community_metrics.runs.job import RunContext, Work
    from tests.support.worlds import World

RNG = random.Random(0)  # noqa: S311  run ids


@dataclass(frozen=True)
class OneRow:
    """A job that reads one row; if it `fails`, another metric cannot be read, and then storage fails."""

    name: ClassVar[str] = "weekly_refresh"
    provenance: ClassVar[Provenance] = Provenance.API
    only: ClassVar[tuple[str, ...]] = ()
    retire: ClassVar[bool] = False

    fails: bool = False

    def prepare(self, _catalog: Catalog, _now: datetime) -> Work:
        async def work(context: RunContext) -> JobResult:
            context.record(FetchResult(METRIC, (observed(7),)))
            if self.fails:
                context.record(FetchResult(OTHER, error=SourceUnreachable(source="crates", subject="lance")))
                raise StorageUnavailable("on purpose")
            return JobResult()

        return work


async def test_a_run_that_failed_does_not_keep_the_next_one_waiting(world: World) -> None:
    clock = FakeClock(NOON)
    with pytest.raises(StorageUnavailable, match="on purpose"):
        await execute(OneRow(fails=True), world.settings, clock=clock, rng=RNG)
    report = await execute(OneRow(), world.settings, clock=clock, rng=RNG)
    assert report.run.status is RunStatus.SUCCESS


async def test_a_machine_whose_clock_is_behind_does_not_wait_for_a_run_that_ended(world: World) -> None:
    await execute(OneRow(), world.settings, clock=FakeClock(NOON), rng=RNG)
    behind = FakeClock(NOON - timedelta(minutes=10))
    report = await execute(OneRow(), world.settings, clock=behind, rng=RNG)
    assert report.run.status is RunStatus.SUCCESS


async def test_what_was_merged_stays_counted_when_the_run_cannot_be_closed(world: World) -> None:
    class ClosesBadly(LanceDBStore):
        async def record_run(self, run: Run) -> None:
            if run.status is RunStatus.SUCCESS:
                raise StorageUnavailable("on purpose")
            await super().record_run(run)

    clock = FakeClock(NOON)
    with pytest.raises(StorageUnavailable, match="on purpose"):
        await execute(OneRow(), world.settings, clock=clock, rng=RNG, store_type=ClosesBadly)
    async with world.open() as store:
        (run,) = await store.runs(limit=5)
    assert (run.status, run.rows_inserted) == (RunStatus.FAILED, 1)


async def test_a_run_stores_how_each_metric_ended(world: World) -> None:
    report = await execute(OneRow(), world.settings, clock=FakeClock(NOON), rng=RNG)
    async with world.open() as store:
        (outcome,) = await store.outcomes([report.run.ingestion_run_id])
    assert (outcome,) == report.outcomes
    assert (outcome.metric_id, outcome.status, outcome.observations) == (METRIC, OutcomeStatus.SUCCESS, 1)


async def test_a_run_that_storage_ended_stores_what_it_had_read_and_which_metrics_failed(
    world: World,
) -> None:
    with pytest.raises(StorageUnavailable, match="on purpose"):
        await execute(OneRow(fails=True), world.settings, clock=FakeClock(NOON), rng=RNG)
    async with world.open() as store:
        (run,) = await store.runs(limit=5)
        outcomes = await store.outcomes([run.ingestion_run_id])
    assert (run.status, run.rows_inserted) == (RunStatus.FAILED, 1)
    ended = {outcome.metric_id: outcome.status for outcome in outcomes}
    assert ended == {METRIC: OutcomeStatus.SUCCESS, OTHER: OutcomeStatus.FAILED}


async def test_a_run_is_closed_where_its_outcomes_cannot_be_stored(world: World) -> None:
    class KeepsNoOutcomes(LanceDBStore):
        async def record_outcomes(self, _outcomes: Sequence[RunOutcome]) -> None:
            raise StorageUnavailable("on purpose")

    with pytest.raises(StorageUnavailable, match="on purpose"):
        await execute(OneRow(), world.settings, clock=FakeClock(NOON), rng=RNG, store_type=KeepsNoOutcomes)
    async with world.open() as store:
        (run,) = await store.runs(limit=5)
    assert (run.status, run.rows_inserted) == (RunStatus.FAILED, 1)

"""A run that loses its lease writes nothing more, one that keeps it holds it to the end."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from community_metrics.errors import LeaseLost, RunInterrupted, StorageDenied, StorageUnavailable
from community_metrics.model import Provenance, RunStatus
from community_metrics.runs.execute import execute
from community_metrics.runs.job import JobResult
from community_metrics.runs.lock import HEARTBEAT_S, LEASE_TTL, database_lease
from community_metrics.sources.base import FetchResult
from community_metrics.storage import LanceDBReader, LanceDBStore
from tests.support.clock import NOON, FakeClock
from tests.support.jobs import RNG
from tests.support.worlds import METRIC, observed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.errors import StorageError
    from community_metrics.model import Lease, Run
    from community_metrics.runs.job import RunContext, Work
    from tests.support.jobs import Rig


@dataclass(frozen=True)
class Gathers:
    """A job that reads one row; `meanwhile` happens while it does."""

    meanwhile: Callable[[], Awaitable[object]]
    name: ClassVar[str] = "weekly_refresh"
    provenance: ClassVar[Provenance] = Provenance.API
    only: ClassVar[tuple[str, ...]] = ()
    retire: ClassVar[bool] = False

    def prepare(self, _catalog: Catalog, _now: datetime) -> Work:
        async def work(context: RunContext) -> JobResult:
            context.record(FetchResult(METRIC, (observed(7),)))
            await self.meanwhile()
            return JobResult()

        return work


async def taken_by_another(rig: Rig, clock: FakeClock) -> None:
    """Let this run's lease expire, as while it is suspended, and another machine take it."""
    clock.advance(LEASE_TTL.total_seconds() + 1)
    async with LanceDBStore.open(rig.settings) as other:
        await other.acquire_lease("other", "another-host", 1, clock.now(), LEASE_TTL)


async def test_a_run_whose_lease_is_taken_during_the_gather_writes_no_row(rig: Rig) -> None:
    clock = FakeClock(NOON)
    job = Gathers(lambda: taken_by_another(rig, clock))
    with pytest.raises(LeaseLost, match="run other on another-host holds it now"):
        await execute(job, rig.settings, clock=clock, rng=RNG)
    async with LanceDBReader.open(rig.settings) as reader:
        assert await reader.metrics() == []
        assert await reader.stats([METRIC]) == []
        lease = await reader.lease()
    assert lease is not None
    assert lease.run_id == "other"
    (run,) = await rig.runs()
    assert (run.status, run.rows_inserted) == (RunStatus.FAILED, 0)
    assert "lost the database" in str(run.error_summary)


async def test_the_lease_is_valid_for_two_minutes_and_several_heartbeats(rig: Rig) -> None:
    async with LanceDBStore.open(rig.settings) as store:
        await store.create_tables()
        async with database_lease(store, rig.settings, "own", FakeClock(NOON)):
            lease = await store.lease()
    assert lease is not None
    assert (lease.heartbeat_at, lease.expires_at) == (NOON, NOON + timedelta(minutes=2))
    assert LEASE_TTL.total_seconds() > 3 * HEARTBEAT_S


async def test_a_lost_lease_cancels_the_work_at_the_next_heartbeat(rig: Rig) -> None:
    clock, ended = FakeClock(NOON), []

    async def work(store: LanceDBStore) -> None:
        async with database_lease(store, rig.settings, "own", clock, heartbeat_s=0.05) as holder:
            await taken_by_another(rig, clock)
            try:
                await asyncio.sleep(20)
                pytest.fail("the work was not cancelled")
            finally:
                ended.append(holder.lost)

    async with LanceDBStore.open(rig.settings) as store:
        await store.create_tables()
        with pytest.raises(LeaseLost, match="run other on another-host"):
            await work(store)
    assert isinstance(ended[0], LeaseLost)


class Unsteady(LanceDBStore):
    """A store whose first renewal fails."""

    failure: ClassVar[StorageError]
    renewed: ClassVar[asyncio.Event]
    renewals: ClassVar[int] = 0

    async def renew_lease(self, lease: Lease, now: datetime, ttl: timedelta) -> Lease:
        type(self).renewals += 1
        if self.renewals == 1:
            raise self.failure
        renewed = await super().renew_lease(lease, now, ttl)
        self.renewed.set()
        return renewed


@pytest.mark.parametrize("failure", [StorageUnavailable("away"), StorageDenied("the key is being rotated")])
async def test_the_heart_goes_on_after_a_storage_error(rig: Rig, failure: StorageError) -> None:
    class Failing(Unsteady):
        renewed = asyncio.Event()

    Failing.failure = failure
    clock = FakeClock(NOON)
    async with Failing.open(rig.settings) as store:
        await store.create_tables()
        async with database_lease(store, rig.settings, "own", clock, heartbeat_s=0.02) as holder:
            clock.advance(60)
            await asyncio.wait_for(Failing.renewed.wait(), 20)
            lease = await store.lease()
            assert holder.lost is None
    assert lease is not None
    assert lease.expires_at == clock.now() + LEASE_TTL


class SignalledWhileClosing(LanceDBStore):
    """A store that sends its process a second signal when a failed run is closed."""

    async def record_run(self, run: Run) -> None:
        if run.finished_at is not None:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.05)
        await super().record_run(run)


async def test_a_second_signal_does_not_interrupt_the_closing_of_the_run(rig: Rig) -> None:
    async def stopped() -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(60)

    with pytest.raises(RunInterrupted, match="was stopped by SIGTERM"):
        await execute(
            Gathers(stopped),
            rig.settings,
            clock=FakeClock(NOON),
            rng=RNG,
            store_type=SignalledWhileClosing,
        )
    (run,) = await rig.runs()
    assert (run.status, run.error_summary) == (RunStatus.FAILED, "stopped by SIGTERM")
    assert run.is_aborted
    (outcome,) = await rig.outcomes()
    assert outcome.metric_id == METRIC
    async with LanceDBReader.open(rig.settings) as reader:
        lease = await reader.lease()
    assert lease is not None
    assert lease.expires_at < NOON

"""A lease is held by at most one run, and a run that lost it deletes nothing, wherever the database lives."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import LeaseLost, RunLocked, StorageError
from community_metrics.model import Lease, RunStatus
from community_metrics.runs.execute import execute
from community_metrics.runs.registry import BootstrapTables
from community_metrics.runs.repair import repair
from community_metrics.storage.leases import RELEASED
from community_metrics.storage.schemas import LEASES, STATS
from tests.contract.test_storage_contract import TTL, upsert
from tests.support.clock import FakeClock
from tests.support.enterprise import Fault
from tests.support.jobs import finished
from tests.support.worlds import METRIC, NOW, SmallPagesStore, observed_days, raw_table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from community_metrics.model import Run
    from community_metrics.storage import LanceDBStore
    from community_metrics.storage.connection import Database
    from tests.support.enterprise import Enterprise
    from tests.support.worlds import World

    Act = Callable[[], Awaitable[object]]

ROOT = Path(__file__).parents[2]
MUCH_LATER = timedelta(hours=1)


def lease_of(run_id: str, expires_at: datetime = NOW + TTL) -> Lease:
    return Lease("database", run_id, f"host of {run_id}", 22, NOW, expires_at)


async def taken_by(store: LanceDBStore, run_id: str, now: datetime = NOW) -> Lease:
    return await store.acquire_lease(run_id, f"host of {run_id}", 22, now, TTL)


async def insert(store: LanceDBStore, *leases: Lease) -> None:
    """Add rows like a server that allows two writers to insert one key at once."""
    await (await raw_table(store, LEASES)).add(LEASES.to_arrow(leases))


async def rows_of(store: LanceDBStore) -> list[Lease]:
    return await store._leases("database")


class Interrupted(SmallPagesStore):
    """Lets another run act before and after the reads of the stored leases, each action once."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.before_reads: list[Act] = []
        self.after_reads: list[Act] = []

    async def _leases(self, resource: str) -> list[Lease]:
        if self.before_reads:
            await self.before_reads.pop(0)()
        found = await super()._leases(resource)
        if self.after_reads:
            await self.after_reads.pop(0)()
        return found


# taking the lease


async def test_a_lease_that_is_released_between_the_merge_and_the_read_has_one_holder(world: World) -> None:
    async with world.open() as first, Interrupted.open(world.settings) as second:
        await first.create_tables()
        held = await taken_by(first, "run-1")
        second.before_reads = [partial(first.release_lease, held, NOW)]
        taken = await taken_by(second, "run-2")
        assert await rows_of(first) == [taken]
        with pytest.raises(RunLocked, match="run-2"):
            await taken_by(first, "run-3")


async def test_a_run_that_never_gets_a_lease_found_free_is_refused(world: World) -> None:
    async with world.open() as first, Interrupted.open(world.settings) as second:
        await first.create_tables()
        held = await taken_by(first, "run-1")
        second.before_reads = [partial(first.release_lease, held, NOW)] * 9
        second.after_reads = [partial(taken_by, first, "run-1")] * 9
        with pytest.raises(RunLocked, match=r"run-2 did not get the database: .* each of 5 tries"):
            await taken_by(second, "run-2")
        assert await rows_of(first) == [held]


async def test_of_two_runs_whose_rows_were_both_inserted_the_second_is_refused(world: World) -> None:
    async with world.open() as first, world.open() as second:
        await first.create_tables()
        held = await taken_by(first, "run-1")
        await insert(second, lease_of("run-2"))
        with pytest.raises(RunLocked, match="run-1"):
            await taken_by(second, "run-2")
        renewed = await first.renew_lease(held, NOW + timedelta(minutes=1), TTL)
        assert await first.lease() == renewed
        with pytest.raises(RunLocked, match="run-1"):
            await taken_by(second, "run-3")


async def test_an_expired_row_of_another_run_keeps_nobody_from_the_lease(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await insert(store, lease_of("dead", NOW - timedelta(seconds=1)), lease_of("dead-too", NOW))
        assert (await taken_by(store, "own")).run_id == "own"


async def test_two_rows_that_were_both_released_still_have_one_holder(world: World) -> None:
    async with world.open() as first, world.open() as second:
        await first.create_tables()
        await insert(first, lease_of("run-1", RELEASED), lease_of("run-2", RELEASED))
        held = await taken_by(first, "run-3")
        with pytest.raises(RunLocked, match="run-3"):
            await taken_by(second, "run-4")
        await first.release_lease(held, NOW)
        assert (await taken_by(second, "run-4")).run_id == "run-4"


async def test_an_expired_row_of_another_run_does_not_lock(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await insert(store, lease_of("run-1", NOW), lease_of("run-2", NOW - TTL))
        held = await taken_by(store, "run-3")
        # a server that inserted two rows at once: one of them expired and was never taken over
        await insert(store, lease_of("run-4", NOW))
        assert await taken_by(store, "run-3") == held


@pytest.mark.parametrize(
    "answer", [Fault(status=400), Fault(status=200, body="no rows"), Fault(hangs_up=True)]
)
async def test_a_lease_that_cannot_be_read_after_it_was_taken_is_released(
    enterprise_world: World, enterprise: Enterprise, answer: Fault
) -> None:
    async with enterprise_world.open() as first, enterprise_world.open() as second:
        await first.create_tables()
        enterprise.faults.append(replace(answer, path="*/leases/query/"))
        with pytest.raises(StorageError, match="leases"):
            await taken_by(first, "run-1")
        assert (await taken_by(second, "run-2")).run_id == "run-2"


async def test_whatever_ends_the_read_after_a_lease_was_taken_the_lease_is_released(world: World) -> None:
    class Broken(SmallPagesStore):
        async def _leases(self, resource: str) -> list[Lease]:
            raise TypeError("a bug")

    async with world.open() as store, Broken.open(world.settings) as broken:
        await store.create_tables()
        with pytest.raises(TypeError, match="a bug"):
            await taken_by(broken, "run-1")
        assert (await taken_by(store, "run-2")).run_id == "run-2"


async def test_a_lease_of_a_clock_far_ahead_does_not_lock_the_database(world: World) -> None:
    async with world.open() as ahead, world.open() as store:
        await store.create_tables()
        held = await taken_by(ahead, "run-1", NOW + timedelta(days=400))
        assert (await taken_by(store, "run-2")).run_id == "run-2"
        with pytest.raises(LeaseLost, match="run-2"):
            await ahead.renew_lease(held, NOW + timedelta(days=400), TTL)


async def test_two_processes_on_a_bucket_never_hold_the_lease_at_once(s3_world: World) -> None:
    names = ("a", "b")
    db_paths = [f"{s3_world.settings.db_path}/{number}" for number in range(10)]
    for db_path in db_paths:
        settings = s3_world.settings.model_copy(update={"db_path": db_path})
        async with SmallPagesStore.open(settings) as store:
            await store.create_tables()
    plan = {
        "start": time.monotonic() + 3,  # both have started by then
        "seconds": 40,
        "db_paths": db_paths,
        "aws_storage_options": s3_world.settings.aws_storage_options,
    }
    outcomes = await asyncio.gather(
        *(asyncio.to_thread(turns_of_a_process, plan | {"name": name}) for name in names)
    )
    assert all(outcomes), "each process held the lease"
    turns = sorted(turn for turns in outcomes for turn in turns)
    overlaps = [(one, two) for one, two in pairwise(turns) if one[0] == two[0] and two[1] <= one[2]]
    assert overlaps == []


def turns_of_a_process(plan: dict[str, Any]) -> list[tuple[int, float, float]]:
    """Return the turns (database, from, until) in which a process of its own held a lease."""
    command = [sys.executable, "-m", "tests.support.lease_process", json.dumps(plan)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    code, out, error = finished(process, timeout_s=100)
    assert code == 0, error
    return [(database, since, until) for database, since, until in json.loads(out)]


# losing the lease


async def test_a_renewal_that_arrives_after_the_release_has_no_effect(world: World) -> None:
    async with world.open() as first, world.open() as second:
        await first.create_tables()
        held = await taken_by(first, "run-1")
        await first.release_lease(held, NOW)
        with pytest.raises(LeaseLost, match="its lease was released"):
            await first.renew_lease(held, NOW, TTL)
        assert (await taken_by(second, "run-2")).run_id == "run-2"


async def test_the_error_of_a_lost_lease_names_what_is_stored_instead(world: World) -> None:
    async with world.open() as first, world.open() as second:
        await first.create_tables()
        held = await taken_by(first, "run-1")
        taken = await taken_by(second, "run-2", held.expires_at)
        with pytest.raises(LeaseLost, match=r"run-2 on host of run-2 holds it now.* 2026-11-23 12:05:00"):
            await first.renew_lease(held, held.expires_at, TTL)
        await second.release_lease(taken, held.expires_at)
        with pytest.raises(LeaseLost, match="run-2 on host of run-2 took the lease, which has expired since"):
            await first.renew_lease(held, held.expires_at, TTL)
        await (await raw_table(first, LEASES)).delete("true")
        with pytest.raises(LeaseLost, match="its lease is no longer stored"):
            await first.renew_lease(held, held.expires_at, TTL)
        assert await rows_of(first) == []  # a renewal inserts nothing


async def test_neither_a_renewal_nor_a_release_stores_a_lease_that_is_gone(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        held = await taken_by(store, "run-1")
        await (await raw_table(store, LEASES)).delete("true")
        with pytest.raises(LeaseLost, match="its lease is no longer stored"):
            await store.renew_lease(held, NOW, TTL)
        await store.release_lease(held, NOW)
        assert await rows_of(store) == []


# deleting


async def filled(store: LanceDBStore) -> None:
    """Store two days, each in two rows."""
    await store.create_tables()
    await upsert(store, observed_days(2))
    rows = await store.stats([METRIC])
    await (await raw_table(store, STATS)).add(STATS.to_arrow([*rows]))


async def test_a_run_that_lost_its_lease_neither_drops_nor_deletes(world: World) -> None:
    async with world.open() as first, world.open() as second:
        await filled(first)
        held = await taken_by(first, "run-1")
        renew = partial(first.renew_lease, held, held.expires_at, TTL)
        await taken_by(second, "run-2", held.expires_at)
        with pytest.raises(LeaseLost, match="run run-2 on host of run-2 holds it now"):
            await first.drop_tables(renew=renew)
        with pytest.raises(LeaseLost, match="run run-2 on host of run-2 holds it now"):
            await first.repair_duplicates(renew=renew)
        assert len(await second.stats([METRIC])) == 4


async def test_a_lease_that_is_lost_between_two_drops_keeps_the_tables_that_are_left(world: World) -> None:
    async with world.open() as first, Interrupted.open(world.settings) as second:
        await filled(second)
        held = await taken_by(second, "run-1")
        second.after_reads = [partial(taken_by, first, "run-2", held.expires_at)]
        with pytest.raises(LeaseLost, match="run run-2 on host of run-2 holds it now"):
            await second.drop_tables(renew=partial(second.renew_lease, held, NOW, TTL))
        others = {
            "deliveries",
            "digests",
            "events",
            "history",
            "last_reads",
            "raw_answers",
            "run_outcomes",
            "traffic_items",
            "witness",
        }
        assert await first._table_names() == {"leases", "stats", *others}
        assert len(await first.stats([METRIC])) == 4


class TakenOver(SmallPagesStore):
    """Loses its lease to a run on another machine as soon as it recorded its run, or found its copies."""

    async def _take_over(self) -> None:
        taken = await self.lease()
        assert taken is not None
        if taken.run_id != "elsewhere":
            async with SmallPagesStore.open(self._database.settings) as other:
                await taken_by(other, "elsewhere", taken.expires_at + MUCH_LATER)

    async def record_run(self, run: Run) -> None:
        await super().record_run(run)
        await self._take_over()

    async def find_duplicate_keys(self) -> dict[str, list[str]]:
        found = await super().find_duplicate_keys()
        await self._take_over()
        return found


async def test_a_reset_that_lost_its_lease_drops_nothing_and_is_closed_as_failed(world: World) -> None:
    async with world.open() as store:
        await filled(store)
        with pytest.raises(LeaseLost, match="run elsewhere on host of elsewhere"):
            await execute(
                BootstrapTables(reset=True, without_backup=True),
                world.settings,
                clock=FakeClock(NOW),
                store_type=TakenOver,
            )
        assert len(await store.stats([METRIC])) == 4
        [run] = await store.runs(limit=9)
        assert run.status is RunStatus.FAILED
        assert "lost the database" in (run.error_summary or "")


async def test_a_repair_that_lost_its_lease_deletes_nothing(world: World) -> None:
    async with world.open() as store:
        await filled(store)
        with pytest.raises(LeaseLost, match="run elsewhere on host of elsewhere"):
            await repair(world.settings, store_type=TakenOver)
        assert len(await store.stats([METRIC])) == 4

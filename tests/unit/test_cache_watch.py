"""How often the tables are looked at, and what requests get while a look fails or hangs."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import structlog

from community_metrics.api.cache.database import DataKey
from community_metrics.api.cache.watch import TableState, TableWatch
from community_metrics.errors import StorageDenied, StorageUnavailable
from tests.support.clock import NOON, FakeClock
from tests.support.tables import ScriptedDatabase

INTERVAL_S = 5.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def database(clock: FakeClock) -> ScriptedDatabase:
    return ScriptedDatabase(clock)


@pytest.fixture
def watch(database: ScriptedDatabase, clock: FakeClock) -> TableWatch:
    return TableWatch(database, clock, INTERVAL_S)


def seen(run_id: str, seconds: float = 0) -> TableState:
    return TableState(DataKey(((run_id, NOON),), ()), run_id, NOON + timedelta(seconds=seconds))


async def test_the_first_state_waits_for_the_first_look(watch: TableWatch) -> None:
    assert await watch.state() == seen("one")


@pytest.mark.parametrize(("later_s", "looks", "run_id"), [(0, 1, "one"), (4.9, 1, "one"), (5, 2, "two")])
async def test_the_tables_are_looked_at_once_an_interval(
    watch: TableWatch, database: ScriptedDatabase, later_s: float, looks: int, run_id: str
) -> None:
    await watch.state()
    database.run_id = "two"
    database.clock.advance(later_s)
    assert (await watch.state()).newest_run == run_id
    assert len(database.looks) == looks


async def test_the_interval_begins_when_a_look_ends_and_the_state_is_of_then(
    watch: TableWatch, database: ScriptedDatabase, clock: FakeClock
) -> None:
    database.takes_s = 3
    assert await watch.state() == seen("one", 3)
    clock.advance(INTERVAL_S - 0.1)
    await watch.state()
    assert database.looks == [NOON]
    clock.advance(0.1)
    await watch.state()
    assert database.looks == [NOON, NOON + timedelta(seconds=8)]


async def test_requests_at_one_time_share_a_look_though_the_first_client_leaves(
    watch: TableWatch, database: ScriptedDatabase
) -> None:
    database.may_look = asyncio.Event()
    first, *others = [asyncio.create_task(watch.state()) for _ in range(4)]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    database.may_look.set()
    assert await asyncio.gather(*others) == [seen("one")] * 3
    assert len(database.looks) == 1


async def test_a_failed_look_keeps_the_last_state_until_one_succeeds(
    watch: TableWatch, database: ScriptedDatabase, clock: FakeClock
) -> None:
    await watch.state()
    database.failure = StorageUnavailable("away")
    clock.advance(INTERVAL_S)
    failed = await watch.state()
    assert (failed.data, failed.newest_run, failed.seen_at) == (seen("one").data, "one", NOON)
    assert failed.failure is database.failure
    clock.advance(INTERVAL_S - 1)
    await watch.state()
    assert len(database.looks) == 2
    database.failure = None
    clock.advance(1)
    assert await watch.state() == seen("one", 2 * INTERVAL_S)


async def test_an_error_that_is_not_of_storage_reaches_the_request(
    watch: TableWatch, database: ScriptedDatabase
) -> None:
    database.failure = TypeError("a bug")
    with pytest.raises(TypeError, match="a bug"):
        await watch.state()
    database.failure = None
    assert await watch.state() == seen("one")


async def test_a_slow_look_is_waited_for_when_the_tables_were_seen_before(
    watch: TableWatch, database: ScriptedDatabase, clock: FakeClock
) -> None:
    await watch.state()
    clock.advance(INTERVAL_S)
    database.run_id, database.may_look = "two", asyncio.Event()
    asyncio.get_running_loop().call_later(0.4, database.may_look.set)
    assert (await watch.state()).newest_run == "two"


async def test_a_look_that_hangs_while_storage_is_away_is_hardly_waited_for(
    watch: TableWatch, database: ScriptedDatabase, clock: FakeClock
) -> None:
    await watch.state()
    database.failure = StorageUnavailable("away")
    clock.advance(INTERVAL_S)
    await watch.state()
    clock.advance(INTERVAL_S)
    database.may_look = asyncio.Event()
    began = asyncio.get_running_loop().time()
    assert (await asyncio.wait_for(watch.state(), 20)).failure is database.failure
    assert asyncio.get_running_loop().time() - began < 2.9  # the limit of a first failure is 3 s
    assert len(database.looks) == 3
    database.may_look.set()


async def test_an_outage_is_logged_when_it_begins_changes_and_ends(
    watch: TableWatch, database: ScriptedDatabase, clock: FakeClock
) -> None:
    outages = [None, "away", "still away", StorageDenied("the key"), None, None]
    with structlog.testing.capture_logs() as lines:
        for outage in outages:
            database.failure = StorageUnavailable(outage) if isinstance(outage, str) else outage
            await watch.state()
            clock.advance(INTERVAL_S)
    assert lines == [
        {"event": "storage failed", "reason": "away", "log_level": "error"},
        {"event": "storage failed", "reason": "the key", "log_level": "error"},
        {"event": "storage available again", "log_level": "info"},
    ]

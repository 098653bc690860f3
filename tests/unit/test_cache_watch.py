"""How often the tables are looked at, and what requests get while a look fails or hangs."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import structlog

from community_metrics.api.cache.database import DataKey
from community_metrics.api.cache.watch import WAIT_S, WAIT_WHILE_DOWN_S, TableState, TableWatch
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


# how long a request waits for a look

ANY_TIME_S, NO_TIME_S, TEST_LIMIT_S = 3600.0, 0.01, 20.0


async def seen_and_due(watch: TableWatch, database: ScriptedDatabase, failure: Exception | None) -> None:
    """Look once, and once more for a failure; the next request needs a look, which waits for the test."""
    await watch.state()
    if failure is not None:
        database.clock.advance(INTERVAL_S)
        database.failure = failure
        await watch.state()
    database.clock.advance(INTERVAL_S)
    database.failure, database.run_id, database.may_look = None, "two", asyncio.Event()


AWAY = StorageUnavailable("away")


@pytest.mark.parametrize(
    ("failure", "wait_s", "wait_while_down_s"),
    [(None, NO_TIME_S, ANY_TIME_S), (AWAY, ANY_TIME_S, NO_TIME_S)],
    ids=["storage is up", "storage is down"],
)
async def test_a_request_waits_no_longer_than_the_limit_and_the_look_goes_on(
    database: ScriptedDatabase, failure: Exception | None, wait_s: float, wait_while_down_s: float
) -> None:
    watch = TableWatch(
        database, database.clock, INTERVAL_S, wait_s=wait_s, wait_while_down_s=wait_while_down_s
    )
    await seen_and_due(watch, database, failure)
    state = await asyncio.wait_for(watch.state(), TEST_LIMIT_S)
    assert (state.newest_run, state.failure) == ("one", failure)
    looks = len(database.looks)
    assert database.may_look is not None
    database.may_look.set()
    async with asyncio.timeout(TEST_LIMIT_S):
        while state.newest_run == "one":
            state = await watch.state()
    assert (state.newest_run, state.failure, len(database.looks)) == ("two", None, looks)


@pytest.mark.parametrize(
    ("failure", "wait_s", "wait_while_down_s"),
    [(None, ANY_TIME_S, NO_TIME_S), (AWAY, NO_TIME_S, ANY_TIME_S)],
    ids=["storage is up", "storage is down"],
)
async def test_a_look_that_ends_before_the_limit_is_waited_for(
    database: ScriptedDatabase, failure: Exception | None, wait_s: float, wait_while_down_s: float
) -> None:
    watch = TableWatch(
        database, database.clock, INTERVAL_S, wait_s=wait_s, wait_while_down_s=wait_while_down_s
    )
    await seen_and_due(watch, database, failure)
    assert database.may_look is not None
    asyncio.get_running_loop().call_later(5 * NO_TIME_S, database.may_look.set)
    assert (await watch.state()).newest_run == "two"


async def test_the_first_look_has_no_limit(database: ScriptedDatabase) -> None:
    watch = TableWatch(database, database.clock, INTERVAL_S, wait_s=NO_TIME_S, wait_while_down_s=NO_TIME_S)
    database.may_look = asyncio.Event()
    asyncio.get_running_loop().call_later(5 * NO_TIME_S, database.may_look.set)
    assert await watch.state() == seen("one")


async def test_a_storage_that_was_never_reached_is_waited_for_no_longer_than_one_that_went_away(
    database: ScriptedDatabase,
) -> None:
    watch = TableWatch(database, database.clock, INTERVAL_S, wait_s=ANY_TIME_S, wait_while_down_s=NO_TIME_S)
    database.failures = [AWAY]
    await watch.state()
    database.clock.advance(INTERVAL_S)
    database.may_look = asyncio.Event()
    assert (await asyncio.wait_for(watch.state(), TEST_LIMIT_S)).failure is AWAY
    database.may_look.set()


def test_the_limits_are_a_few_seconds_and_a_quarter_of_one_while_storage_is_down() -> None:
    assert (WAIT_S, WAIT_WHILE_DOWN_S) == (3.0, 0.25)


async def test_a_look_of_half_a_second_is_waited_for_without_limits_of_ones_own(
    watch: TableWatch, database: ScriptedDatabase
) -> None:
    await seen_and_due(watch, database, None)
    assert database.may_look is not None
    asyncio.get_running_loop().call_later(0.4, database.may_look.set)
    assert (await watch.state()).newest_run == "two"


async def test_a_look_that_hangs_while_storage_is_down_is_not_waited_for_without_limits_of_ones_own(
    watch: TableWatch, database: ScriptedDatabase
) -> None:
    await seen_and_due(watch, database, AWAY)
    assert (await asyncio.wait_for(watch.state(), TEST_LIMIT_S)).failure is AWAY
    assert len(database.looks) == 3
    assert database.may_look is not None
    database.may_look.set()


# the log


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

"""What the API's connection sees of a folder: one version of every table, until a run has ended."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from community_metrics.api.cache.database import DataKey, ReadDatabase
from community_metrics.errors import StorageUnavailable
from community_metrics.model import Provenance, RunStatus
from community_metrics.storage import LanceDBReader
from tests.support.clock import NOON
from tests.support.rows import run
from tests.support.worlds import METRIC, observed, values

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from community_metrics.model import Lease, Run
    from community_metrics.storage import LanceDBStore
    from tests.support.worlds import World

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TTL = timedelta(minutes=2)


@pytest.fixture
async def store(local_world: World) -> AsyncIterator[LanceDBStore]:
    """A writer of the folder, after one closed run that stored the value 1."""
    async with local_world.open() as opened:
        await opened.create_tables()
        await put(opened, 1)
        await opened.record_run(run(NOON - DAY, run_id="first"))
        yield opened


@pytest.fixture
async def database(local_world: World, store: LanceDBStore) -> AsyncIterator[ReadDatabase]:
    opened = ReadDatabase(local_world.settings)
    yield opened
    await opened.close()


async def put(store: LanceDBStore, value: int) -> None:
    await store.upsert_observations([observed(value)], provenance=Provenance.API, run_id="r", now=NOON)


async def shown(database: ReadDatabase) -> list[int]:
    async def load(reader: LanceDBReader) -> list[int]:
        return values(await reader.stats([METRIC]))

    return (await database.read(load, NOON))[0]


def closed(run_id: str, started_at: timedelta) -> Run:
    return run(NOON + started_at, run_id=run_id)


async def test_a_database_without_a_run_has_no_newest_run(local_world: World) -> None:
    database = ReadDatabase(local_world.settings)
    async with local_world.open() as store:
        await store.create_tables()
    tables = await database.look(NOON)
    assert (tables.newest_run, tables.key) == (None, DataKey((), ()))
    await database.close()


async def test_what_a_run_merges_is_shown_when_it_closes_and_not_half_of_it_before(
    database: ReadDatabase, store: LanceDBStore
) -> None:
    assert await shown(database) == [1]
    first = await database.look(NOON)
    assert first.key == DataKey((("first", NOON - DAY + MINUTE),), ())
    await store.acquire_lease("second", "host", 1, NOON, TTL)
    await store.record_run(run(NOON, RunStatus.RUNNING, run_id="second"))
    await put(store, 2)
    during = await database.look(NOON)
    assert (await shown(database), during.key, during.newest_run) == ([1], first.key, "second")
    await store.record_run(closed("second", timedelta(0)))
    after = await database.look(NOON)
    assert (await shown(database), after.key == first.key, after.newest_run) == ([2], False, "second")


async def test_a_run_that_lost_its_lease_shows_what_it_merged(
    database: ReadDatabase, store: LanceDBStore
) -> None:
    await store.acquire_lease("second", "host", 1, NOON, TTL)
    await store.record_run(run(NOON, RunStatus.RUNNING, run_id="second"))
    assert (await database.look(NOON)).key.abandoned_runs == ()
    await put(store, 2)
    assert (await database.look(NOON + TTL)).key.abandoned_runs == ("second",)
    assert await shown(database) == [2]


async def test_the_key_has_the_four_newest_closed_runs_beside_those_of_a_clock_ahead(
    database: ReadDatabase, store: LanceDBStore
) -> None:
    midnight = NOON + timedelta(hours=12)
    assert midnight.hour == 0
    ahead, tonight = midnight - NOON, midnight - NOON - timedelta(microseconds=1)
    for number in range(5):
        await store.record_run(closed(f"run-{number}", -timedelta(hours=number)))
    await store.record_run(closed("ahead", ahead))
    assert [one for one, _ in (await database.look(NOON)).key.closed_runs] == [
        "ahead",
        *(f"run-{number}" for number in range(4)),
    ]
    await store.record_run(closed("tonight", tonight))
    key = (await database.look(NOON)).key
    assert [one for one, _ in key.closed_runs] == ["ahead", "tonight", "run-0", "run-1", "run-2"]
    assert key.closed_runs[1] == ("tonight", NOON + tonight + MINUTE)


async def test_while_a_run_is_open_each_look_has_its_newest_lease_and_record_over_the_same_rows(
    database: ReadDatabase, store: LanceDBStore
) -> None:
    async def load(reader: LanceDBReader) -> tuple[Lease | None, Run, list[int]]:
        lease, (newest,) = await reader.lease(), await reader.runs(limit=1)
        return lease, newest, values(await reader.stats([METRIC]))

    lease = await store.acquire_lease("second", "host", 1, NOON, TTL)
    record = run(NOON, RunStatus.RUNNING, run_id="second")
    await store.record_run(record)
    await database.look(NOON)
    await put(store, 2)
    lease = await store.renew_lease(lease, NOON + MINUTE, TTL)
    await database.look(NOON)
    assert (await database.read(load, NOON))[0] == (lease, record, [1])
    record = replace(record, rows_inserted=7)
    await store.record_run(record)
    await database.look(NOON)
    assert (await database.read(load, NOON))[0] == (lease, record, [1])


@pytest.mark.parametrize("is_open", [False, True])
async def test_a_look_that_finds_nothing_new_keeps_the_snapshot(
    database: ReadDatabase, store: LanceDBStore, is_open: bool
) -> None:
    if is_open:
        await store.acquire_lease("second", "host", 1, NOON, TTL)
        await store.record_run(run(NOON, RunStatus.RUNNING, run_id="second"))
    first = await database.look(NOON)
    assert await database.look(NOON + MINUTE) is first


async def test_a_run_whose_end_changes_changes_the_key(database: ReadDatabase, store: LanceDBStore) -> None:
    before = (await database.look(NOON)).key
    await store.record_run(replace(closed("first", -DAY), finished_at=NOON))
    assert (await database.look(NOON)).key != before


async def test_a_read_has_the_version_of_every_table(database: ReadDatabase, store: LanceDBStore) -> None:
    async def nothing(_reader: LanceDBReader) -> None:
        return None

    _, before = await database.read(nothing, NOON)
    await put(store, 2)
    await store.record_run(closed("second", timedelta(0)))
    await database.look(NOON)
    _, after = await database.read(nothing, NOON)
    grown = {name for name in after if after[name] > before[name]}
    assert grown == {"stats", "history"}


async def test_the_reader_for_exports_reads_the_newest_rows_over_one_connection(
    database: ReadDatabase, store: LanceDBStore
) -> None:
    assert values(await database.reader.stats([METRIC])) == [1]
    await put(store, 2)
    assert values(await database.reader.stats([METRIC])) == [2]
    assert database.reader is database.reader


class Scripted(LanceDBReader):
    """A reader whose next reads of runs fail or wait."""

    failures: ClassVar[list[StorageUnavailable]] = []
    may_read: ClassVar[asyncio.Event | None] = None
    reads: ClassVar[int] = 0
    leases: ClassVar[int] = 0

    async def lease(self, *args: Any) -> Lease | None:
        type(self).leases += 1
        return await super().lease(*args)

    async def runs(self, **options: Any) -> list[Run]:
        type(self).reads += 1
        if self.may_read is not None:
            await self.may_read.wait()
        if self.failures:
            raise self.failures.pop(0)
        return await super().runs(**options)


@pytest.fixture
async def scripted(local_world: World, store: LanceDBStore) -> AsyncIterator[ReadDatabase]:
    Scripted.failures, Scripted.may_read, Scripted.reads, Scripted.leases = [], None, 0, 0
    opened = ReadDatabase(local_world.settings, read_timeout_s=5, reader_type=Scripted)
    yield opened
    await opened.close()


async def test_looks_at_one_time_are_one_though_the_first_client_leaves(scripted: ReadDatabase) -> None:
    Scripted.may_read = asyncio.Event()
    first, *others = [asyncio.create_task(scripted.look(NOON)) for _ in range(3)]
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.wait([first])
    Scripted.may_read.set()
    found = await asyncio.gather(*others)
    assert {tables.newest_run for tables in found} == {"first"}
    assert Scripted.reads == 1
    await scripted.look(NOON)
    assert Scripted.reads == 2


async def test_a_look_that_takes_too_long_is_an_outage_and_the_next_one_is_new(
    local_world: World, store: LanceDBStore
) -> None:
    Scripted.failures, Scripted.may_read = [], asyncio.Event()
    database = ReadDatabase(local_world.settings, read_timeout_s=0.25, reader_type=Scripted)
    with pytest.raises(StorageUnavailable, match=r"^LanceDB did not respond within 0\.25 s\.$"):
        await asyncio.wait_for(database.look(NOON), 20)
    Scripted.may_read = None
    database.read_timeout_s = 20  # type: ignore[misc]  # a busy machine
    assert (await database.look(NOON)).newest_run == "first"
    await database.close()


class Load:
    """Reads the values, but not from the first reader: a run has removed its files."""

    def __init__(self) -> None:
        self.readers: list[LanceDBReader] = []

    async def __call__(self, reader: LanceDBReader) -> list[int]:
        self.readers.append(reader)
        if len(self.readers) == 1:
            raise StorageUnavailable("a file is gone")
        return values(await reader.stats([METRIC]))


async def test_a_read_whose_files_a_run_removed_is_read_once_more_from_a_new_snapshot(
    database: ReadDatabase, store: LanceDBStore
) -> None:
    load = Load()
    await database.look(NOON)
    await put(store, 2)
    found, versions = await database.read(load, NOON)
    assert (found, len(load.readers)) == ([2], 2)
    assert await database.read(load, NOON) == ([2], versions)


async def test_a_look_reads_the_runs_once_and_the_lease_while_one_is_open(
    scripted: ReadDatabase, store: LanceDBStore
) -> None:
    async def read_by_a_look() -> tuple[int, int]:
        Scripted.reads, Scripted.leases = 0, 0
        await scripted.look(NOON)
        return Scripted.reads, Scripted.leases

    assert [await read_by_a_look() for _ in range(2)] == [(1, 0), (1, 0)]
    await store.acquire_lease("second", "host", 1, NOON, TTL)
    await store.record_run(run(NOON, RunStatus.RUNNING, run_id="second"))
    assert await read_by_a_look() == (2, 1)  # the lease is read first, so the look begins again
    assert [await read_by_a_look() for _ in range(2)] == [(1, 1), (1, 1)]
    await store.record_run(closed("second", timedelta(0)))
    assert [await read_by_a_look() for _ in range(2)] == [(1, 0), (1, 0)]


async def test_a_look_under_way_does_not_keep_a_snapshot_whose_files_a_run_removed(
    scripted: ReadDatabase, store: LanceDBStore
) -> None:
    load = Load()
    await scripted.look(NOON)
    await put(store, 2)
    Scripted.may_read = asyncio.Event()
    looking = asyncio.create_task(scripted.look(NOON))
    reading = asyncio.create_task(scripted.read(load, NOON))
    while not load.readers:  # noqa: ASYNC110  a plain list
        await asyncio.sleep(0)
    Scripted.may_read.set()
    assert (await reading)[0] == [2]
    assert (await looking).snapshot.reader is load.readers[1]


async def test_a_read_that_fails_twice_is_an_error_and_the_next_one_starts_anew(
    database: ReadDatabase,
) -> None:
    async def fails(_reader: LanceDBReader) -> None:
        raise StorageUnavailable("away")

    with pytest.raises(StorageUnavailable, match="away"):
        await database.read(fails, NOON)
    assert await shown(database) == [1]


async def test_a_closed_database_opens_again_at_the_next_read(
    local_world: World, store: LanceDBStore
) -> None:
    database = ReadDatabase(local_world.settings)
    assert values(await database.reader.stats([METRIC])) == [1]
    assert await shown(database) == [1]
    await put(store, 2)
    for _ in range(2):
        await database.close()
    assert values(await database.reader.stats([METRIC])) == [2]
    assert await shown(database) == [2]
    await database.close()


@pytest.mark.parametrize("ends_by", ["an error", "closing"])
async def test_a_look_that_nobody_waits_for_ends_without_a_report_of_asyncio(
    scripted: ReadDatabase, ends_by: str
) -> None:
    reports: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, report: reports.append(report))
    Scripted.may_read = asyncio.Event()
    client = asyncio.create_task(scripted.look(NOON))
    await asyncio.sleep(0.01)
    client.cancel()
    await asyncio.wait([client])
    if ends_by == "closing":
        await scripted.close()
    else:
        Scripted.failures = [StorageUnavailable("away")]
        Scripted.may_read.set()
        while Scripted.failures:  # noqa: ASYNC110  a plain list
            await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    Scripted.may_read.set()
    await scripted.look(NOON)  # the database keeps its latest look alone
    gc.collect()
    assert reports == []


async def test_closing_ends_a_look_under_way(scripted: ReadDatabase) -> None:
    Scripted.may_read = asyncio.Event()
    looking = asyncio.create_task(scripted.look(NOON))
    await asyncio.sleep(0.01)
    await scripted.close()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(looking, 20)

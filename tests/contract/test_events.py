"""Events: one row for each, however often it is read, which no removal erases, in every storage."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from community_metrics.model import EventKind, UpsertCounts
from community_metrics.storage.schemas import EVENTS
from tests.support.events import note, release
from tests.support.worlds import NOW, only_writer, raw_table

if TYPE_CHECKING:
    from tests.support.worlds import World

LATER = NOW + timedelta(days=1)


async def test_an_event_comes_back_as_it_was_written(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        written = [release(title="Lance 'ü' 0.38.1"), note(at=LATER)]
        assert await store.upsert_events(written) == UpsertCounts(2, 0, 0)
        assert await store.events() == written


async def test_an_event_that_is_read_again_writes_no_version(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await store.upsert_events([release()])
        before = await store.table_versions()
        again = release(recorded_at=LATER, ingestion_run_id="run-2")
        assert await store.upsert_events([again]) == UpsertCounts(0, 0, 1)
        assert await store.upsert_events([]) == UpsertCounts()
        assert await store.table_versions() == before


async def test_what_an_origin_changes_is_written_and_the_rest_is_kept(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        removed = release(removed_at=NOW, removed_by="Prashanth")
        await store.write_events([removed])
        renamed = release(title="Lance 0.38.1", recorded_at=LATER, ingestion_run_id="run-2")
        assert await store.upsert_events([renamed]) == UpsertCounts(0, 1, 0)
        assert await store.events() == []
        assert await store.events(with_removed=True) == [replace(removed, title="Lance 0.38.1")]


async def test_events_are_found_by_their_days_kind_origin_and_id(world: World) -> None:
    first, second = release(), note(at=LATER)
    async with world.open() as store:
        await store.create_tables()
        await store.upsert_events([second, first])
        assert await store.events(until=NOW.date()) == [first]
        assert await store.events(since=LATER.date()) == [second]
        assert await store.events(kind=EventKind.NOTE) == [second]
        assert await store.events(origin="crates:lance") == [first]
        assert await store.events(event_ids=["note:1", "unknown"]) == [second]
        assert await store.events(event_ids=[]) == []


async def test_a_database_of_an_earlier_version_has_no_events(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        connection = await store._database.connection()
        await connection.drop_table(EVENTS.name)
    async with world.open() as store:
        assert await store.events() == []
        await store.create_tables()
        await store.upsert_events([release()])
        assert await store.events() == [release()]


async def test_of_two_copies_of_an_event_the_removed_one_is_read_and_kept(world: World) -> None:
    removed = release(removed_at=LATER, removed_by="Prashanth")
    async with world.open() as store:
        await store.create_tables()
        await store.upsert_events([release()])
        table: Any = await raw_table(store, EVENTS)
        await table.add(EVENTS.to_arrow([removed]))
        assert await store.events(with_removed=True) == [removed]
        assert [row.table for row in await store.repair_duplicates(renew=only_writer)] == [EVENTS.name]
        assert await store.events(with_removed=True) == [removed]
        assert await store.violations() == []

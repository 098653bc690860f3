"""Lists of places: one row for each metric and day, which a merge replaces whole, in every storage."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from community_metrics.model import TrafficSet, UpsertCounts
from community_metrics.storage.schemas import TRAFFIC_ITEMS
from tests.support.worlds import NOW, only_writer, raw_table

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.storage import LanceDBStore
    from tests.support.worlds import World

METRIC, OTHER = "referrers:lance:github", "paths:lance:github"
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
LATER = NOW + timedelta(hours=1)


def listed(
    *names: str, day: date = TODAY, metric_id: str = METRIC, at: datetime = NOW, titles: bool = False
) -> TrafficSet:
    counts = tuple(range(len(names), 0, -1))
    shown = tuple(f"Title of {name}" for name in names) if titles else ()
    return TrafficSet(metric_id, day, names, shown, counts, counts, at, "https://registry.example/x")


async def names(store: LanceDBStore, metric_id: str = METRIC) -> dict[date, tuple[str, ...]]:
    return {row.day: row.names for row in await store.traffic_sets(metric_id)}


async def write(store: LanceDBStore, *sets: TrafficSet, run_id: str = "run-1") -> UpsertCounts:
    return await store.upsert_traffic(sets, run_id=run_id)


async def test_a_list_comes_back_as_it_was_written(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        with_titles = listed("/a'b", "/ü", metric_id=OTHER, titles=True)
        assert await write(store, listed("Google", "Bing"), with_titles) == UpsertCounts(2, 0, 0)
        [row] = await store.traffic_sets(OTHER)
        assert (row.names, row.titles) == (("/a'b", "/ü"), ("Title of /a'b", "Title of /ü"))
        assert (row.counts, row.uniques, row.ingestion_run_id) == ((2, 1), (2, 1), "run-1")
        assert row.item_key == f"{OTHER}|{TODAY}"


async def test_a_later_list_replaces_the_whole_one_of_its_day_and_no_other(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await write(store, listed("Google", "Bing", "t.co"), listed("Bing", day=YESTERDAY))
        assert await write(store, listed("Google", at=LATER), run_id="run-2") == UpsertCounts(0, 1, 0)
        assert await names(store) == {YESTERDAY: ("Bing",), TODAY: ("Google",)}


async def test_an_equal_list_and_an_older_one_write_no_version(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await write(store, listed("Google", at=LATER))
        before = await store.table_versions()
        assert await write(store, listed("Google", at=LATER + timedelta(hours=1))) == UpsertCounts(0, 0, 1)
        assert await write(store, listed("Bing", at=NOW)) == UpsertCounts(0, 0, 1)
        assert await write(store) == UpsertCounts()
        assert await store.table_versions() == before


async def test_an_empty_list_replaces_a_full_one(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await write(store, listed("Google"))
        await write(store, listed(at=LATER))
        assert await names(store) == {TODAY: ()}


async def test_a_database_of_an_earlier_version_has_no_lists(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        connection = await store._database.connection()
        await connection.drop_table(TRAFFIC_ITEMS.name)
    async with world.open() as store:
        assert await store.traffic_sets(METRIC) == []
        await store.create_tables()
        await write(store, listed("Google"))
        assert await names(store) == {TODAY: ("Google",)}


async def test_of_two_copies_of_a_key_the_newest_is_read_and_kept(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await write(store, listed("Google"))
        [row] = await store.traffic_sets(METRIC)
        table: Any = await raw_table(store, TRAFFIC_ITEMS)
        copy = type(row)(
            **{name: getattr(row, name) for name in TRAFFIC_ITEMS.columns}
            | {
                "names": ("Bing",),
                "observed_at": LATER,
            }
        )
        await table.add(TRAFFIC_ITEMS.to_arrow([copy]))
        assert await names(store) == {TODAY: ("Bing",)}
        assert [dropped.table for dropped in await store.repair_duplicates(renew=only_writer)] == [
            TRAFFIC_ITEMS.name
        ]
        assert await names(store) == {TODAY: ("Bing",)}


async def test_a_list_from_the_future_is_found_and_deleted(world: World) -> None:
    far = NOW + timedelta(days=400)
    async with world.open() as store:
        await store.create_tables()
        await write(store, listed("Google"), listed("Bing", day=far.date(), at=far))
        [found] = await store.delete_future(NOW, renew=only_writer)
        assert (found.table, found.key) == (TRAFFIC_ITEMS.name, f"{METRIC}|{far.date()}")
        assert list(await names(store)) == [TODAY]

"""Digests: stored once, never changed, and read back as they were, in every storage."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from community_metrics.periods import Grain, period_named
from community_metrics.storage.schemas import DIGESTS
from community_metrics.storage.sql import has_any
from tests.support.digests import a_stored_digest
from tests.support.worlds import NOW

if TYPE_CHECKING:
    from community_metrics.model import StoredDigest
    from tests.support.worlds import World

LATER = NOW + timedelta(days=1)
QUOTED = "it's"


def of_week(label: str, **changes: object) -> StoredDigest:
    week = period_named(label, Grain.WEEK)
    assert week is not None
    usual = {"digest_id": label, "period": label, "period_start": week.start, "period_end": week.end}
    return a_stored_digest(**usual | changes)


async def test_a_digest_comes_back_as_it_was_written(world: World) -> None:
    written = a_stored_digest(content='{"sentence": "Lance \'ü\' 日"}', origins=("crates:lance",))
    async with world.open() as store:
        await store.create_tables()
        await store.write_digest(written)
        assert await store.digests(limit=9) == [written]


async def test_a_stored_digest_is_never_changed(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await store.write_digest(a_stored_digest())
        await store.write_digest(a_stored_digest(content="another", made_at=LATER))
        assert await store.digests(limit=9) == [a_stored_digest()]


async def test_digests_are_found_by_id_period_and_length_the_newest_first(world: World) -> None:
    old, new = of_week("2026-W46"), of_week("2026-W47")
    again = of_week("2026-W47", digest_id="2026-W47-e2", made_at=LATER, edition=2)
    month = a_stored_digest(digest_id="2026-10", grain=Grain.MONTH, period="2026-10")
    async with world.open() as store:
        await store.create_tables()
        for digest in (new, old, again, month):
            await store.write_digest(digest)
        assert await store.digests(limit=9, grain=Grain.WEEK) == [again, new, old]
        assert await store.digests(limit=9, grain=Grain.WEEK, before=new.period_start) == [old]
        assert await store.digests(limit=9, digest_id="2026-10") == [month]
        assert await store.digests(limit=9, period="2026-W46") == [old]
        assert len(await store.digests(limit=2)) == 2


async def test_a_stored_digest_breaks_no_rule(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await store.write_digest(a_stored_digest())
        assert await store.violations() == []


async def test_digests_are_chosen_by_what_they_name(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        for name, named in (("a", ("x", QUOTED)), ("b", ()), ("c", ("y",))):
            await store.write_digest(a_stored_digest(digest_id=name, metric_ids=named))
        where = f"NOT {has_any('metric_ids', ('z', QUOTED))}"
        found = [batch async for batch in store.scan(DIGESTS.name, columns=["digest_id"], where=where)]
    assert {name for batch in found for name in batch["digest_id"].to_pylist()} == {"b", "c"}


async def test_a_database_of_an_earlier_version_has_no_digests(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        connection = await store._database.connection()
        await connection.drop_table(DIGESTS.name)
    async with world.open() as store:
        assert await store.digests(limit=9) == []
        await store.create_tables()
        await store.write_digest(a_stored_digest())
        assert await store.digests(limit=9) == [a_stored_digest()]

"""The table of kept answers, in every mode."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from community_metrics.model import Provenance, RawAnswers
from community_metrics.storage.maintenance import KEEP_ANSWERS
from community_metrics.storage.schemas import RAW_ANSWERS
from tests.support.worlds import NOW

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.storage import LanceDBStore
    from tests.support.worlds import World

SECOND = timedelta(seconds=1)


def answers(at: datetime = NOW, *, part: int = 0, content: bytes = bytes(range(256))) -> RawAnswers:
    return RawAnswers(f"run-{at:%Y%m%d}", "github", 0, part, Provenance.API, at, content)


async def everything(store: LanceDBStore) -> list[RawAnswers]:
    return await store.answers(NOW - timedelta(days=3650), NOW + timedelta(days=3650))


async def test_answers_are_read_as_they_were_written_byte_for_byte(world: World) -> None:
    # more rows than one page of the small store has
    written = [answers(part=part, content=bytes([part]) * 1000) for part in range(12)]
    async with world.open() as store:
        await store.create_tables()
        await store.record_answers(written)
    async with world.open() as reader:
        assert await everything(reader) == written


async def test_answers_of_a_time_are_those_from_its_start_until_before_its_end(world: World) -> None:
    one, two, three = (answers(NOW + timedelta(days=days)) for days in (0, 1, 2))
    async with world.open() as store:
        await store.create_tables()
        await store.record_answers([three, one, two])
        assert await store.answers(one.stored_at, three.stored_at) == [one, two]
        assert await store.answers(one.stored_at + SECOND, three.stored_at + SECOND) == [two, three]
        assert await store.first_answers() == NOW


async def test_the_same_key_is_stored_once(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await store.record_answers([answers()])
        await store.record_answers([replace(answers(), content=b"new")])
        assert await everything(store) == [answers(content=b"new")]


async def test_answers_older_than_400_days_are_deleted_and_no_other(world: World) -> None:
    assert timedelta(days=400) == KEEP_ANSWERS
    old, kept = answers(NOW - KEEP_ANSWERS - SECOND), answers(NOW - KEEP_ANSWERS)
    async with world.open() as store:
        await store.create_tables()
        await store.record_answers([old, kept, answers()])
        assert await store.delete_old_answers(NOW) == 1
        assert await everything(store) == [kept, answers()]


async def test_deleting_nothing_makes_no_version(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await store.record_answers([answers()])
        before = await store._version(RAW_ANSWERS)
        assert await store.delete_old_answers(NOW) == 0
        assert await store._version(RAW_ANSWERS) == before


async def test_a_database_without_the_table_has_no_answers(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await (await store._database.connection()).drop_table(RAW_ANSWERS.name)
        store._database.forget_tables()
        assert await everything(store) == []
        assert await store.first_answers() is None
        assert await store.delete_old_answers(NOW) == 0

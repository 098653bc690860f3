"""What witnesses counted: one row for each metric and day, replaced as a whole, in every storage."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from community_metrics.model import Witness, WitnessedDay
from community_metrics.storage.schemas import WITNESS
from tests.support.worlds import METRIC, NOW

if TYPE_CHECKING:
    from tests.support.worlds import World

DAY = NOW.date() - timedelta(days=9)
SEEN = WitnessedDay(METRIC, DAY, Witness.CLICKPY, 120, NOW, "https://witness.example/?a=1", "run-1")


async def test_a_day_seen_again_replaces_what_was_seen_before(world: World) -> None:
    later = replace(SEEN, value=130, observed_at=NOW + timedelta(days=7), ingestion_run_id="run-2")
    other = replace(SEEN, day=DAY + timedelta(days=1))
    async with world.open() as store:
        await store.create_tables()
        await store.record_witnessed([SEEN, other])
        await store.record_witnessed([later])
        assert await store.witnessed([METRIC], since=DAY) == [later, other]
        assert await store.witnessed([METRIC], since=DAY, until=DAY) == [later]
        assert await store.witnessed(["downloads:a:b"], since=DAY) == []


async def test_a_database_of_an_earlier_version_has_none(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await (await store._database.connection()).drop_table(WITNESS.name)
    async with world.open() as store:
        assert await store.witnessed([METRIC], since=DAY) == []

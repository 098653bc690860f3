"""Deliveries: one row for each target and period, replaced as a whole, in every storage."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from community_metrics.model import DeliveryState
from community_metrics.periods import Grain
from community_metrics.storage.schemas import DELIVERIES
from tests.support.deliveries import a_delivery
from tests.support.worlds import NOW

if TYPE_CHECKING:
    from tests.support.worlds import World

LATER = NOW + timedelta(hours=1)
FULL = a_delivery(
    state=DeliveryState.FAILED,
    next_attempt_at=LATER,
    error_class="TransientDeliveryError",
    message="the target returned 503, it's ü 日",
)


async def test_a_delivery_comes_back_as_it_was_written(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await store.record_delivery(FULL)
        assert await store.deliveries(since=NOW) == [FULL]


async def test_a_delivery_is_replaced_whichever_edition_of_the_digest_is_sent(world: World) -> None:
    sent = replace(FULL, state=DeliveryState.SENT, digest_id="2026-W47-e2", last_attempt_at=LATER)
    async with world.open() as store:
        await store.create_tables()
        await store.record_delivery(FULL)
        await store.record_delivery(sent)
        assert await store.deliveries(since=NOW) == [sent]
        assert await store.count("deliveries") == 1


async def test_targets_and_periods_have_rows_of_their_own_the_last_tried_first(world: World) -> None:
    other = a_delivery(delivery_id="board", last_attempt_at=LATER)
    month = a_delivery(grain=Grain.MONTH, period="2026-11", last_attempt_at=LATER + timedelta(hours=1))
    async with world.open() as store:
        await store.create_tables()
        for row in (FULL, other, month):
            await store.record_delivery(row)
        assert await store.deliveries(since=NOW) == [month, other, FULL]
        assert await store.deliveries(since=LATER) == [month, other]


async def test_a_database_of_an_earlier_version_has_no_deliveries(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        connection = await store._database.connection()
        await connection.drop_table(DELIVERIES.name)
    async with world.open() as store:
        assert await store.deliveries(since=NOW) == []
        await store.create_tables()
        await store.record_delivery(FULL)
        assert await store.deliveries(since=NOW) == [FULL]


async def test_what_the_program_writes_breaks_no_rule(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await store.record_delivery(FULL)
        assert await store.violations() == []
        await store.record_delivery(replace(FULL, delivery_id="board", attempts=-1))
        [violation] = await store.violations()
    assert (violation.rule, violation.keys) == ("numbers are at least 0", ["board|week|2026-W47"])

"""A batch is due when it is full or its first metric has waited long enough, and never keeps a run open."""

from __future__ import annotations

import asyncio

import pytest

from community_metrics.model import Run
from community_metrics.runs.batches import Batches
from community_metrics.sources.base import FetchResult
from tests.support.clock import NOON

TEST_LIMIT_S = 5


def batches(*, longest_wait_s: float) -> Batches:
    return Batches(Run("run-1", "daily_refresh", NOON), most_metrics=2, longest_wait_s=longest_wait_s)


@pytest.mark.parametrize("steps", range(6))
async def test_a_cancellation_ends_the_wait_also_at_the_instant_at_which_a_batch_is_full(steps: int) -> None:
    read = batches(longest_wait_s=3600)

    async def take_all() -> None:
        while True:
            await read.due()
            read.take()

    read.add(FetchResult("downloads:many:first"))
    taking = asyncio.create_task(take_all())
    for _ in range(10):
        await asyncio.sleep(0)  # until it waits for a full batch
    read.add(FetchResult("downloads:many:second"))
    for _ in range(steps):
        await asyncio.sleep(0)
    taking.cancel()
    await asyncio.wait({taking}, timeout=TEST_LIMIT_S)

    assert taking.cancelled()


async def test_a_batch_that_does_not_fill_is_due_after_its_longest_wait() -> None:
    read = batches(longest_wait_s=0.01)
    read.add(FetchResult("downloads:many:first"))

    await asyncio.wait_for(read.due(), TEST_LIMIT_S)

    assert [result.metric_id for result in read.take().results] == ["downloads:many:first"]

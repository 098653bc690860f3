"""Work of one key runs once, however many wait for it, and ends with the last of them."""

from __future__ import annotations

import asyncio

import pytest

from community_metrics.api.cache.sharing import SharedWork


class Work:
    """Counts its runs, and ends when it is let go."""

    def __init__(self) -> None:
        self.started = 0
        self.cancelled = 0
        self.may_end = asyncio.Event()

    async def __call__(self) -> int:
        self.started += 1
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self.started


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def gone(waiter: asyncio.Task[int]) -> None:
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter


async def test_all_who_wait_get_the_result_of_one_run_and_the_next_gets_another() -> None:
    shared, work = SharedWork[int](), Work()
    waiters = [asyncio.create_task(shared.result("a", work)) for _ in range(3)]
    await settled()
    work.may_end.set()
    assert await asyncio.gather(*waiters) == [1, 1, 1]
    assert await shared.result("a", work) == 2


async def test_two_keys_are_two_pieces_of_work() -> None:
    shared, work = SharedWork[int](), Work()
    waiters = [asyncio.create_task(shared.result(key, work)) for key in ("a", "b")]
    await settled()
    assert work.started == 2
    work.may_end.set()
    await asyncio.gather(*waiters)


@pytest.mark.parametrize("leaving", [[0], [1], [0, 1]])
async def test_work_goes_on_while_one_still_waits(leaving: list[int]) -> None:
    shared, work = SharedWork[int](), Work()
    waiters = [asyncio.create_task(shared.result("a", work)) for _ in range(3)]
    await settled()
    for index in leaving:
        await gone(waiters[index])
    joined = asyncio.create_task(shared.result("a", work))
    await settled()
    assert (work.started, work.cancelled) == (1, 0)
    work.may_end.set()
    assert [await waiter for waiter in (waiters[2], joined)] == [1, 1]


async def test_work_is_cancelled_with_the_last_who_waits_and_a_later_request_starts_it_anew() -> None:
    shared, work = SharedWork[int](), Work()
    waiters = [asyncio.create_task(shared.result("a", work)) for _ in range(2)]
    await settled()
    for waiter in waiters:
        await gone(waiter)
    again = asyncio.create_task(shared.result("a", work))  # before the cancelled work has ended
    await settled()
    assert (work.started, work.cancelled) == (2, 1)
    work.may_end.set()
    assert await again == 2


async def test_everybody_gets_the_error_of_the_work_and_the_next_request_tries_again() -> None:
    shared, work = SharedWork[int](), Work()

    async def fails() -> int:
        await asyncio.sleep(0)
        raise OSError("no")

    found = await asyncio.gather(*(shared.result("a", fails) for _ in range(2)), return_exceptions=True)
    assert [str(error) for error in found] == ["no", "no"]
    work.may_end.set()
    assert await shared.result("a", work) == 1

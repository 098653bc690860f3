"""A few turns at once, a bounded line of waiters, and a time limit that starts with the turn."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.api.admission import Admission
from community_metrics.errors import Busy, TookTooLong

AT_ONCE, WAITING = 2, 3


@dataclass
class Crowd:
    """Clients of one admission, each holding its turn until it is released."""

    admission: Admission
    running: int = 0
    most: int = 0
    releases: dict[int, asyncio.Event] = field(default_factory=dict)
    tasks: dict[int, asyncio.Task[str]] = field(default_factory=dict)

    async def arrive(self, client: int) -> None:
        self.releases[client] = asyncio.Event()
        self.tasks[client] = asyncio.create_task(self._work(client))

    async def _work(self, client: int) -> str:
        try:
            async with self.admission.turn():
                self.running += 1
                self.most = max(self.most, self.running)
                try:
                    await self.releases[client].wait()
                finally:
                    self.running -= 1
        except Busy:
            return "busy"
        return "done"

    async def settle(self) -> None:
        """Let every task go on as far as it can."""
        for _ in range(5):
            await asyncio.sleep(0)


STEPS = st.lists(st.tuples(st.sampled_from(["arrive", "finish", "leave", "tick"]), st.integers(0, 30)))


@given(STEPS)
def test_never_more_than_the_limit_run_and_every_client_has_an_outcome(steps: list[tuple[str, int]]) -> None:
    async def play() -> None:
        crowd = Crowd(Admission(at_once=AT_ONCE, waiting=WAITING, wait_s=60))
        for step, choice in steps:
            present = [client for client, task in crowd.tasks.items() if not task.done()]
            if step == "arrive":
                await crowd.arrive(len(crowd.tasks))
            elif step == "tick":
                await crowd.settle()
            elif present:
                client = present[choice % len(present)]
                if step == "finish":
                    crowd.releases[client].set()
                else:
                    crowd.tasks[client].cancel()
        for release in crowd.releases.values():
            release.set()
        outcomes = await asyncio.wait_for(asyncio.gather(*crowd.tasks.values(), return_exceptions=True), 5)
        assert crowd.most <= AT_ONCE
        assert crowd.running == 0
        assert all(isinstance(each, asyncio.CancelledError) or each in {"busy", "done"} for each in outcomes)
        await require_every_turn_is_free(crowd.admission)

    asyncio.run(play())


async def require_every_turn_is_free(admission: Admission) -> None:
    """Fail unless as many clients as there are turns get one at once."""
    crowd = Crowd(admission)
    for client in range(AT_ONCE):
        await crowd.arrive(client)
    await crowd.settle()
    assert crowd.running == AT_ONCE
    for release in crowd.releases.values():
        release.set()
    await asyncio.gather(*crowd.tasks.values())


@pytest.fixture
async def full() -> Crowd:
    """A crowd whose turns and line are taken: clients 0 and 1 run, 2 to 4 wait."""
    crowd = Crowd(Admission(at_once=AT_ONCE, waiting=WAITING, wait_s=60))
    for client in range(AT_ONCE + WAITING):
        await crowd.arrive(client)
    await crowd.settle()
    return crowd


async def test_a_client_beyond_the_line_is_turned_away_at_once(full: Crowd) -> None:
    await full.arrive(99)
    await full.settle()
    assert full.tasks[99].result() == "busy"


async def test_turns_come_in_the_order_of_arrival(full: Crowd) -> None:
    full.releases[0].set()
    full.releases[2].set()
    await full.settle()
    assert [client for client, task in full.tasks.items() if task.done()] == [0, 2]


async def test_a_waiter_who_leaves_frees_his_place_in_the_line(full: Crowd) -> None:
    full.tasks[3].cancel()
    await full.settle()
    await full.arrive(99)
    await full.settle()
    assert not full.tasks[99].done()


async def test_a_turn_that_did_not_come_in_time_is_busy() -> None:
    admission = Admission(at_once=1, waiting=1, wait_s=0.01)
    async with admission.turn():
        with pytest.raises(Busy):
            async with admission.turn():
                raise AssertionError("no turn was free")


async def test_the_time_limit_starts_when_the_turn_comes() -> None:
    admission = Admission(at_once=1, waiting=1, wait_s=60, limit_s=0.2)

    async def work() -> None:
        async with admission.turn():
            await asyncio.sleep(0.15)

    await asyncio.gather(work(), work())


async def test_work_beyond_the_time_limit_is_cancelled_and_its_turn_is_free() -> None:
    admission = Admission(at_once=1, limit_s=0.01)
    with pytest.raises(TookTooLong, match=r"longer than 0.01 s"):
        async with admission.turn():
            await asyncio.Event().wait()
    async with admission.turn():
        pass


async def test_a_timeout_of_the_work_itself_is_not_that_of_its_turn() -> None:
    with pytest.raises(TimeoutError):
        async with Admission(at_once=1, limit_s=60).turn():
            raise TimeoutError


async def test_a_thread_holds_the_turn_of_its_cancelled_caller_until_it_ends() -> None:
    admission = Admission(at_once=1, limit_s=0.05)
    may_end = threading.Event()
    with pytest.raises(TookTooLong, match=r"longer than 0\.05 s"):
        async with admission.turn():
            await admission.in_thread(lambda: may_end.wait(timeout=10))
    with pytest.raises(Busy):
        async with admission.turn():
            raise AssertionError("the thread still runs")
    may_end.set()
    await asyncio.sleep(0.05)
    async with admission.turn():
        pass


async def test_a_thread_returns_its_result_within_the_turn() -> None:
    admission = Admission(at_once=1)
    async with admission.turn():
        assert await admission.in_thread(threading.get_ident) != threading.get_ident()

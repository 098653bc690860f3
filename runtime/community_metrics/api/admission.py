"""How much work runs at once: a few turns, a bounded line of waiters, and a time limit for each turn."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from community_metrics.errors import Busy, TookTooLong

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

Result = TypeVar("Result")


class Admission:
    """Lets `at_once` pieces of work run; up to `waiting` others wait for their turn, in order of arrival.

    A waiter leaves the line after `wait_s` seconds. `limit_s` is how long one turn may take, in seconds, from
    the moment it begins; None for any time.
    """

    def __init__(
        self, *, at_once: int, waiting: int = 0, wait_s: float = 0.0, limit_s: float | None = None
    ) -> None:
        self._at_once = at_once
        self._most_waiting = waiting
        self._wait_s = wait_s
        self._limit_s = limit_s
        self._running = 0
        self._line: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Run the body of the `async with` once its turn comes.

        Raises:
            Busy: the line is full, or the turn did not come in time; the body was not run.
            TookTooLong: the body was cancelled at its time limit.
        """
        await self._enter()
        try:
            async with asyncio.timeout(self._limit_s) as deadline:
                yield
        except TimeoutError:
            if self._limit_s is None or not deadline.expired():
                raise
            raise TookTooLong(self._limit_s) from None
        finally:
            self._leave()

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns; it runs in a thread. Call it within a turn.

        A thread cannot be cancelled: if the caller is, the turn is free only after the thread has ended.
        """
        thread = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(thread)
        except asyncio.CancelledError:
            if not thread.done():
                self._running += 1  # in place of the turn of the caller, which ends now
                thread.add_done_callback(lambda _: self._leave())
            raise

    async def _enter(self) -> None:
        if self._running < self._at_once:
            self._running += 1
            return
        if len(self._line) >= self._most_waiting:
            raise Busy
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(place)
        try:
            async with asyncio.timeout(self._wait_s):
                await place
        except BaseException as error:
            if place in self._line:
                self._line.remove(place)
            elif not place.cancelled():  # the turn came while the waiter gave up
                self._leave()
            if isinstance(error, TimeoutError):
                raise Busy from None
            raise

    def _leave(self) -> None:
        self._running -= 1
        while self._line and self._running < self._at_once:
            place = self._line.popleft()
            if not place.done():  # a cancelled waiter is still in the line until its task runs
                self._running += 1
                place.set_result(None)

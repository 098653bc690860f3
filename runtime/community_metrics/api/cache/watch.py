"""The state of the tables, looked at no more often than the setting allows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from community_metrics.errors import StorageError
from community_metrics.periods import today

if TYPE_CHECKING:
    from datetime import date, datetime

    from community_metrics.api.cache.database import DataKey, ReadDatabase
    from community_metrics.clock import Clock

WAIT_S: Final = 3.0
"""How long a request waits for a look if the tables were seen before: a busy machine must not look like a
storage that failed, and most responses are in memory already."""
WAIT_WHILE_DOWN_S: Final = 0.25
"""The same while storage is unavailable."""

_log = structlog.get_logger("community_metrics.api")


class StateKey(NamedTuple):
    """What a body depends on besides its parameters; equal keys mean equal bodies.

    A source gets stale at midnight, so that `day` decides it too.
    """

    data: DataKey | None
    day: date
    newest_run: str | None = None
    minute: datetime | None = None


@dataclass(frozen=True, slots=True)
class TableState:
    """The tables as seen at `seen_at`; `failure` is the error of the latest look, if it failed."""

    data: DataKey | None = None
    newest_run: str | None = None
    seen_at: datetime | None = None
    failure: StorageError | None = None

    def key(self, now: datetime, *, by_minute: bool = False) -> StateKey:
        """Return what a body built at `now` depends on; `by_minute` if it has the state of open runs."""
        return StateKey(
            data=self.data,
            day=today(now),
            newest_run=self.newest_run if by_minute else None,
            minute=now.replace(second=0, microsecond=0) if by_minute else None,
        )


class TableWatch:
    """Looks at the tables at most once in `interval_s` seconds, however many requests need their state."""

    def __init__(
        self,
        database: ReadDatabase,
        clock: Clock,
        interval_s: float,
        *,
        wait_s: float = WAIT_S,
        wait_while_down_s: float = WAIT_WHILE_DOWN_S,
    ) -> None:
        self._database = database
        self._clock = clock
        self._interval_s = interval_s
        self._wait_s = wait_s
        self._wait_while_down_s = wait_while_down_s
        self._state = TableState()
        self._next_check = float("-inf")
        self._checking: asyncio.Task[None] | None = None

    async def state(self) -> TableState:
        """Return the state of the tables, at most the interval old; a failed look keeps the last one."""
        if self._clock.monotonic() >= self._next_check:
            await self._check_once()
        return self._state

    async def _check_once(self) -> None:
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check())
        timeout_s = self._wait_s if self._state.data is not None else None
        if self._state.failure is not None:
            timeout_s = self._wait_while_down_s
        # the task itself is not awaited: the first client may disconnect while others wait
        await asyncio.wait([self._checking], timeout=timeout_s)
        if self._checking.done():
            self._checking.result()

    async def _check(self) -> None:
        before = self._state
        try:
            tables = await self._database.look(self._clock.now())
            self._state = TableState(data=tables.key, newest_run=tables.newest_run, seen_at=self._clock.now())
        except StorageError as failure:
            self._state = replace(before, failure=failure)
        self._next_check = self._clock.monotonic() + self._interval_s
        after = self._state.failure  # logged once, not at every look
        if after is not None and type(after) is not type(before.failure):
            _log.error("storage failed", reason=str(after))
        if after is None and before.failure is not None:
            _log.info("storage available again")

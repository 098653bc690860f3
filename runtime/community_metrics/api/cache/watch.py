"""The state of the tables, checked no more often than every few seconds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from community_metrics.api.cache.database import shown_versions
from community_metrics.errors import StorageError, StorageUnavailable
from community_metrics.periods import today

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from community_metrics.api.cache.database import ReadDatabase
    from community_metrics.clock import Clock

CHECK_EVERY_S: Final = 2.0
CHECK_TIMEOUT_S: Final = 3.0
WAIT_WHILE_DOWN_S: Final = 0.25
"""How long a request waits for a check while storage is unavailable: its response is in memory already."""

_log = structlog.get_logger("community_metrics.api")


class StateKey(NamedTuple):
    """What a body depends on besides its parameters; equal keys mean equal bodies.

    A source gets stale at midnight, so that `day` decides it too.
    """

    versions: tuple[int, ...]
    day: date
    newest_run: str | None = None
    """Tables that were dropped and created again count their versions from 1 again; a run id is unique."""
    minute: datetime | None = None


@dataclass(frozen=True, slots=True)
class TableState:
    """The tables as seen at `seen_at`; `failure` is the error of the latest check, if it failed."""

    versions: Mapping[str, int] = field(default_factory=dict)
    seen_at: datetime | None = None
    failure: StorageError | None = None
    newest_run: str | None = None
    shown: tuple[int, ...] = ()
    """`shown_versions(versions)`, computed once, since every request compares it."""

    def key(self, now: datetime, *, by_minute: bool = False) -> StateKey:
        """Return what a body built at `now` depends on; `by_minute` if it changes with the minute."""
        return StateKey(
            versions=self.shown,
            day=today(now),
            newest_run=self.newest_run,
            minute=now.replace(second=0, microsecond=0) if by_minute else None,
        )


class TableWatch:
    """Checks the tables at most once in `CHECK_EVERY_S` seconds, however many requests need their state."""

    def __init__(self, database: ReadDatabase, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._state = TableState()
        self._next_check = float("-inf")
        self._checking: asyncio.Task[None] | None = None

    async def state(self) -> TableState:
        """Return the state of the tables, a few seconds old at most; a failed check keeps the last one."""
        if self._clock.monotonic() >= self._next_check:
            await self._check_once()
        return self._state

    async def _check_once(self) -> None:
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check())
        timeout_s = None if self._state.failure is None else WAIT_WHILE_DOWN_S
        # the task itself is not awaited: the first client may disconnect while others wait
        await asyncio.wait([self._checking], timeout=timeout_s)
        if self._checking.done():
            self._checking.result()

    async def _check(self) -> None:
        before = self._state
        self._database.load_client()
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                self._state = await self._read()
        except TimeoutError:
            failure = StorageUnavailable(f"LanceDB did not respond within {CHECK_TIMEOUT_S:.0f} s.")
            self._state = replace(before, failure=failure)
        except StorageError as failure:
            self._state = replace(before, failure=failure)
        self._next_check = self._clock.monotonic() + CHECK_EVERY_S
        after = self._state.failure  # logged once, not at every check
        if after is not None and type(after) is not type(before.failure):
            _log.error("storage failed", reason=str(after))
        if after is None and before.failure is not None:
            _log.info("storage available again")

    async def _read(self) -> TableState:
        reader = self._database.reader
        versions = await reader.table_versions()
        newest_run = next((run.ingestion_run_id for run in await reader.runs(limit=1)), None)
        return TableState(
            versions=versions,
            seen_at=self._clock.now(),
            newest_run=newest_run,
            shown=shown_versions(versions),
        )

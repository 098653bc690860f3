"""What the tables look like right now, asked no more often than every few seconds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import structlog

from community_metrics.errors import StorageError, StorageUnavailable
from community_metrics.periods import today
from community_metrics.views.runs import Freshness, last_complete_run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from community_metrics.api.cache.database import ReadDatabase
    from community_metrics.clock import Clock
    from community_metrics.model import Run

LOOK_EVERY_S: Final = 2.0
LOOK_TIMEOUT_S: Final = 3.0
PATIENCE_S: Final = 0.25
"""How long a request waits for a look while storage is away: what it gets is in memory already."""
SHOWN_TABLES: Final = ("metrics", "stats", "history", "run_outcomes")
"""Tables that bodies are made of. The lease is not: its heartbeat would make every body new."""

log = structlog.get_logger("community_metrics.api")


@dataclass(frozen=True, slots=True)
class StateKey:
    """What a body depends on beside its parameters; equal keys, equal bodies."""

    versions: tuple[int, ...]
    day: date
    is_stale: bool
    newest_run: str | None = None
    """Tables that were dropped and made anew count their versions from 1 again; no run id comes twice."""
    minute: datetime | None = None


@dataclass(frozen=True, slots=True)
class TableState:
    """The tables as last seen at `seen_at`; `failure` is what the newest look met, if it failed."""

    versions: Mapping[str, int] = field(default_factory=dict)
    last_complete_run: Run | None = None
    seen_at: datetime | None = None
    failure: StorageError | None = None
    newest_run: str | None = None
    shown: tuple[int, ...] = ()
    """The versions of the tables that bodies are made of; kept, since every request compares it."""

    def key(self, now: datetime, *, by_minute: bool = False) -> StateKey:
        """Return what a body made at `now` depends on; `by_minute` for bodies that speak of running runs."""
        return StateKey(
            versions=self.shown,
            day=today(now),
            is_stale=Freshness(now, self.last_complete_run).is_stale,
            newest_run=self.newest_run,
            minute=now.replace(second=0, microsecond=0) if by_minute else None,
        )


class TableWatch:
    """Looks at the tables at most once in `LOOK_EVERY_S` seconds, however many ask."""

    def __init__(self, database: ReadDatabase, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._state = TableState()
        self._next_look = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    async def state(self) -> TableState:
        """Return the state of the tables, a few seconds old at most; a failed look keeps the last."""
        if self._clock.monotonic() >= self._next_look:
            await self._look_once()
        return self._state

    async def _look_once(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        patience_s = None if self._state.failure is None else PATIENCE_S
        # not awaited itself: who asked first may hang up, and the others still want to know
        await asyncio.wait([self._looking], timeout=patience_s)
        if self._looking.done():
            self._looking.result()

    async def _look(self) -> None:
        before = self._state
        self._database.load_client()
        try:
            async with asyncio.timeout(LOOK_TIMEOUT_S):
                self._state = await self._seen(before)
        except TimeoutError:
            failure = StorageUnavailable(f"LanceDB did not answer within {LOOK_TIMEOUT_S:.0f} s.")
            self._state = replace(before, failure=failure)
        except StorageError as failure:
            self._state = replace(before, failure=failure)
        self._next_look = self._clock.monotonic() + LOOK_EVERY_S
        self._log_turn(before.failure, self._state.failure)

    async def _seen(self, before: TableState) -> TableState:
        reader = self._database.reader
        versions = await reader.table_versions()
        newest = [run.ingestion_run_id for run in await reader.runs(limit=1)]
        newest_run = newest[0] if newest else None
        complete_run = before.last_complete_run
        if (versions["history"], newest_run) != (before.versions.get("history"), before.newest_run):
            complete_run = await last_complete_run(reader)
        return TableState(
            versions=versions,
            last_complete_run=complete_run,
            seen_at=self._clock.now(),
            newest_run=newest_run,
            shown=shown_versions(versions),
        )

    def _log_turn(self, before: StorageError | None, after: StorageError | None) -> None:
        """Say that storage went away or came back; once, not every two seconds."""
        if after is not None and type(after) is not type(before):
            log.error("storage failed", reason=str(after))
        if after is None and before is not None:
            log.info("storage answers again")


def shown_versions(versions: Mapping[str, int]) -> tuple[int, ...]:
    """Return the versions of the tables that bodies are made of, in one order."""
    return tuple(versions.get(table, 0) for table in SHOWN_TABLES)

"""The tables that the API looks at, without a database: a test sets what the next look finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.api.cache.database import DataKey, ReadDatabase, Tables
from community_metrics.config import Settings
from community_metrics.storage.reader import LanceDBReader
from community_metrics.storage.snapshot import Look, Snapshot
from tests.support.clock import NOON
from tests.support.rows import run

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from tests.support.clock import FakeClock

SETTINGS = Settings(_env_file=None)


def tables_after(run_id: str) -> Tables:
    """Return the tables as a closed run left them."""
    look = Look((run(NOON, run_id=run_id),), None, {})
    return Tables(Snapshot(LanceDBReader.open(SETTINGS), {}, look), DataKey(((run_id, NOON),), ()))


class ScriptedDatabase(ReadDatabase):
    """Every look finds the tables after run `run_id`, or raises `failure`; `failures` are of the next looks.

    `takes_s` is how far a look moves the clock; a look waits for `may_look` if there is one.
    """

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(SETTINGS)
        self.clock = clock
        self.run_id = "one"
        self.failure: Exception | None = None
        self.failures: list[Exception | None] = []
        self.may_look: asyncio.Event | None = None
        self.takes_s = 0.0
        self.looks: list[datetime] = []

    async def look(self, now: datetime) -> Tables:
        """Return the tables of the script."""
        self.looks.append(now)
        if self.may_look is not None:
            await self.may_look.wait()
        self.clock.advance(self.takes_s)
        failure = self.failures.pop(0) if self.failures else self.failure
        if failure is not None:
            raise failure
        return tables_after(self.run_id)

"""The run that delivers digests: alone on the database, with a row of each before and after it is sent.

A row that is `sending` when a run gets the database is from a run that was killed: nobody knows whether its
request arrived.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.clock import SystemClock
from community_metrics.model import DeliveryState, Run, RunStatus
from community_metrics.runs.lock import database_lease
from community_metrics.runs.short import short_run_id
from community_metrics.storage import LanceDBStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.model import StoredDelivery
    from community_metrics.runs.lock import LeaseHolder

DELIVER: Final = "deliver"
"""The name in `history` of a run that sent something, or tried to."""
KNOWN: Final = timedelta(days=30)
"""How far back deliveries are read: far longer than a period is due and retried."""


class DeliveryLog:
    """The rows of `deliveries`, written one after the other by the run that holds the database.

    The first write also opens the run in `history`: a run that finds nothing to do leaves no row there.
    """

    def __init__(self, store: LanceDBStore, run_id: str, holder: LeaseHolder, clock: Clock) -> None:
        self.reader: LanceDBStore = store
        self._holder = holder
        self.run: Run | None = None
        self._run_id = run_id
        self._clock = clock
        self._writing = asyncio.Lock()  # targets are sent to side by side
        self._sent = 0

    async def known(self) -> dict[str, StoredDelivery]:
        """Return the stored deliveries of the last weeks by key."""
        rows = await self.reader.deliveries(since=self._clock.now() - KNOWN)
        return {row.delivery_key: row for row in rows}

    async def renew(self) -> None:
        """Extend the lease before a request: a run that was suspended for longer than it must not send.

        Raises:
            LeaseLost: another run has taken the database over, and may have sent the same.
        """
        async with self._writing:
            await self._holder.renew()

    async def write(self, row: StoredDelivery) -> StoredDelivery:
        """Store a row as this run's, and return it.

        Raises:
            LeaseLost: the row says that it is being sent, and another run has taken the database over.
        """
        written = replace(row, ingestion_run_id=self._run_id)
        if row.state is DeliveryState.SENDING:
            await self.renew()
        async with self._writing:
            if self.run is None:
                self.run = Run(self._run_id, DELIVER, self._clock.now(), scope=row.delivery_id)
                await self.reader.record_run(self.run)
            await self.reader.record_delivery(written)
            self._sent += written.state is DeliveryState.SENT
        return written

    async def restore(self, row: StoredDelivery) -> None:
        """Store a row as it was before this run."""
        async with self._writing:
            await self.reader.record_delivery(row)

    async def close(self, status: RunStatus) -> None:
        """Close the run in `history`, if it has a row there: `rows_updated` counts what was sent."""
        if self.run is not None:
            now = self._clock.now()
            self.run = replace(self.run, finished_at=now, status=status, rows_updated=self._sent)
            await self.reader.record_run(self.run)


@asynccontextmanager
async def delivery_run(
    settings: Settings, *, clock: Clock | None = None, store_type: type[LanceDBStore] | None = None
) -> AsyncIterator[DeliveryLog]:
    """Hold the database while digests are sent, so that no other run sends them too.

    Raises:
        RunLocked: a run holds the database; nothing was sent.
        LeaseLost: another run took the database over meanwhile; what was not sent yet was not sent.
        StorageError: a LanceDB operation failed.
    """
    clock = clock or SystemClock()
    async with (store_type or LanceDBStore).open(settings) as store:
        await store.lease()  # raises where there is no database: the lock would create its folder
        run_id = short_run_id(DELIVER, clock)
        async with database_lease(store, settings, run_id, clock) as holder:
            await store.create_tables()  # a database of an earlier version has no table of deliveries
            await store.extend_tables()
            log = DeliveryLog(store, run_id, holder, clock)
            status = RunStatus.FAILED
            try:
                yield log
                status = RunStatus.SUCCESS
            finally:
                await log.close(status)

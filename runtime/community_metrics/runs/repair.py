"""Correct what is stored, under the lease: indexes, surplus copies of keys, rows from the future."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from community_metrics.clock import SystemClock
from community_metrics.errors import ConfigurationError
from community_metrics.model import Run, RunStatus
from community_metrics.runs.lock import database_lease
from community_metrics.storage import LanceDBStore

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.runs.lock import LeaseHolder
    from community_metrics.storage import DroppedRow, RowName

REPAIR: Final = "repair"
"""The name of a repair in `history`."""


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What a repair did: the indexes it built, the copies and the rows from the future it deleted."""

    indexes: tuple[str, ...]
    dropped: tuple[DroppedRow, ...]
    future: tuple[RowName, ...]


async def repair(
    settings: Settings,
    *,
    even_most: bool = False,
    clock: Clock | None = None,
    store_type: type[LanceDBStore] = LanceDBStore,
) -> RepairReport:
    """Build the indexes anew, keep the newest copy of each key, and delete what a clock ahead wrote.

    `even_most` also deletes where most rows or runs are from the future: a clock that is behind looks alike.

    It is recorded in `history`, so that the API builds its bodies anew.

    Raises:
        ConfigurationError: most rows or runs are from the future; nothing was changed.
        RunLocked: a run holds the database; nothing was changed.
        LeaseLost: another run took the database over; nothing was deleted after that.
        StorageError: a LanceDB operation failed.
    """
    clock = clock or SystemClock()
    run_id = f"{clock.now():%Y%m%dT%H%M%SZ}-{REPAIR}-{random.getrandbits(32):08x}"
    async with store_type.open(settings) as store:
        await store.lease()  # raises where there is no database: the lock would create its folder
        async with database_lease(store, settings, run_id, clock) as holder:
            if not even_most:
                await _require_few(store, clock.now())
            await store.extend_tables()
            return await _recorded(store, holder, Run(run_id, REPAIR, clock.now()), clock)


async def _recorded(store: LanceDBStore, holder: LeaseHolder, run: Run, clock: Clock) -> RepairReport:
    await store.record_run(run)
    deleted = 0
    status = RunStatus.FAILED
    try:
        indexes = await store.rebuild_indexes()
        dropped = await store.repair_duplicates(renew=holder.renew)
        deleted += len(dropped)
        future = await store.delete_future(clock.now(), renew=holder.renew)
        deleted += len(future)
        status = RunStatus.SUCCESS
    finally:
        if holder.lost is None:
            closed = replace(run, finished_at=clock.now(), status=status, rows_updated=deleted)
            await store.record_run(closed)
    return RepairReport(tuple(indexes), tuple(dropped), tuple(future))


async def _require_few(store: LanceDBStore, now: datetime) -> None:
    found = await store.future_rows(now)
    for table, noun in (("stats", "rows"), ("history", "runs")):
        future = sum(row.table == table for row in found)
        total = await store.count(table)
        if 2 * future > total:
            raise ConfigurationError(
                f"{future} of {total} {noun} are later than the clock of this machine, which shows "
                f"{now:%Y-%m-%d %H:%M} UTC; a repair would delete them. Fix: correct the clock; if it is "
                "right, run `community-metrics repair --yes`."
            )

"""One writer for a database: a file lock on this machine, a lease in the database across machines.

A local folder has both. The kernel frees the file lock when its process dies, so a process that gets it knows
that an unexpired lease taken on this host belongs to a dead run, and does not wait for it to expire. A bucket
or a cluster has the lease alone, and nothing is written to the local disk.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from filelock import FileLock, Timeout

from community_metrics.config import StorageMode
from community_metrics.errors import LeaseLost, RunLocked, StorageError, StorageUnavailable
from community_metrics.storage.leases import locked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.model import Lease
    from community_metrics.storage import LanceDBStore

LEASE_TTL = timedelta(minutes=2)
HEARTBEAT_S = 20.0
"""Real seconds between heartbeats: a lease is about processes being alive, not about the calendar."""

log = structlog.get_logger(__name__)


class LeaseHolder:
    """The run that holds the lease; `lost` is set once another run has taken the database over."""

    def __init__(self, store: LanceDBStore, lease: Lease, clock: Clock) -> None:
        self.lost: LeaseLost | None = None
        self._store = store
        self._lease = lease
        self._clock = clock

    async def renew(self) -> None:
        """Extend the lease.

        Raises:
            LeaseLost: this run's lease is no longer stored: another run took the database over.
        """
        self._lease = await self._store.renew_lease(self._lease, now=self._clock.now(), ttl=LEASE_TTL)

    async def release(self) -> None:
        """Let the next run start at once; where that fails, the lease expires."""
        try:
            await self._store.release_lease(self._lease, now=self._clock.now())
        except StorageError as error:
            log.warning("lease not released, it will expire", reason=str(error))


@asynccontextmanager
async def database_lease(
    store: LanceDBStore, settings: Settings, run_id: str, clock: Clock, *, heartbeat_s: float = HEARTBEAT_S
) -> AsyncIterator[LeaseHolder]:
    """Hold the lease for one run, and extend it by a heartbeat.

    Raises:
        RunLocked: another run holds it; the message names that run.
        LeaseLost: another run took the lease meanwhile; the work inside was cancelled.
    """
    with _file_lock(settings) as file_lock:
        if file_lock is not None and not file_lock.is_locked:
            raise await _held_by(store)
        stored = await store.lease() if file_lock is not None else None
        is_dead = stored is not None and stored.host == socket.gethostname()
        lease = await store.acquire_lease(
            run_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            now=clock.now(),
            ttl=LEASE_TTL,
            known_dead_run_id=stored.run_id if stored and is_dead else None,
        )
        holder = LeaseHolder(store, lease, clock)
        try:
            async with _heartbeat(holder, heartbeat_s):
                yield holder
        finally:
            await holder.release()


@contextmanager
def _file_lock(settings: Settings) -> Iterator[FileLock | None]:
    if settings.storage_mode is StorageMode.ENTERPRISE or settings.is_s3:
        yield None
        return
    lock = FileLock(Path(settings.db_path) / ".lock", blocking=False)
    try:
        lock.acquire()
    except Timeout:
        yield lock
        return
    except OSError as error:
        raise StorageUnavailable(
            f"The lock file {lock.lock_file} cannot be created: {error.strerror}. Fix: give this user write "
            "access to the folder, or set CM_DB_PATH to another one."
        ) from error
    try:
        yield lock
    finally:
        lock.release()


@asynccontextmanager
async def _heartbeat(holder: LeaseHolder, interval_s: float) -> AsyncIterator[None]:
    worker = asyncio.current_task()

    async def beat() -> None:
        while True:
            await asyncio.sleep(interval_s)
            try:
                await holder.renew()
            except StorageError as error:
                log.warning("heartbeat failed, will try again", reason=str(error))
            except LeaseLost as error:
                holder.lost = error
                if worker is not None:
                    worker.cancel()
                return

    heart = asyncio.create_task(beat())
    try:
        yield
    except asyncio.CancelledError:
        if holder.lost is not None:
            raise holder.lost from None
        raise
    finally:
        heart.cancel()
        await asyncio.gather(heart, return_exceptions=True)


async def _held_by(store: LanceDBStore) -> RunLocked:
    lease = await store.lease()
    if lease is None:
        return RunLocked(
            "Another process holds this database and has not started its run yet. Fix: try again later."
        )
    return locked(lease, await store.run(lease.run_id))

"""Storing a digest: a short run, alone on the database, so that no other run changes what it is read from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from community_metrics.clock import SystemClock
from community_metrics.model import DIGEST_JOB
from community_metrics.runs.lock import database_lease
from community_metrics.runs.short import recorded_run, short_run_id
from community_metrics.storage import LanceDBStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.model import StoredDigest


async def record_digest(
    settings: Settings,
    make: Callable[[LanceDBStore, datetime], Awaitable[tuple[StoredDigest, bool]]],
    *,
    clock: Clock | None = None,
    store_type: type[LanceDBStore] = LanceDBStore,
) -> tuple[StoredDigest, bool]:
    """Store the digest that `make` returns, if it says that it is new; return it, and whether it is.

    Raises:
        RunLocked: a run holds the database; nothing was changed.
        StorageError: a LanceDB operation failed.
    """
    clock = clock or SystemClock()
    async with store_type.open(settings) as store:
        await store.lease()  # raises where there is no database: the lock would create its folder
        run_id = short_run_id(DIGEST_JOB, clock)
        async with database_lease(store, settings, run_id, clock):
            await store.create_tables()  # a database of an earlier version has no table of digests
            made, is_new = await make(store, clock.now())
            if not is_new:
                return made, False
            digest = replace(made, ingestion_run_id=run_id)
            async with recorded_run(store, DIGEST_JOB, digest.digest_id, run_id, clock):
                await store.write_digest(digest)
    return digest, True

"""Delete surplus copies of keys, alone with the database: no run may write what a repair is looking at."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from community_metrics.clock import SystemClock
from community_metrics.runs.lock import exclusive
from community_metrics.storage import LanceDBStore

if TYPE_CHECKING:
    from community_metrics.config import Settings
    from community_metrics.storage import DroppedRow


async def repair(settings: Settings, *, store_type: type[LanceDBStore] = LanceDBStore) -> list[DroppedRow]:
    """Keep the newest observation of each key, and return what was deleted.

    Raises:
        RunLocked: a run holds the database; nothing was touched.
        LeaseLost: another run took the database over; nothing was deleted after that.
        StorageError: LanceDB did not do what was asked.
    """
    clock = SystemClock()
    run_id = f"{clock.now():%Y%m%dT%H%M%SZ}-repair-{random.getrandbits(32):08x}"
    async with store_type.open(settings) as store:
        await store.lease()  # where there is no database, the lock must not make its folder
        async with exclusive(store, settings, run_id, clock) as holder:
            return await store.repair_duplicates(renew=holder.renew)

"""Delete surplus copies of keys under the lease, so that no run writes at the same time."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from community_metrics.clock import SystemClock
from community_metrics.model import Run, RunStatus
from community_metrics.runs.lock import database_lease
from community_metrics.storage import LanceDBStore

if TYPE_CHECKING:
    from community_metrics.config import Settings
    from community_metrics.storage import DroppedRow


async def repair(settings: Settings, *, store_type: type[LanceDBStore] = LanceDBStore) -> list[DroppedRow]:
    """Keep the newest observation of each key, and return what was deleted.

    A repair that deleted something is recorded in `history`, so that the API builds its bodies anew.

    Raises:
        RunLocked: a run holds the database; nothing was changed.
        LeaseLost: another run took the database over; nothing was deleted after that.
        StorageError: a LanceDB operation failed.
    """
    clock = SystemClock()
    started_at = clock.now()
    run_id = f"{started_at:%Y%m%dT%H%M%SZ}-repair-{random.getrandbits(32):08x}"
    async with store_type.open(settings) as store:
        await store.lease()  # raises where there is no database: the lock would create its folder
        async with database_lease(store, settings, run_id, clock) as holder:
            dropped = await store.repair_duplicates(renew=holder.renew)
            if dropped:
                run = Run(run_id, "repair", started_at, clock.now(), RunStatus.SUCCESS)
                await store.record_run(run)
            return dropped

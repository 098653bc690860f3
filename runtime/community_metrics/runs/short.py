"""Runs that write one row for a person: alone on the database, with a row in `history`."""

from __future__ import annotations

import random
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from community_metrics.model import Run, RunStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from community_metrics.clock import Clock
    from community_metrics.storage import LanceDBStore


def short_run_id(name: str, clock: Clock) -> str:
    """Return a new id of a run of this name."""
    return f"{clock.now():%Y%m%dT%H%M%SZ}-{name}-{random.getrandbits(32):08x}"


@asynccontextmanager
async def recorded_run(
    store: LanceDBStore, name: str, scope: str, run_id: str, clock: Clock
) -> AsyncIterator[None]:
    """Record in `history` a run that writes the row `scope` in its block; the caller holds the lease."""
    await store.extend_tables()  # those of an earlier version may lack a column of the row or of the run
    run = Run(run_id, name, clock.now(), scope=scope)
    await store.record_run(run)
    status, written = RunStatus.FAILED, 0
    try:
        yield
        status, written = RunStatus.SUCCESS, 1
    finally:
        await store.record_run(replace(run, finished_at=clock.now(), status=status, rows_updated=written))

"""Read the database of the world directly, and let a lease expire."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from community_metrics.clock import SystemClock
from community_metrics.config import Settings
from community_metrics.errors import StorageNotBootstrapped
from community_metrics.series.freshness import run_view
from community_metrics.storage import LanceDBReader

if TYPE_CHECKING:
    from community_metrics.series.freshness import RunView
    from tests.host.box import Box
    from tests.host.world import World

DATABASE = "rehearsal"
_EXPIRE = """\
import asyncio
from community_metrics.config import load_settings
from community_metrics.storage import LanceDBStore
from community_metrics.clock import SystemClock

async def expire():
    async with LanceDBStore.open(load_settings()) as store:
        await store.release_lease(await store.lease(), now=SystemClock().now())

asyncio.run(expire())
"""


class Ledger:
    """The database of the world."""

    def __init__(self, world: World) -> None:
        self._settings = Settings(_env_file=None, db_path=str(world.folder / "lancedb" / DATABASE))

    def runs(self) -> list[RunView]:
        """Return every run, newest first; none if the database does not exist yet."""

        async def read() -> list[RunView]:
            async with LanceDBReader.open(self._settings) as reader:
                lease = await reader.lease()
                runs = await reader.runs(limit=1000)
            return [run_view(run, lease, SystemClock().now()) for run in runs]

        try:
            return asyncio.run(read())
        except StorageNotBootstrapped:
            return []

    def duplicate_keys(self) -> dict[str, list[str]]:
        """Return the duplicate keys, by table."""

        async def read() -> dict[str, list[str]]:
            async with LanceDBReader.open(self._settings) as reader:
                return await reader.find_duplicate_keys()

        return asyncio.run(read())


def expire_the_lease(box: Box) -> None:
    """Expire the lease of an interrupted run, as two minutes would; runs as a job, with the jobs' key."""
    done = box.run(as_a_job("-"), text=_EXPIRE)
    assert done.returncode == 0, done.stderr


def as_a_job(arguments: str) -> str:
    """Return a command that runs Python as a job, with its output on stdout."""
    python = "/opt/community-metrics/current/bin/python -P"
    unit = "community-metrics-job-rehearsal.service"
    return f"systemd-run --quiet --pipe --wait --collect --unit={unit} {python} {arguments}"

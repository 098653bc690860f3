"""Memory of an upsert of 200 rows, over tables of 1 and of 3 million rows.

Each upsert is a process of its own, because only a new process knows its own peak. LanceDB 0.40 holds the key
of every stored row while it merges without an index on the key, however few rows are merged: one metric needs
as much as twenty. The figure is what each further million of stored rows adds to the peak. The unit of the
jobs may use 47 % of the machine: on a t4g.small, that is enough for about four million rows.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import lancedb
import pyarrow as pa

from bench import storage
from bench.processes import peak_mb
from bench.results import Result
from bench.rows import daily_rows
from community_metrics.config import Settings
from community_metrics.model import Provenance
from community_metrics.storage import LanceDBStore
from community_metrics.storage.schemas import STATS
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator

MILLIONS = (1, 3)


def measure() -> Iterator[Result]:
    """Yield what a million stored rows adds to the peak."""
    fewer, more = (_peak_mb(millions) for millions in MILLIONS)
    growth = (more - fewer) / (MILLIONS[1] - MILLIONS[0])
    yield Result.at_most("upsert, peak memory for each million stored rows", growth, "MB", bound=200)


def _peak_mb(millions: int) -> float:
    with TemporaryDirectory() as folder:
        for step in ("fill", "upsert"):
            command = [sys.executable, "-m", "bench.refresh_memory", step, folder, str(millions)]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        return float(output)


def _ids(millions: int) -> list[str]:
    count = millions * 1_000_000 // storage.DAYS + 1
    return [f"downloads:package-{number:05}:python" for number in range(count)]


async def _fill(folder: str, millions: int) -> None:
    async with LanceDBStore.open(Settings(_env_file=None, db_path=folder)) as store:
        await store.create_tables()
        connection = await lancedb.connect_async(folder, read_consistency_interval=timedelta(0))
        table = await connection.open_table(STATS.name)
        batches = daily_rows(_ids(millions), storage.STORED_DAYS, NOON)
        await table.add(pa.RecordBatchReader.from_batches(STATS.schema, batches))
        await store.optimize()


async def _upsert(folder: str, millions: int) -> None:
    observations = storage.observations(iter(_ids(millions)), storage.SHAPES[0])
    async with LanceDBStore.open(Settings(_env_file=None, db_path=folder)) as store:
        await store.upsert_observations(observations, provenance=Provenance.API, run_id="bench", now=NOON)
    print(peak_mb(os.getpid()))


if __name__ == "__main__":
    asyncio.run({"fill": _fill, "upsert": _upsert}[sys.argv[1]](sys.argv[2], int(sys.argv[3])))

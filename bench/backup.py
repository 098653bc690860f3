"""A backup and a restore of a million rows of `stats`, against Arrow and LanceDB by hand.

The backup reads the tables at one instant, and writes each as Parquet with its SHA-256 into a folder, and the
manifest; the yardstick writes the same rows, which are in memory, as Parquet of the same compression. The
restore copies the files, compares them with the manifest, writes the rows, compares every row, and builds the
indexes; the yardstick merges the same rows, which are in memory, into an empty table in one merge. Every
restore is into a new folder. Medians of 3, turn by turn.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import lancedb
import pyarrow as pa
import pyarrow.parquet

from bench.results import Result
from bench.rows import daily_rows
from bench.timing import alternating
from community_metrics.backup.place import place_of
from community_metrics.backup.writing import back_up
from community_metrics.config import Settings
from community_metrics.periods import days_between
from community_metrics.runs.restore import restore
from community_metrics.storage import LanceDBStore
from community_metrics.storage.schemas import STATS
from tests.support.clock import NOON
from tests.support.rows import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from community_metrics.backup.place import Place

ROWS = 1_000_000
DAYS = 730
ROUNDS = 3
BOUND = 3.0


@dataclass(frozen=True, slots=True)
class Filled:
    """A database with rows of `stats`, the same rows in memory, and a folder for what is measured."""

    folder: Path
    settings: Settings
    rows: pa.Table
    place: Place


def measure() -> Iterator[Result]:
    """Yield the backup and the restore."""
    with TemporaryDirectory() as folder:
        filled = asyncio.run(_filled(Path(folder)))
        size = f"{filled.rows.num_rows / 1e6:g} million rows"
        yield _backup(filled, size)
        yield _restore(filled, size)


async def _filled(folder: Path) -> Filled:
    last = NOON.date() - timedelta(days=1)
    days = tuple(days_between(last - timedelta(days=DAYS - 1), last))
    ids = [f"downloads:package-{number:05}:python" for number in range(ROWS // DAYS)]
    rows = pa.Table.from_batches(daily_rows(ids, days, NOON), STATS.schema)
    settings = Settings(_env_file=None, db_path=str(folder / "filled"))
    async with LanceDBStore.open(settings) as store:
        await store.create_tables()
        await store.record_run(run(NOON))
        await store.insert_rows(STATS.name, rows)
        await store.optimize()
    return Filled(folder, settings, rows, place_of(settings, str(folder / "backups")))


def _backup(filled: Filled, size: str) -> Result:
    def ours() -> None:
        report = asyncio.run(back_up(filled.settings, filled.place, write_only=True))
        assert report.manifest.rows == filled.rows.num_rows + 1  # and the run

    def yardstick() -> None:
        file = filled.folder / "by-hand.parquet"
        pyarrow.parquet.write_table(filled.rows, file, compression="zstd", row_group_size=65_536)

    ours_s, by_hand_s = alternating(ours, yardstick, rounds=ROUNDS)
    return Result.against(f"{size}: backup into a folder", ours_s, by_hand_s, "s", bound=BOUND)


def _restore(filled: Filled, size: str) -> Result:
    numbers = count()

    def ours() -> None:
        settings = Settings(_env_file=None, db_path=str(filled.folder / f"restored-{next(numbers)}"))
        report = asyncio.run(restore(settings, filled.place))
        assert report.manifest.rows == filled.rows.num_rows + 1  # and the run

    def yardstick() -> None:
        asyncio.run(_merged_by_hand(filled.folder / f"merged-{next(numbers)}", filled.rows))

    ours_s, by_hand_s = alternating(ours, yardstick, rounds=ROUNDS)
    return Result.against(f"{size}: restore, every row compared", ours_s, by_hand_s, "s", bound=BOUND)


async def _merged_by_hand(folder: Path, rows: pa.Table) -> None:
    connection = await lancedb.connect_async(folder)
    with closing(await connection.create_table(STATS.name, schema=STATS.schema)) as table:
        merge = table.merge_insert(STATS.key).use_index(False)
        await merge.when_matched_update_all().when_not_matched_insert_all().execute(rows)

"""The whole database at one instant: each table at the version that was its newest then."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from community_metrics.config import StorageMode
from community_metrics.errors import StorageConflict, StorageNotBootstrapped, StorageSchemaMismatch
from community_metrics.storage.connection import Database
from community_metrics.storage.errors import translate_errors
from community_metrics.storage.reader import LanceDBReader
from community_metrics.storage.schemas import HISTORY, LEASES, RAW_ANSWERS, TABLES
from community_metrics.storage.snapshot import PinnedDatabase

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    import pyarrow as pa

    from community_metrics.config import Settings
    from community_metrics.model import Lease
    from community_metrics.storage.connection import OpenTable
    from community_metrics.storage.schemas import AnyTable

DATA_TABLES: Final[tuple[AnyTable, ...]] = tuple(spec for spec in TABLES if spec is not LEASES)
"""The tables that hold data; a lease says who writes now, and means nothing in another database."""
_TRIES: Final = 10


class _WideReader(LanceDBReader):
    page_rows = 65_536


class _NarrowReader(LanceDBReader):
    """For rows that hold whole answers of a source."""

    page_rows = 128


@dataclass(frozen=True, slots=True)
class WholeDatabase:
    """The tables of one instant; one that an earlier version did not create has version 0 and no row."""

    versions: Mapping[str, int]
    lease: Lease | None
    """The one that was stored just after that instant, expired or not."""
    first_run: str | None
    """The first run in `history`, which a restore brings along: it says which database this is."""
    _reader: LanceDBReader

    def batches(self, spec: AnyTable) -> AsyncGenerator[pa.RecordBatch, None]:
        """Yield the rows of a table, in batches that fit into memory."""
        reader_type = _NarrowReader if spec is RAW_ANSWERS else _WideReader
        return self._reader.as_type(reader_type).scan(spec.name)


@asynccontextmanager
async def open_whole(settings: Settings) -> AsyncIterator[WholeDatabase]:
    """Open every table at one instant. Nothing is locked, and a reading key is enough.

    Raises:
        StorageConflict: a table changed during each of several tries.
        StorageSchemaMismatch: a newer version added a column, which would be lost.
        StorageError: the database cannot be read.
    """
    is_remote = settings.storage_mode is StorageMode.ENTERPRISE
    database = Database(settings, consistency_s=0.0 if is_remote else None)  # as in `SnapshotSource`
    try:
        tables = await _of_one_instant(database)
        for spec in DATA_TABLES:
            if spec.name in tables:
                await _require_known_columns(database, spec, tables[spec.name])
        versions = {
            spec.name: tables[spec.name].version if spec.name in tables else 0 for spec in DATA_TABLES
        }
        # after the tables are pinned: a job that began to change one of them earlier holds the lease now
        lease = await LanceDBReader(database).lease()
        reader = LanceDBReader(PinnedDatabase(database, tables))
        yield WholeDatabase(versions, lease, await _first_run(reader), reader)
    finally:
        database.close()


async def _first_run(reader: LanceDBReader) -> str | None:
    columns = ["started_at", HISTORY.key, "loaded_by"]
    async with aclosing(reader.scan(HISTORY.name, columns=columns)) as batches:
        rows = [row async for batch in batches for row in batch.to_pylist()]
    # what an export told of other databases is no run of this one
    own = [(row["started_at"], str(row[HISTORY.key])) for row in rows if row["loaded_by"] is None]
    return min(own)[1] if own else None


async def _of_one_instant(database: Database) -> dict[str, OpenTable]:
    """Open all tables until none has changed from the first to the last: then they are of one instant."""
    before = await _opened(database)
    for _ in range(_TRIES):
        after = await _opened(database)
        if {name: table.version for name, table in before.items()} == {
            name: table.version for name, table in after.items()
        }:
            return after
        before = after
    raise StorageConflict(
        f"{database.target} was written to during each of {_TRIES} tries to read it at one instant. Fix: run "
        "the command again once no job runs."
    )


async def _opened(database: Database) -> dict[str, OpenTable]:
    opened = await asyncio.gather(*(_table(database, spec) for spec in DATA_TABLES))
    return {spec.name: table for spec, table in zip(DATA_TABLES, opened, strict=True) if table is not None}


async def _table(database: Database, spec: AnyTable) -> OpenTable | None:
    try:
        return await database.pinned_table(spec)
    except StorageNotBootstrapped:
        if spec.optional:
            return None
        raise


async def _require_known_columns(database: Database, spec: AnyTable, table: OpenTable) -> None:
    with translate_errors(database.target, f"reading the columns of {spec.name}"):
        found = await table.handle.schema()
    if unknown := sorted(set(found.names) - set(spec.schema.names)):
        raise StorageSchemaMismatch(
            f"The table {spec.name} in {database.target} has columns that this version does not know, and "
            f"would leave out: {', '.join(unknown)}. "
            "Fix: use the version of community-metrics that added them."
        )

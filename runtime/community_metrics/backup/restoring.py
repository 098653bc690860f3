"""Restoring into a database: only where it has no other rows, and compared row by row when it is done.

A kill leaves a database that has some rows of the backup and no others, so that the next restore continues.
Into an empty table of a folder the rows are appended, and then compared with the backup side by side.
Elsewhere they are merged, which changes their order, so that each is looked for. `history` is written last:
until then readers find no run.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from community_metrics.backup.row_bits import LANES, row_bits
from community_metrics.errors import BackupDamaged, RestoreRefused
from community_metrics.storage.schemas import HISTORY, table_named
from community_metrics.storage.whole import DATA_TABLES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator

    from numpy.typing import NDArray

    from community_metrics.backup.manifest import StoredTable
    from community_metrics.backup.reading import FetchedBackup
    from community_metrics.storage import LanceDBStore
    from community_metrics.storage.maintenance import Renew

_BYTES_OF_ONE_MERGE: Final = 64 * 1024**2
"""A merge ends with the row group that reaches it, or the store's `merge_rows`: so much is in memory."""


async def restore_tables(store: LanceDBStore, backup: FetchedBackup, *, renew: Renew) -> None:
    """Write every row of the backup into the database, and compare all rows afterwards.

    `renew` renews the caller's lease before each write; if it raises, nothing more is written.

    Raises:
        RestoreRefused: the database has rows that are not in the backup; nothing was changed.
        BackupDamaged: the rows that were restored are not those of the backup.
        StorageError: a LanceDB operation failed.
    """
    tables = sorted(backup.manifest.tables, key=lambda table: table.name == HISTORY.name)
    begun = await _require_no_other_rows(store, backup)
    for table in tables:
        # a bucket or a cluster may apply a write after its caller gave up: there only a merge can be repeated
        write = store.append_rows if store.is_folder and table.name not in begun else store.insert_rows
        for rows in _merges(backup, table, store.merge_rows):
            await renew()
            await write(table.name, rows)
        await _require_same_rows(store, backup, table)


async def _require_no_other_rows(store: LanceDBStore, backup: FetchedBackup) -> frozenset[str]:
    """Return the names of the tables that have rows of the backup, from a restore that was killed."""
    stored = {table.name: table for table in backup.manifest.tables}
    found: dict[str, int] = {}
    begun = set()
    for name in [spec.name for spec in DATA_TABLES]:
        if await store.has_rows(name):
            begun.add(name)
            # an earlier version's backup has no such table: then every row is another
            known = name in stored
            others = await (_other_rows(store, backup, stored[name]) if known else store.count(name))
            found |= {name: others} if others else {}
    if found:
        counts = ", ".join(f"{name} ({count:,})" for name, count in found.items())
        raise RestoreRefused(
            f"The database is not empty: rows of {counts} are not in the backup "
            f"{backup.manifest.backup_id}. Nothing was changed. Fix: name a new database by CM_DB_PATH or "
            "CM_LANCEDB_URI, or add --replace, which makes a backup of this one and then deletes it."
        )
    return frozenset(begun)


async def _other_rows(store: LanceDBStore, backup: FetchedBackup, table: StoredTable) -> int:
    """Return how many rows of the database are not in the backup."""
    known = _bits_of(_batches_of(backup, table, store.merge_rows))
    known = known[np.argsort(known[:, 0])]
    count = 0
    async with aclosing(_scanned(store, table)) as batches:
        async for batch in batches:
            count += batch.num_rows - int(_are_known(row_bits(batch), known).sum())
    return count


def _are_known(bits: NDArray[np.uint64], known: NDArray[np.uint64]) -> NDArray[np.bool_]:
    if not len(known):
        return np.zeros(len(bits), np.bool_)
    position = np.searchsorted(known[:, 0], bits[:, 0]).clip(max=len(known) - 1)
    same: NDArray[np.bool_] = (known[position] == bits).all(axis=1)
    return same


async def _require_same_rows(store: LanceDBStore, backup: FetchedBackup, table: StoredTable) -> None:
    if await _are_same_in_order(store, backup, table):
        return
    # a server may have stored a key twice: a merge inserts no copy of a key that is stored
    count, others = await store.count(table.name), await _other_rows(store, backup, table)
    if others or count > table.rows or await _keys_stored(store, table) != _keys_of(backup, table, store):
        raise BackupDamaged(
            f"The restored table {table.name} has {count:,} rows, and they are not the {table.rows:,} of the "
            "backup: something else wrote to it. Fix: restore into a new database."
        )


async def _keys_stored(store: LanceDBStore, table: StoredTable) -> int:
    """Return how many different keys the database has."""
    key = table_named(table.name).key
    async with aclosing(store.scan(table.name, columns=[key])) as batches:
        return len(np.unique(_bits_of([batch async for batch in batches]), axis=0))


def _keys_of(backup: FetchedBackup, table: StoredTable, store: LanceDBStore) -> int:
    """Return how many different keys the backup has."""
    key = table_named(table.name).key
    keys = (batch.select([key]) for batch in _batches_of(backup, table, store.merge_rows))
    return len(np.unique(_bits_of(keys), axis=0))


def _bits_of(batches: Iterable[pa.RecordBatch]) -> NDArray[np.uint64]:
    return np.concatenate([np.empty((0, LANES), np.uint64), *map(row_bits, batches)])


async def _are_same_in_order(store: LanceDBStore, backup: FetchedBackup, table: StoredTable) -> bool:
    """Return whether the database has the rows of the backup in their order."""
    left = table_named(table.name).schema.empty_table()
    parts = _merges(backup, table, store.merge_rows)
    async with aclosing(_scanned(store, table)) as batches:
        async for batch in batches:
            while left.num_rows < batch.num_rows and (part := next(parts, None)):
                left = pa.concat_tables([left, part])
            if not left.slice(0, batch.num_rows).equals(pa.Table.from_batches([batch])):
                return False
            left = left.slice(batch.num_rows)
    return left.num_rows == 0 and next(parts, None) is None


async def _scanned(store: LanceDBStore, table: StoredTable) -> AsyncGenerator[pa.RecordBatch, None]:
    """Yield the rows of a table with the columns of this version."""
    schema = table_named(table.name).schema
    async with aclosing(store.scan(table.name)) as batches:
        async for batch in batches:
            yield batch.select(schema.names)


def _merges(backup: FetchedBackup, table: StoredTable, most_rows: int) -> Iterator[pa.Table]:
    """Yield the rows of a table in parts for one merge each, with the columns of this version."""
    spec = table_named(table.name)
    parts: list[pa.Table] = []
    with backup.rows(table) as file:
        for group in range(file.num_row_groups):
            parts.append(spec.completed(file.read_row_group(group)))
            if sum(one.num_rows for one in parts) >= most_rows or (
                sum(one.nbytes for one in parts) >= _BYTES_OF_ONE_MERGE
            ):
                yield pa.concat_tables(parts)
                parts = []
    if parts:
        yield pa.concat_tables(parts)


def _batches_of(backup: FetchedBackup, table: StoredTable, most_rows: int) -> Iterator[pa.RecordBatch]:
    for part in _merges(backup, table, most_rows):
        yield from part.to_batches()

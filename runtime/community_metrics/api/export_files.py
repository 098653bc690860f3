"""Tables as Parquet files on disk, each kept while its data are current.

A client such as DuckDB asks for the length of a file and then for parts of it. Two exports of the same rows
may have other bytes, so all parts have to come from one file.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import weakref
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from community_metrics.api.cache.sharing import SharedWork
from community_metrics.api.memory import free_memory
from community_metrics.api.timely import timely
from community_metrics.views.rows import scan_table

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Hashable
    from datetime import datetime

    import pyarrow as pa

    from community_metrics.api.admission import Admission
    from community_metrics.api.cache.database import ReadDatabase
    from community_metrics.storage.reader import LanceDBReader


class ExportFile:
    """A file in the system's folder for temporary files; deleted when nothing refers to this object."""

    def __init__(self) -> None:
        descriptor, name = tempfile.mkstemp(prefix="community-metrics-", suffix=".parquet")
        os.close(descriptor)
        self.path = Path(name)
        self.etag = ""
        weakref.finalize(self, self.path.unlink, missing_ok=True)

    def seal(self) -> None:
        """Set the tag, a hash of the bytes; nothing is written after it."""
        with self.path.open("rb") as content:
            self.etag = f'"{hashlib.file_digest(content, "sha256").hexdigest()[:32]}"'


class ExportFiles:
    """The newest Parquet file of each table; it is written within a turn, and sent without one."""

    def __init__(self, database: ReadDatabase, turns: Admission) -> None:
        self._database = database
        self._turns = turns
        self._files: dict[str, tuple[Hashable, ExportFile]] = {}
        self._writing: SharedWork[ExportFile] = SharedWork()

    async def parquet(self, table: str, now: datetime) -> ExportFile:
        """Return the file of a table; concurrent calls share one.

        Raises:
            Busy: no turn is free.
            StorageError: storage failed.
            TimeoutError: storage sent nothing for too long.
        """
        tables = await self._database.look(now)
        key = (table, tables.key, tables.newest_run, tables.snapshot.versions[table])
        if table in self._files and self._files[table][0] == key:
            return self._files[table][1]
        return await self._writing.result(key, partial(self._write, table, key, now))

    async def _write(self, table: str, key: Hashable, now: datetime) -> ExportFile:
        write = partial(_written, table=table, timeout_s=self._database.read_timeout_s)
        async with self._turns.turn():
            try:
                file, _ = await self._database.read(write, now)
            finally:
                free_memory()
        self._files[table] = (key, file)
        return file


async def _written(reader: LanceDBReader, *, table: str, timeout_s: float) -> ExportFile:
    schema, batches = scan_table(reader, table)
    file = ExportFile()
    await _write_parquet(file.path, schema, timely(batches, timeout_s))
    await asyncio.to_thread(file.seal)
    return file


async def _write_parquet(
    path: Path, schema: pa.Schema, batches: AsyncGenerator[pa.RecordBatch, None]
) -> None:
    from pyarrow import parquet, system_memory_pool  # noqa: PLC0415  only this route needs it

    pool = system_memory_pool()  # the default one keeps 10 MB
    with parquet.ParquetWriter(path, schema, compression="zstd", memory_pool=pool) as writer:
        async with aclosing(batches):
            async for batch in batches:
                writer.write_batch(batch)

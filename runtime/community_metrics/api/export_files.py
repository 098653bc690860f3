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
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from community_metrics.api.cache.sharing import SharedWork
from community_metrics.api.memory import free_memory
from community_metrics.api.timely import timely
from community_metrics.parquet_files import write_parquet
from community_metrics.views.rows import has_sample_data, scan_table

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

    from community_metrics.api.admission import Admission
    from community_metrics.api.cache.database import ReadDatabase
    from community_metrics.model import Visibility
    from community_metrics.storage.reader import LanceDBReader

    Seen = Callable[[LanceDBReader], LanceDBReader]


class ExportFile:
    """A file in the system's folder for temporary files; deleted when nothing refers to this object.

    `is_sample` says that its numbers are invented.
    """

    def __init__(self, *, is_sample: bool = False) -> None:
        self.is_sample = is_sample
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
    """The newest Parquet file of each table and viewer; it is written within a turn, and sent without one."""

    def __init__(self, database: ReadDatabase, turns: Admission) -> None:
        self._database = database
        self._turns = turns
        self._files: dict[tuple[str, Visibility], tuple[Hashable, ExportFile]] = {}
        self._writing: SharedWork[ExportFile] = SharedWork()

    async def parquet(self, table: str, now: datetime, viewer: Visibility, seen: Seen) -> ExportFile:
        """Return the file of a table for a viewer, who may read what `seen` returns; calls share one.

        Raises:
            Busy: no turn is free.
            StorageError: storage failed.
            TimeoutError: storage sent nothing for too long.
        """
        tables = await self._database.look(now)
        versions = tables.snapshot.versions
        # a definition decides who may see a row of another table
        state = (tables.key, tables.newest_run, versions[table], versions["metrics"])
        known, file = self._files.get((table, viewer), (None, None))
        if file is not None and known == state:
            return file
        write = partial(self._write, table, viewer, state, now, seen)
        return await self._writing.result((table, viewer, state), write)

    async def _write(
        self, table: str, viewer: Visibility, state: Hashable, now: datetime, seen: Seen
    ) -> ExportFile:
        write = partial(_written, table=table, timeout_s=self._database.read_timeout_s, seen=seen)
        async with self._turns.turn():
            try:
                file, _ = await self._database.read(write, now)
            finally:
                free_memory()
        self._files[table, viewer] = (state, file)
        return file


async def _written(reader: LanceDBReader, *, table: str, timeout_s: float, seen: Seen) -> ExportFile:
    source = seen(reader)
    is_sample = await has_sample_data(source)
    schema, batches = scan_table(source, table, is_sample=is_sample)
    file = ExportFile(is_sample=is_sample)
    await write_parquet(file.path, schema, timely(batches, timeout_s))
    await asyncio.to_thread(file.seal)
    return file

"""An open database (a folder, a bucket or LanceDB Enterprise) and its table handles."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from community_metrics.errors import (
    StorageError,
    StorageNotBootstrapped,
    StorageSchemaMismatch,
    StorageUnavailable,
)
from community_metrics.storage.errors import BOOTSTRAP, Target, translate_errors
from community_metrics.storage.timeouts import Timeouts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import ModuleType

    import pyarrow as pa

    from community_metrics.config import Settings
    from community_metrics.storage.schemas import AnyTable

IN_MEMORY: Final = "memory://"
"""A `db_path` that exists as long as its connection; a dry run without a database compares with it."""


@dataclass(frozen=True, slots=True)
class OpenTable:
    """LanceDB's handle of a table, and the nullable columns of this version that the table lacks."""

    handle: Any
    missing: Mapping[str, pa.DataType] = field(default_factory=dict)
    version: int = 0
    """The version that the handle stays at; 0 for a handle that moves on."""


class Database:
    """One connection and its table handles, opened when they are first needed.

    `consistency_s` is the maximum age of what a read returns: 0 includes every write acknowledged before the
    read, also of other processes; None allows what the handle or the service last read.
    """

    def __init__(
        self, settings: Settings, *, consistency_s: float | None, timeouts: Timeouts | None = None
    ) -> None:
        self.settings = settings
        self.target = Target(settings)
        self._consistency = None if consistency_s is None else timedelta(seconds=consistency_s)
        self._timeouts = timeouts or Timeouts()
        self._connection: Any = None
        self._tables: dict[str, OpenTable] = {}
        self._opening = asyncio.Lock()

    @property
    def is_remote(self) -> bool:
        """Whether a LanceDB Enterprise cluster does the work."""
        return self.target.is_enterprise

    @property
    def exists(self) -> bool:
        """Whether there is something to connect to; False only for a local folder that is missing."""
        has_no_folder = self.is_remote or self.settings.is_s3 or self.settings.db_path == IN_MEMORY
        return has_no_folder or self._folder.is_dir()

    async def connection(self, *, may_create: bool = False) -> Any:
        """Return the LanceDB connection; `may_create` creates a missing folder.

        Raises:
            StorageNotBootstrapped: the folder does not exist.
            StorageUnavailable: the path is a file, the folder cannot be created, or the bucket or the cluster
                cannot be reached.
        """
        async with self._opening:
            if self._connection is None:
                if not self.exists:
                    self._create_folder(may_create=may_create)
                path = self.settings.db_path
                with translate_errors(self.target, "connecting"):
                    self._connection = await client().connect(
                        self.settings,
                        path if self.settings.is_s3 or path == IN_MEMORY else self._folder,
                        self._consistency,
                        self._timeouts,
                    )
        return self._connection

    async def table(self, spec: AnyTable) -> OpenTable:
        """Return the open table after its columns were checked.

        Raises:
            StorageNotBootstrapped: the table does not exist.
            StorageSchemaMismatch: a column has another type, or one that is never null is missing.
        """
        if known := self._tables.get(spec.name):
            return known
        table = await self._opened(spec)
        if not table.missing:  # until a job adds the columns, each use checks for them again
            self._tables[spec.name] = table
        return table

    async def pinned_table(self, spec: AnyTable) -> OpenTable:
        """Return a new handle of the table's newest version, which stays at that version.

        Only for a database with `consistency_s=None` or a remote one: another handle would move on.

        Raises:
            StorageNotBootstrapped: the table does not exist.
            StorageSchemaMismatch: a column has another type, or one that is never null is missing.
        """
        table = await self._opened(spec)
        with translate_errors(self.target, f"reading the version of {spec.name}"):
            version = int(await table.handle.version())
            if self.is_remote:
                await table.handle.checkout(version)
        return replace(table, version=version)

    async def _opened(self, spec: AnyTable) -> OpenTable:
        connection = await self.connection()
        with translate_errors(self.target, f"opening the table {spec.name}"):
            handle = await connection.open_table(spec.name)
            found = await handle.schema()
        return OpenTable(handle, self._missing_columns(spec, found))

    async def has_table(self, spec: AnyTable) -> bool:
        """Return whether the table exists."""
        try:
            await self.table(spec)
        except StorageNotBootstrapped:
            return False
        return True

    @asynccontextmanager
    async def using(self, spec: AnyTable, doing: str) -> AsyncIterator[OpenTable]:
        """Yield the open table; an error inside is translated, and the next use opens the table again.

        A handle outlives its table: after another process dropped the table, it only finds deleted files.
        """
        table = await self.table(spec)
        try:
            with translate_errors(self.target, doing):
                yield table
        except StorageError:
            self._tables.pop(spec.name, None)
            raise

    def forget_tables(self) -> None:
        """Open and check every table again at its next use."""
        self._tables.clear()

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        self._tables.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def _folder(self) -> Path:
        # absolute, because LanceDB takes a relative path that starts with "db" for a cloud address
        return Path(self.settings.db_path).expanduser().absolute()

    def _create_folder(self, *, may_create: bool) -> None:
        # LanceDB would create it too, but its error for a file at this path does not name the reason
        folder = self._folder
        if folder.is_file():
            raise StorageUnavailable(
                f"{folder} is a file; a database is a folder. Fix: set CM_DB_PATH to a folder."
            )
        if not may_create:
            raise StorageNotBootstrapped(
                f"There is no database at {folder}. {BOOTSTRAP}; if it is elsewhere, set CM_DB_PATH."
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(
                f"The folder {folder} cannot be created: {error.strerror}. Fix: set CM_DB_PATH to a folder "
                "whose parent this user may write to."
            ) from error

    def _missing_columns(self, spec: AnyTable, found: pa.Schema) -> dict[str, pa.DataType]:
        """Return the nullable columns that the table lacks; it may have columns that this version ignores."""
        types = {column.name: column.type for column in found}
        missing = {column.name: column.type for column in spec.schema if column.name not in types}
        problems = [f"{name} is missing" for name in missing if not spec.schema.field(name).nullable]
        problems += [
            f"{column.name} is {types[column.name]}, not {column.type}"
            for column in spec.schema
            if types.get(column.name, column.type) != column.type
        ]
        if problems:
            raise StorageSchemaMismatch(
                f"The table {spec.name} in {self.target} does not have the columns of this version: "
                f"{'; '.join(problems)}. Fix: install the version that created it, or set "
                f"{self.target.address} to a new database and run `community-metrics bootstrap`."
            )
        return missing


def client() -> ModuleType:
    """Return the module that imports lancedb; the first call takes 1.2 s."""
    from community_metrics.storage import client as module  # noqa: PLC0415  only an open database needs it

    return module

"""How a database is opened: a folder, a bucket or LanceDB Enterprise. Only here lancedb is imported."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from community_metrics.errors import (
    StorageError,
    StorageNotBootstrapped,
    StorageSchemaMismatch,
    StorageUnavailable,
)
from community_metrics.storage.errors import BOOTSTRAP, Place, our_errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from community_metrics.config import Settings
    from community_metrics.storage.schemas import AnyTable


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long LanceDB Enterprise may take, in seconds; the client's own defaults reach five minutes.

    A cluster that swallows every packet is given up after `tries` times `connect_s`, one that accepts and
    stays silent after `tries` times `read_s`.
    """

    connect_s: float = 5
    read_s: float = 15
    """Between two packets of an answer."""
    request_s: float = 60
    """A whole request, the largest merge included."""
    tries: int = 2
    """After a lost connection or a silence. The client counts tries, not retries."""
    tries_on_status: int = 3
    """After 409, 429 and 5xx, about 0.2 s and 0.4 s apart."""


S3_TIMEOUTS: Final = {
    "connect_timeout": "5s",
    "timeout": "30s",
    "client_max_retries": "2",
    "client_retry_timeout": "30",
}
IN_MEMORY: Final = "memory://"
"""A `db_path` that lives as long as its connection; a dry run without a database compares with it."""


class Database:
    """One connection and its table handles, made when they are first needed.

    `consistency_s` is how old the view of a read may be: 0 sees every write that was acknowledged before the
    read, by whomever; None trusts whatever the handle or the service last saw.
    """

    def __init__(
        self, settings: Settings, *, consistency_s: float | None, timeouts: Timeouts | None = None
    ) -> None:
        self.settings = settings
        self.place = Place(settings)
        self._consistency = None if consistency_s is None else timedelta(seconds=consistency_s)
        self._timeouts = timeouts or Timeouts()
        self._connection: Any = None
        self._tables: dict[str, Any] = {}
        self._opening = asyncio.Lock()

    @property
    def is_remote(self) -> bool:
        """Say whether the work is done by a LanceDB Enterprise cluster."""
        return self.place.is_enterprise

    @property
    def exists(self) -> bool:
        """Say whether connecting finds something; only a local folder can be known to be missing."""
        in_no_folder = self.is_remote or self.settings.is_s3 or self.settings.db_path == IN_MEMORY
        return in_no_folder or self._folder.is_dir()

    async def connection(self, *, may_create: bool = False) -> Any:
        """Return the LanceDB connection; `may_create` makes the folder where it is missing.

        Raises:
            StorageNotBootstrapped: the folder is not there.
            StorageUnavailable: a file is in the way or the folder cannot be made, the bucket or the cluster
                cannot be reached.
        """
        async with self._opening:
            if self._connection is None:
                self._connection = await self._connect(may_create=may_create)
        return self._connection

    async def table(self, spec: AnyTable) -> Any:
        """Return the handle of a table whose columns were checked once.

        Raises:
            StorageNotBootstrapped: the table is not there.
            StorageSchemaMismatch: the table lacks a column, or has one of another type.
        """
        known = self._tables.get(spec.name)
        if known is not None:
            return known
        connection = await self.connection()
        with our_errors(self.place, f"opening the table {spec.name}"):
            table = await connection.open_table(spec.name)
            columns = await table.schema()
        self._require_columns(spec, columns)
        self._tables[spec.name] = table
        return table

    @asynccontextmanager
    async def using(self, spec: AnyTable, doing: str) -> AsyncIterator[Any]:
        """Lend the handle of a table; errors inside are ours, and make the next use open the table anew.

        A handle outlives its table: after a drop by another process it would know only what is gone.
        """
        table = await self.table(spec)
        try:
            with our_errors(self.place, doing):
                yield table
        except StorageError:
            self._tables.pop(spec.name, None)
            raise

    def forget_tables(self) -> None:
        """Open every table anew at its next use."""
        self._tables.clear()

    def btree(self) -> Any:
        """Return the kind of index that serves equality and ranges."""
        from lancedb.index import BTree  # noqa: PLC0415  loaded already where a table is open

        return BTree()

    def ordering(self, column: str, *, descending: bool) -> Any:
        """Return what a query is ordered by."""
        from lancedb.query import ColumnOrdering  # noqa: PLC0415  loaded already where a table is open

        return ColumnOrdering(column_name=column, ascending=not descending, nulls_first=False)

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        self._tables.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def _folder(self) -> Path:
        # absolute, since LanceDB takes a relative path that starts with "db" for a cloud address
        return Path(self.settings.db_path).expanduser().absolute()

    async def _connect(self, *, may_create: bool) -> Any:
        if not self.exists:
            self._make_folder(may_create=may_create)
        import lancedb  # noqa: PLC0415  1.2 s: whoever does not open a database must not pay for it

        with our_errors(self.place, "connecting"):
            if self.is_remote:
                return await lancedb.connect_async(**self._enterprise_options())
            if self.settings.is_s3:
                options = S3_TIMEOUTS | self.settings.aws_storage_options
                return await lancedb.connect_async(
                    self.settings.db_path,
                    storage_options=options,
                    read_consistency_interval=self._consistency,
                )
            where = IN_MEMORY if self.settings.db_path == IN_MEMORY else self._folder
            return await lancedb.connect_async(where, read_consistency_interval=self._consistency)

    def _make_folder(self, *, may_create: bool) -> None:
        # LanceDB would make it as well, but says of a file in the way only that it cannot
        folder = self._folder
        if folder.is_file():
            raise StorageUnavailable(
                f"{folder} is a file, and a database is a folder. Name a folder with CM_DB_PATH."
            )
        if not may_create:
            raise StorageNotBootstrapped(
                f"There is no database at {folder}. {BOOTSTRAP}; if it is elsewhere, set CM_DB_PATH."
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(
                f"The folder {folder} cannot be made: {error.strerror}. Name a folder with CM_DB_PATH whose "
                "parent this user may write to."
            ) from error

    def _enterprise_options(self) -> dict[str, Any]:
        from lancedb.remote import ClientConfig, RetryConfig, TimeoutConfig  # noqa: PLC0415  as above

        settings, timeouts = self.settings, self._timeouts
        key = settings.lancedb_api_key
        options: dict[str, Any] = {
            "uri": settings.lancedb_uri,
            "api_key": None if key is None else key.get_secret_value(),
            "host_override": settings.lancedb_host_override,
            "read_consistency_interval": self._consistency,
            "client_config": ClientConfig(
                retry_config=RetryConfig(
                    retries=timeouts.tries_on_status,
                    connect_retries=timeouts.tries,
                    read_retries=timeouts.tries,
                    backoff_factor=0.2,
                    backoff_jitter=0.1,
                ),
                timeout_config=TimeoutConfig(
                    timeout=timedelta(seconds=timeouts.request_s),
                    connect_timeout=timedelta(seconds=timeouts.connect_s),
                    read_timeout=timedelta(seconds=timeouts.read_s),
                ),
            ),
        }
        if settings.lancedb_region is not None:
            options["region"] = settings.lancedb_region
        return options

    def _require_columns(self, spec: AnyTable, found: Any) -> None:
        """Let a table pass that has all our columns; columns of a newer version may stand beside them."""
        types = {field.name: field.type for field in found}
        faults = [
            f"{field.name} is missing"
            if field.name not in types
            else f"{field.name} is {types[field.name]}, not {field.type}"
            for field in spec.schema
            if types.get(field.name) != field.type
        ]
        if faults:
            raise StorageSchemaMismatch(
                f"The table {spec.name} in {self.place} is not the one this version reads and writes: "
                f"{'; '.join(faults)}. Use the version that made it, or point {self.place.address} "
                "at a new database and run `community-metrics bootstrap`."
            )

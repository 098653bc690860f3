"""Every table at one version: reads from it agree with each other, whatever is written meanwhile.

A look costs a bucket one LIST, and two while a run is open. The reads that follow cost it none.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from community_metrics.config import StorageMode
from community_metrics.errors import StorageNotBootstrapped
from community_metrics.model import RunStatus
from community_metrics.storage.connection import Database
from community_metrics.storage.errors import BOOTSTRAP
from community_metrics.storage.reader import NEWEST_RUNS, LanceDBReader
from community_metrics.storage.schemas import HISTORY, LEASES, METRICS, VIEWED

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from community_metrics.config import Settings
    from community_metrics.model import Lease, Run
    from community_metrics.storage.connection import OpenTable
    from community_metrics.storage.schemas import AnyTable


class PinnedDatabase(Database):
    """Tables of another database that stay at the version they were opened at; the others do not exist."""

    def __init__(self, source: Database, tables: Mapping[str, OpenTable]) -> None:
        super().__init__(source.settings, consistency_s=None)
        self._source = source
        self._pinned = tables

    async def connection(self, *, may_create: bool = False) -> Any:
        """Return the connection of the other database."""
        return await self._source.connection(may_create=may_create)

    async def table(self, spec: AnyTable) -> OpenTable:
        """Return the table at its version, also after an error: the newest would not agree with the rest.

        Raises:
            StorageNotBootstrapped: there was no such table.
        """
        if spec.name not in self._pinned:
            raise StorageNotBootstrapped(f"There was no table {spec.name}. {BOOTSTRAP}.")
        return self._pinned[spec.name]


@dataclass(frozen=True, slots=True)
class Look:
    """The newest runs, newest first, and the lease as it was just before, if the newest run is open.

    `tables` has the handles that they were read from.
    """

    runs: tuple[Run, ...]
    lease: Lease | None
    tables: Mapping[str, OpenTable]

    @property
    def open_runs(self) -> tuple[Run, ...]:
        """The runs that are newer than the last closed one; the lease decides whether one still works."""
        return tuple(takewhile(lambda run: run.status is RunStatus.RUNNING, self.runs))

    @property
    def history_version(self) -> int:
        """The version of `history` that the runs were read from."""
        return self.tables[HISTORY.name].version

    def agrees_with(self, other: Look) -> bool:
        """Return whether both read the same version of `history`, of the same database."""
        # tables that were dropped and created again count their versions from 1 again; a run id is unique
        return self.history_version == other.history_version and self.runs == other.runs


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A reader of one version of every table, and the look that it was opened for."""

    reader: LanceDBReader
    tables: Mapping[str, OpenTable]
    look: Look

    @property
    def versions(self) -> dict[str, int]:
        """The version of each table; 0 for one that an earlier version of this program did not create."""
        return {
            spec.name: self.tables[spec.name].version if spec.name in self.tables else 0 for spec in VIEWED
        }


class SnapshotSource:
    """Opens snapshots of one database, all over one connection."""

    def __init__(self, settings: Settings, reader_type: type[LanceDBReader] = LanceDBReader) -> None:
        # a handle of a folder or a bucket stays at the version that it was opened at; the service responds
        # with any version it knows, so it is asked for the newest, and then for that one
        is_remote = settings.storage_mode is StorageMode.ENTERPRISE
        self._database = Database(settings, consistency_s=0.0 if is_remote else None)
        self._reader_type = reader_type

    async def look(self, *, with_lease: bool = False) -> Look:
        """Read the newest runs; `with_lease` saves a second reading where the newest run is probably open.

        Raises:
            StorageError: storage failed.
        """
        # the lease first: a run that ends in between is then read as closed, not as abandoned
        tables = {LEASES.name: await self._database.pinned_table(LEASES)} if with_lease else {}
        tables[HISTORY.name] = await self._database.pinned_table(HISTORY)
        reader = self._reader(tables)
        look = Look(tuple(await reader.runs(limit=NEWEST_RUNS)), None, tables)
        if not look.open_runs:
            return look
        return replace(look, lease=await reader.lease()) if with_lease else await self.look(with_lease=True)

    async def snapshot(self, look: Look) -> Snapshot:
        """Open the tables that the look did not open.

        Raises:
            StorageError: storage failed.
        """
        # definitions last: a run stores them before the first values, so that every value has its visibility
        others = [spec for spec in VIEWED if spec.name not in look.tables and spec is not METRICS]
        opened = [*await asyncio.gather(*map(self._opened, others)), await self._opened(METRICS)]
        named = zip([*others, METRICS], opened, strict=True)
        found = {spec.name: table for spec, table in named if table is not None}
        return self.renewed({**found, **look.tables}, look)

    def renewed(self, tables: Mapping[str, OpenTable], look: Look) -> Snapshot:
        """Return the snapshot of tables that are open, with those of the look in their place."""
        tables = {**tables, **look.tables}
        return Snapshot(self._reader(tables, {HISTORY.name: list(look.runs)}), tables, look)

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        self._database.close()

    def _reader(
        self, tables: Mapping[str, OpenTable], known: Mapping[Hashable, Any] | None = None
    ) -> LanceDBReader:
        reader = self._reader_type(PinnedDatabase(self._database, tables))
        reader.computed = dict(known or {})
        return reader

    async def _opened(self, spec: AnyTable) -> OpenTable | None:
        try:
            return await self._database.pinned_table(spec)
        except StorageNotBootstrapped:
            if spec.optional:
                return None
            raise

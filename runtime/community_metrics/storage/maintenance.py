"""Upkeep of the tables: compaction, indexes, surplus copies of keys, rows from the future."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from community_metrics.clock import SystemClock
from community_metrics.errors import StorageConflict
from community_metrics.storage import sql
from community_metrics.storage.connection import client
from community_metrics.storage.duplicates import Copy, DroppedRow, surplus
from community_metrics.storage.queries import ROW_ID
from community_metrics.storage.reader import LanceDBReader
from community_metrics.storage.schemas import (
    DELIVERIES,
    HISTORY,
    LAST_READS,
    LEASES,
    RAW_ANSWERS,
    RUN_OUTCOMES,
    STATS,
    TABLES,
    WRITTEN_BY_RUNS,
    table_named,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from community_metrics.storage.integrity import RowName
    from community_metrics.storage.schemas import AnyTable

    Renew = Callable[[], Awaitable[object]]

KEEP_VERSIONS: Final = timedelta(hours=1)
"""`optimize` removes versions that were committed longer ago than this, and files that only they have.

The version before a run is usually older, so a reader that still uses it fails and has to open a newer one;
of the tables with values it is kept, so that the run can be undone.
"""
_CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""How much the clock of the machine that committed a version may be behind, and an upkeep take."""
KEEP_ANSWERS: Final = timedelta(days=400)
"""How long the answers of sources are kept that cannot be asked again."""
_KEYS_OF_ONE_REPAIR: Final = 100


class Maintenance(LanceDBReader):
    """The upkeep of one database; the caller holds the lease."""

    most_versions: ClassVar[int] = 100
    """The versions of `leases` at which `tidy` compacts; a run adds at least three."""
    most_merge_rows: ClassVar[int] = 262_144
    """Rows of one merge of a restore, which take about 100 MB."""
    keep_versions: ClassVar[timedelta] = KEEP_VERSIONS
    keep_run_versions: ClassVar[timedelta] = timedelta(minutes=1)
    """What `KEEP_VERSIONS` is for the tables of runs: reading one of them takes milliseconds."""

    @property
    def merge_rows(self) -> int:
        """How many rows a restore merges at once; a request to a cluster has to end within its time limit."""
        return self.most_merge_rows // 4 if self._database.is_remote else self.most_merge_rows

    async def versions_with_values(self) -> dict[str, int]:
        """Return the version of each table with values; none for Enterprise, which keeps its own."""
        tables = () if self._database.is_remote else WRITTEN_BY_RUNS
        return {spec.name: await self._version(spec) for spec in tables}

    async def optimize(self, begun: Mapping[str, int] | None = None) -> None:
        """Compact files, update indexes and remove old versions; Enterprise does that by itself.

        `begun` are the `versions_with_values` from before a run: they are kept, and what is newer.
        """
        if self._database.is_remote:
            return
        await self._index(STATS)
        for spec in TABLES:
            await self._compact((spec,), await self._age_to_keep(spec, (begun or {}).get(spec.name)))

    async def delete_old_answers(self, now: datetime) -> int:
        """Delete the answers stored more than `KEEP_ANSWERS` ago; return how many rows they were."""
        if await self._is_absent(RAW_ANSWERS):
            return 0
        is_old = f"stored_at < {sql.literal(now - KEEP_ANSWERS)}"
        async with self._database.using(RAW_ANSWERS, f"deleting rows from {RAW_ANSWERS.name}") as table:
            rows = int(await table.handle.count_rows(is_old))
            if rows:  # a delete of nothing would make a version
                await table.handle.delete(is_old)
        return rows

    async def tidy(self) -> None:
        """Compact the tables of runs if they have many versions; otherwise cost one look at `leases`.

        Every run writes to `leases` more often than to the others, also a run that stores no value.
        """
        if self._database.is_remote or await self._version(LEASES) <= self.most_versions:
            return
        async with self._database.using(LEASES, f"listing the versions of {LEASES.name}") as table:
            versions = await table.handle.list_versions()
        if len(versions) > self.most_versions:
            of_runs = (LEASES, HISTORY, RUN_OUTCOMES, LAST_READS, RAW_ANSWERS, DELIVERIES)
            await self._compact(of_runs, self.keep_run_versions)

    @property
    def is_folder(self) -> bool:
        """Whether a file lock and the lease keep every other writer of this program away."""
        return not (self._database.is_remote or self._database.settings.is_s3)

    async def insert_rows(self, table: str, rows: pa.Table) -> None:
        """Insert the rows whose key is not stored, exactly as they are, in one atomic merge."""
        spec = table_named(table)
        async with self._database.using(spec, f"writing {rows.num_rows} rows to {table}") as opened:
            merge = opened.handle.merge_insert(spec.key).use_index(False)  # as in every merge of the store
            await merge.when_not_matched_insert_all().execute(rows)

    async def append_rows(self, table: str, rows: pa.Table) -> None:
        """Append rows whose keys the caller knows not to be stored, in one atomic write, in their order."""
        spec = table_named(table)
        async with self._database.using(spec, f"writing {rows.num_rows} rows to {table}") as opened:
            await opened.handle.add(rows)

    async def rebuild_indexes(self) -> list[str]:
        """Build every index anew from the rows, and return their columns; Enterprise keeps its own."""
        built = []
        for spec in () if self._database.is_remote else TABLES:
            for column in spec.indexed:
                if await self.has_rows(spec.name):
                    async with self._database.using(spec, f"indexing {spec.name}") as table:
                        await table.handle.create_index(column, config=client().BTree(), replace=True)
                    built.append(f"{spec.name}.{column}")
        return built

    async def delete_future(self, now: datetime, *, renew: Renew) -> list[RowName]:
        """Delete the rows and runs from the future, and return them; each table in one atomic delete.

        `renew` renews the caller's lease before each delete; if it raises, those rows stay.
        """
        found = await self.future_rows(now)
        for name in {row.table: None for row in found}:
            spec = table_named(name)
            await renew()
            async with self._database.using(spec, f"deleting rows from {spec.name}") as table:
                for some in chunks([row.key for row in found if row.table == name], _KEYS_OF_ONE_REPAIR):
                    await table.handle.delete(sql.one_of(spec.key, some))
        return found

    async def repair_duplicates(self, *, renew: Renew) -> list[DroppedRow]:
        """Delete all copies of a key except the one observed last; return the deleted copies.

        The copy that stays is not written: one atomic delete names the others by LanceDB's row ids, so the
        row is never absent. (A merge cannot do it: it updates every copy alike.) LanceDB reuses no row id,
        and the condition also names the key, so a compaction in between can make the delete miss, which is
        an error, but never delete another row.

        `renew` renews the caller's lease before each delete; if it raises, those rows stay.

        Raises:
            StorageConflict: the table changed meanwhile; the next repair deletes the rest.
        """
        report: list[DroppedRow] = []
        for name, keys in (await self.find_duplicate_keys()).items():
            for some in chunks(keys, _KEYS_OF_ONE_REPAIR):
                report += await self._repair(table_named(name), some, renew)
        return report

    async def _repair(self, spec: AnyTable, keys: Sequence[str], renew: Renew) -> list[DroppedRow]:
        report: list[DroppedRow] = []
        while extra := surplus(await self._copies(spec, keys)):
            ids = sql.one_of(ROW_ID, [copy.row_id for copy in extra])
            named = sql.one_of(spec.key, [copy.key for copy in extra])
            await renew()
            async with self._database.using(spec, f"deleting copies from {spec.name}") as table:
                deleted = (await table.handle.delete(f"{named} AND {ids}")).num_deleted_rows
            if deleted != len(extra):
                raise StorageConflict(
                    f"{deleted} of {len(extra)} extra rows of {spec.name} were deleted, and no other row: "
                    "the table changed meanwhile. Fix: run `community-metrics repair` again."
                )
            report += [DroppedRow(spec.name, copy.key, asdict(copy.row)) for copy in extra]
        return report

    async def _copies(self, spec: AnyTable, keys: Sequence[str]) -> list[Copy]:
        columns = list(dict.fromkeys([spec.key, *spec.columns]))
        copies = []
        async for page in self._pages(spec, columns, sql.one_of(spec.key, keys), with_row_id=True):
            rows: list[Any] = spec.from_arrow(page)
            ids, names = page.column(ROW_ID).to_pylist(), page.column(spec.key).to_pylist()
            copies += [Copy(row_id, key, row) for row_id, key, row in zip(ids, names, rows, strict=True)]
        return copies

    async def _age_to_keep(self, spec: AnyTable, version: int | None) -> timedelta:
        """Return `keep_versions`, or the age of the version if that is more."""
        if version is None:
            return self.keep_versions
        async with self._database.using(spec, f"listing the versions of {spec.name}") as table:
            listed = await table.handle.list_versions()
        found: dict[int, datetime] = {one["version"]: one["timestamp"] for one in listed}
        if version not in found:  # the run dropped the tables
            return self.keep_versions
        # no job's clock: LanceDB compares the instants of versions with the clock of the machine
        age = SystemClock().now() - found[version].astimezone(UTC)
        return max(self.keep_versions, age + _CLOCKS_DIFFER)

    async def _compact(self, tables: Sequence[AnyTable], keep: timedelta) -> None:
        for spec in tables:
            async with self._database.using(spec, f"compacting {spec.name}") as table:
                await table.handle.optimize(cleanup_older_than=keep)

    async def _index(self, spec: AnyTable) -> None:
        """Build missing indexes once there are rows to index."""
        with suppress(StorageConflict):  # another writer interferes; the next write builds them
            async with self._database.using(spec, f"indexing {spec.name}") as table:
                present = {tuple(index.columns) for index in await table.handle.list_indices()}
                for column in spec.indexed:
                    if (column,) not in present and await table.handle.count_rows():
                        await table.handle.create_index(column, config=client().BTree())


def chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Yield the items in their order, at most `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]

"""Bounded queries: each has columns, a filter and a limit.

A result that reaches its limit is read again page by page, in the order of the table's key, so that memory is
bounded and no result is cut off silently: a read ends only with a result or a page below its limit.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import pyarrow as pa

from community_metrics.storage import sql
from community_metrics.storage.connection import OpenTable, client
from community_metrics.storage.schemas import Row, TableSpec, table_named

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable, Sequence

    from community_metrics.storage.connection import Database
    from community_metrics.storage.schemas import AnyTable

Found = TypeVar("Found")

_EVERY_ROW: Final = 2**32 - 1
"""The limit of a read that streams and needs none: the greatest that LanceDB accepts."""
ROW_ID: Final = "_rowid"
"""LanceDB's own id of a row, returned on request."""


@dataclass(frozen=True, slots=True)
class Query:
    """One bounded query of one table. Columns that the stored table lacks are null."""

    table: AnyTable
    columns: Sequence[str]
    limit: int
    where: str | None = None
    order_by: str | None = None
    descending: bool = False
    with_row_id: bool = False

    def build(self, table: OpenTable) -> Any:
        """Return LanceDB's query of the columns that the stored table has."""
        present = [name for name in self.columns if name not in table.missing]
        built = table.handle.query().select(present or [self.table.key]).limit(self.limit)
        if self.where:
            built = built.where(sql.with_nulls(self.where, table.missing))
        if self.order_by and self.order_by not in table.missing:
            ordering = {"column_name": self.order_by, "ascending": not self.descending, "nulls_first": False}
            built = built.order_by([client().ColumnOrdering(**ordering)])
        return built.with_row_id() if self.with_row_id else built

    def complete(self, found: Any, table: OpenTable) -> Any:
        """Return the Arrow table or batch with nulls for the columns that the stored table lacks."""
        if not table.missing:
            return found
        for name, kind in table.missing.items():
            found = found.append_column(name, pa.nulls(found.num_rows, kind))
        return found.select([*self.columns, *([ROW_ID] if self.with_row_id else [])])


class TableQueries:
    """Reads tables of one database, at once or in pages."""

    page_rows: ClassVar[int] = 10_000
    """Rows of one page, for a read in pages."""
    result_rows: ClassVar[int] = 50_000
    """Maximum rows of one result: 25 years of five metrics, in about 10 MB."""
    batch_rows: ClassVar[int] = 65_536
    """Rows of one batch of a streamed result: larger ones are no faster."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.computed: dict[Hashable, Any] | None = None
        """Room for what was computed from all rows, if the tables stay at one version; else None."""

    async def once(self, key: Hashable, read: Callable[[], Awaitable[Found]]) -> Found:
        """Return what `read` returns; where the tables stay at one version, it is called once for a key."""
        if self.computed is None:
            return await read()
        if key not in self.computed:
            self.computed[key] = await read()
        found: Found = self.computed[key]
        return found

    def scanned_schema(self, table: str) -> pa.Schema:
        """Return the columns of a table that `scan` yields."""
        return table_named(table).schema

    async def scan(
        self, table: str, *, columns: Sequence[str] | None = None, where: str | None = None
    ) -> AsyncGenerator[pa.RecordBatch, None]:
        """Yield a complete table in batches of at most `page_rows` rows, in no particular order.

        Every batch is of the version at the time of the first one, whatever is written meanwhile.
        """
        spec = table_named(table)
        if await self._is_absent(spec):
            return
        selected = list(columns or spec.schema.names)
        # the service sends a result as one file, which must arrive completely before it can be read
        read = (
            self._paged_batches(spec, selected, where)
            if self._database.is_remote
            else self._streamed_batches(spec, selected, where, rows=self.page_rows)
        )
        async with aclosing(read) as batches:  # frees what LanceDB has read ahead
            async for batch in batches:
                yield batch

    async def _rows(self, spec: TableSpec[Row], where: str | None = None) -> list[Row]:
        """Return the rows in no particular order."""
        batches = [batch async for batch in self._batches(spec, spec.columns, where)]
        return [row for batch in batches for row in spec.from_arrow(pa.Table.from_batches([batch]))]

    async def _batches(
        self, spec: AnyTable, columns: Sequence[str], where: str | None
    ) -> AsyncIterator[pa.RecordBatch]:
        """Yield a result in batches, in no particular order."""
        if await self._is_absent(spec):
            return
        if not self._database.is_remote:
            # a stream takes a fifth of the time that LanceDB takes for one Arrow table (225,000 rows)
            async for batch in self._streamed_batches(spec, columns, where, rows=self.batch_rows):
                yield batch
            return
        # one query without an order costs half of an ordered page (1M rows), and most results fit into it
        found = await self._select(Query(spec, columns, self.result_rows, where))
        if found.num_rows < self.result_rows:
            for batch in found.to_batches():
                yield batch
            return
        async for batch in self._paged_batches(spec, columns, where):
            yield batch

    async def _pages(
        self,
        spec: AnyTable,
        columns: Sequence[str],
        where: str | None,
        *,
        with_row_id: bool = False,
        select: Callable[[Query], Awaitable[pa.Table]] | None = None,
    ) -> AsyncIterator[pa.Table]:
        """Yield the result in the order of the key, so that no row is lost or read twice between two pages.

        The last key of a full page may continue in the next one (duplicates do), so it is left for that one.
        `select` runs one query; without it every page is of the newest version at its own time.
        """
        select = select or self._select
        with_key = list(dict.fromkeys([spec.key, *columns]))
        yielded = [*columns, ROW_ID] if with_row_id else list(columns)
        after = None
        while True:
            condition = sql.all_of(where, after)
            page = await select(
                Query(spec, with_key, self.page_rows, condition, order_by=spec.key, with_row_id=with_row_id)
            )
            is_last = page.num_rows < self.page_rows
            if not is_last:
                page, after = _split_off_last_key(page, spec.key)
            yield page.select(yielded)
            if is_last:
                return

    async def _select(self, query: Query) -> pa.Table:
        spec = query.table
        if await self._is_absent(spec):
            return spec.schema.empty_table().select(query.columns)
        async with self._database.using(spec, f"reading {spec.name}") as table:
            return query.complete(await query.build(table).to_arrow(), table)

    async def _is_absent(self, spec: AnyTable) -> bool:
        """Return whether an earlier version wrote the database, which did not have the table yet."""
        return spec.optional and not await self._database.has_table(spec)

    async def _version(self, spec: AnyTable) -> int:
        if await self._is_absent(spec):
            return 0
        async with self._database.using(spec, f"reading the version of {spec.name}") as table:
            return int(await table.handle.version())

    async def _paged_batches(
        self, spec: AnyTable, columns: Sequence[str], where: str | None
    ) -> AsyncGenerator[pa.RecordBatch, None]:
        async with self._database.using(spec, f"reading {spec.name}") as table:
            # a handle of its own, because the shared one must go on reading what is written
            connection = await self._database.connection()
            pinned = OpenTable(await connection.open_table(spec.name), table.missing)
            await pinned.handle.checkout(await table.handle.version())

            async def select(query: Query) -> pa.Table:
                return query.complete(await query.build(pinned).to_arrow(), pinned)

            async for page in self._pages(spec, columns, where, select=select):
                for batch in page.to_batches():
                    yield batch

    async def _streamed_batches(
        self, spec: AnyTable, columns: Sequence[str], where: str | None, *, rows: int
    ) -> AsyncGenerator[pa.RecordBatch, None]:
        query = Query(spec, columns, _EVERY_ROW, where)
        async with self._database.using(spec, f"reading {spec.name}") as table:
            async for batch in await query.build(table).to_batches(max_batch_length=rows):
                yield query.complete(batch, table)


def _split_off_last_key(page: pa.Table, key: str) -> tuple[pa.Table, str]:
    """Return the page without its last key, and the condition for the page that starts with that key."""
    keys = page.column(key).to_pylist()
    first_of_last = keys.index(keys[-1])
    if first_of_last == 0:  # a page of copies of one key: take them and go on after it
        return page, f"{key} > {sql.literal(keys[-1])}"
    return page.slice(0, first_of_last), f"{key} >= {sql.literal(keys[-1])}"

"""What the stand-in for LanceDB Enterprise does to tables: an embedded database for each name, stale reads.

Like the service, it answers a read from a version it saw earlier, unless a header asks for a newer one.
Unlike the service it never moves on by itself, so that a client that forgets to ask is always caught.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import lancedb
import pyarrow as pa
from lancedb.index import BTree
from lancedb.query import ColumnOrdering

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.datastructures import QueryParams

LOGICAL_TYPES = {
    pa.string(): "string",
    pa.int64(): "int64",
    pa.int32(): "int32",
    pa.float64(): "double",
    pa.bool_(): "bool",
    pa.binary(): "binary",
    pa.date32(): "date32:day",
    pa.timestamp("us", tz="UTC"): "timestamp:us:UTC",
}


class UnknownTableError(Exception):
    """404."""


class BadRequestError(Exception):
    """400; the text is the answer's."""


@dataclass
class StoredTable:
    """One table: a handle on the newest version, and the one that reads get unless they ask for more."""

    connection: Any
    handle: Any
    name: str
    first_seen: int
    committed_at: dict[int, datetime] = field(default_factory=dict)

    async def committed(self) -> int:
        """Note when the newest version became visible; return it."""
        version = int(await self.handle.version())
        self.committed_at.setdefault(version, datetime.now(UTC))
        return version

    async def read_at(self, headers: Mapping[str, str], version: int | None) -> Any:
        """Return a handle on the version asked for; else the first seen, or the newest if need be."""
        if version is None:
            is_forced = self._least_wanted(headers) > self.first_seen
            version = int(await self.handle.version()) if is_forced else self.first_seen
        return await self.connection.open_table(self.name, version=version)

    def _least_wanted(self, headers: Mapping[str, str]) -> int:
        names = ("x-lancedb-min-version", "x-lancedb-min-read-version")
        wanted = [int(headers[name]) for name in names if name in headers]
        if "x-lancedb-min-timestamp" in headers:
            instant = datetime.fromisoformat(headers["x-lancedb-min-timestamp"])
            wanted += [version for version, at in self.committed_at.items() if at <= instant]
        return max(wanted, default=0)


class StoredDatabase:
    """The tables of one database, and what can be asked of them; bodies are the wire's JSON and Arrow."""

    def __init__(self, folder: Path, *, keeps_last_on_only: bool) -> None:
        self.folder = folder
        self.keeps_last_on_only = keeps_last_on_only
        self._connection: Any = None
        self._tables: dict[str, StoredTable] = {}

    async def names(self) -> list[str]:
        return sorted((await (await self._connected()).list_tables(limit=1000)).tables)

    async def table(self, name: str) -> StoredTable:
        if name not in self._tables:
            connection = await self._connected()
            if name not in await self.names():
                raise UnknownTableError(name)
            handle = await connection.open_table(name)
            table = StoredTable(connection, handle, name, first_seen=int(await handle.version()))
            await table.committed()
            self._tables[name] = table
        return self._tables[name]

    async def create(self, name: str, data: pa.Table, mode: str) -> dict[str, Any]:
        if mode == "create" and name in await self.names():
            raise BadRequestError(f"Table {name} already exists")
        overwrites = {"mode": "overwrite"} if mode == "overwrite" else {"exist_ok": mode == "exist_ok"}
        connection = await self._connected()
        await connection.create_table(name, data or None, schema=data.schema, **overwrites)
        await self.table(name)
        return {}

    async def drop(self, name: str) -> dict[str, Any]:
        await self.table(name)
        del self._tables[name]
        await (await self._connected()).drop_table(name)
        return {}

    async def describe(self, name: str, table: Any) -> dict[str, Any]:
        schema = await table.schema()
        return {
            "table": name,
            "version": int(await table.version()),
            "schema": {"fields": [_described(column) for column in schema], "metadata": {}},
            "location": None,
        }

    async def query(self, table: Any, body: dict[str, Any]) -> pa.Table:
        query = table.query().limit(min(body["k"], 2**32 - 1))
        if body.get("columns"):
            query = query.select(body["columns"])
        if body.get("filter"):
            query = query.where(body["filter"])
        if body.get("offset"):
            query = query.offset(body["offset"])
        if body.get("order_by"):
            query = query.order_by([ColumnOrdering(**ordering) for ordering in body["order_by"]])
        if body.get("with_row_id"):
            query = query.with_row_id()
        return await query.to_arrow()

    async def insert(self, name: str, data: pa.Table) -> dict[str, Any]:
        table = await self.table(name)
        await table.handle.add(data)
        return {"version": await table.committed()}

    async def merge_insert(self, name: str, data: pa.Table, parameters: QueryParams) -> dict[str, Any]:
        table = await self.table(name)
        on = parameters.getlist("on")
        # what a server does that reads its parameters into a dictionary: it merges on the last column alone
        builder = table.handle.merge_insert(on[-1:] if self.keeps_last_on_only else on)
        if parameters.get("when_matched_update_all") == "true":
            builder = builder.when_matched_update_all(where=parameters.get("when_matched_update_all_filt"))
        if parameters.get("when_not_matched_insert_all") == "true":
            builder = builder.when_not_matched_insert_all()
        if parameters.get("use_index") == "false":
            builder = builder.use_index(False)
        merged = await builder.execute(data)
        names = ("num_updated_rows", "num_inserted_rows", "num_deleted_rows", "num_attempts", "num_rows")
        return {"version": await table.committed()} | {name: getattr(merged, name) for name in names}

    async def delete(self, name: str, predicate: str) -> dict[str, Any]:
        table = await self.table(name)
        deleted = await table.handle.delete(predicate)
        return {"num_deleted_rows": deleted.num_deleted_rows, "version": await table.committed()}

    async def add_columns(self, name: str, columns: pa.Schema) -> dict[str, Any]:
        table = await self.table(name)
        await table.handle.add_columns(columns)
        return {"version": await table.committed()}

    async def create_index(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        if body["index_type"] != "BTREE":
            raise BadRequestError(f"index type {body['index_type']} is not in the stand-in")
        table = await self.table(name)
        await table.handle.create_index(body["column"], config=BTree(), replace=body.get("replace"))
        await table.committed()
        return {}

    async def list_indices(self, table: Any) -> dict[str, Any]:
        return {
            "indexes": [
                {
                    "index_name": index.name,
                    "index_uuid": index.index_uuid,
                    "columns": index.columns,
                    "index_type": "BTREE",
                    "index_status": "done",
                }
                for index in await table.list_indices()
            ]
        }

    async def index_stats(self, table: Any, index: str) -> dict[str, Any]:
        found = await table.index_stats(index)
        if found is None:
            raise UnknownTableError(index)
        return {
            "num_indexed_rows": found.num_indexed_rows,
            "num_unindexed_rows": found.num_unindexed_rows,
            "index_type": "BTREE",
            "num_indices": 1,
        }

    async def _connected(self) -> Any:
        if self._connection is None:
            self._connection = await lancedb.connect_async(self.folder.absolute())
        return self._connection


def _described(column: pa.Field) -> dict[str, Any]:
    metadata = {key.decode(): value.decode() for key, value in (column.metadata or {}).items()}
    return {
        "name": column.name,
        "nullable": column.nullable,
        "type": _logical(column.type),
        "metadata": metadata,
    }


def _logical(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(kind):
        return {"type": "list", "fields": [_described(kind.value_field)]}
    return {"type": LOGICAL_TYPES[kind]}

"""A query in SQL over the stored tables, by DuckDB: it reads them and nothing else.

The tables are read into memory first, through the reader of the viewer, so DuckDB never opens the database
and has no row that the viewer may not see.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from community_metrics.errors import ConfigurationError, ExtraMissing
from community_metrics.views.rows import has_sample_data, scan_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.storage.reader import LanceDBReader

SQL_TABLES: Final = ("metrics", "stats", "history", "run_outcomes", "events")
MOST_TABLE_ROWS: Final = 2_000_000
"""Rows of a table that a query may read; about 500 MB of memory for `stats`."""
_SETTINGS: Final[Mapping[str, str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",  # a name would also be looked up in the variables of Python
    "memory_limit": "'1GB'",
    "temp_directory": "''",  # a query that needs more memory fails, and writes no file
    "TimeZone": "'UTC'",
    "enable_external_access": "false",  # no file, no network, no other database, no extension
    "lock_configuration": "true",  # the last one: the query cannot change any of these
}


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The first rows of a result; `has_more` says that there are others. `is_sample`: of invented numbers."""

    names: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    has_more: bool
    is_sample: bool


def require_duckdb() -> None:
    """Check that DuckDB is installed, before anything is read for a query.

    Raises:
        ExtraMissing: it is not.
    """
    if find_spec("duckdb") is None:
        raise ExtraMissing("`sql`", "sql")


async def load_query(reader: LanceDBReader, *, query: str, limit: int) -> QueryResult:
    """Return the first `limit` rows of a query over the tables that it names.

    Raises:
        ConfigurationError: it is not one SELECT, it fails, or a table is too large.
    """
    is_sample = await has_sample_data(reader)
    named = [name for name in SQL_TABLES if re.search(rf"\b{name}\b", query, re.IGNORECASE)]
    tables = {name: await _table(reader, name, is_sample=is_sample) for name in named}
    names, rows = _run(tables, query, limit + 1)
    return QueryResult(names, rows[:limit], len(rows) > limit, is_sample)


async def _table(reader: LanceDBReader, name: str, *, is_sample: bool) -> pa.Table:
    schema, batches = scan_table(reader, name, is_sample=is_sample)
    found, rows = [], 0
    async for batch in batches:
        found.append(batch)
        rows += batch.num_rows
        if rows > MOST_TABLE_ROWS:
            raise ConfigurationError(
                f"The table {name} has more than {MOST_TABLE_ROWS:,} rows, too many for `sql`. Fix: read "
                f"/api/v1/export/{name}.parquet with DuckDB, which reads a part at a time."
            )
    return pa.Table.from_batches(found, schema)


def _run(
    tables: Mapping[str, pa.Table], query: str, most: int
) -> tuple[tuple[str, ...], tuple[Mapping[str, Any], ...]]:
    import duckdb  # noqa: PLC0415  only the extra has it

    try:
        with duckdb.connect(":memory:") as connection:
            for name, table in tables.items():
                connection.register(name, table)
            for name, value in _SETTINGS.items():
                connection.execute(f"SET {name} = {value}")
            _require_select([one.type.name for one in connection.extract_statements(query)])
            found = connection.sql(query).to_arrow_reader(most)
            return _rows(found, most)
    except duckdb.Error as error:
        tables_text = ", ".join(SQL_TABLES)
        raise ConfigurationError(f"{error}\nFix: correct the query; the tables are {tables_text}.") from error


def _require_select(kinds: list[str]) -> None:
    if kinds != ["SELECT"]:
        found = ", ".join(kinds) or "nothing"
        raise ConfigurationError(f"`sql` runs one SELECT and writes nothing; this is {found}. Fix: send one.")


def _rows(found: pa.RecordBatchReader, most: int) -> tuple[tuple[str, ...], tuple[Mapping[str, Any], ...]]:
    names = tuple(found.schema.names)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(f"Two columns have the name {twice[0]}. Fix: rename one of them with AS.")
    rows: list[Mapping[str, Any]] = []
    for batch in found:
        part = batch.slice(0, most - len(rows)).to_pylist()
        rows += [{name: _plain(value) for name, value in row.items()} for row in part]
        if len(rows) == most:
            break
    return names, tuple(rows)


def _plain(value: Any) -> Any:
    """Return a value; a whole number as an int, since DuckDB's sums of integers arrive as decimals."""
    is_whole = isinstance(value, Decimal) and value == value.to_integral_value()
    return int(value) if is_whole else value

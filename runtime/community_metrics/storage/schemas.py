"""The tables: their Arrow schemas, and the conversion between our dataclasses and rows.

Each table has one non-null string key, marked as the unenforced primary key by field metadata in the schema
that creates it: without the mark two writers can insert one new key twice (measured, lancedb 0.40), and every
server version merges a key of one column alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast, get_args, get_type_hints

import pyarrow as pa

from community_metrics.errors import UnknownStoredValue
from community_metrics.model import (
    Lease,
    MetricDefinition,
    OutcomeStatus,
    Provenance,
    Run,
    RunOutcome,
    RunStatus,
    SourceWindow,
    StatRow,
    Status,
    ValueKind,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import StrEnum

Row = TypeVar("Row", MetricDefinition, StatRow, Run, RunOutcome, Lease)
"""A dataclass whose fields (and the key, a field or a property) are named like the columns."""

_INSTANT: Final = pa.timestamp("us", tz="UTC")
_EPOCH: Final = date(1970, 1, 1).toordinal()
_PRIMARY_KEY: Final = {"lance-schema:unenforced-primary-key": "true"}
_WORDS: Final = (OutcomeStatus, Provenance, RunStatus, SourceWindow, Status, ValueKind)
_ARROW_TYPES: Final[Mapping[Any, pa.DataType]] = {
    int: pa.int64(),
    bool: pa.bool_(),
    date: pa.date32(),
    datetime: _INSTANT,
    tuple[str, ...]: pa.list_(pa.string()),
}
"""The column types of fields; text and words of an enumeration are strings."""


@dataclass(frozen=True, slots=True)
class TableSpec(Generic[Row]):
    """One table: its name, its key column, its columns, the dataclass of its rows."""

    name: str
    key: str
    schema: pa.Schema
    row_type: type[Row]
    words: Mapping[str, type[StrEnum]] = field(default_factory=dict)
    """The columns with words of an enumeration."""
    indexed: tuple[str, ...] = ()
    """Columns with a BTREE; never the key: two writers insert an indexed key twice (lancedb 0.40)."""
    optional: bool = False
    """Set for a table that earlier versions did not have: until a job creates it, it reads as empty."""

    @property
    def columns(self) -> list[str]:
        """The columns that a row is read from: the fields of the dataclass."""
        return [one.name for one in fields(self.row_type)]

    def to_arrow(self, rows: Iterable[Row]) -> pa.Table:
        """Return the rows with exactly the table's schema.

        Raises:
            pyarrow.ArrowException: a value does not fit its column.
        """
        listed = list(rows)
        columns = {name: [getattr(row, name) for row in listed] for name in self.schema.names}
        return pa.table(columns, schema=self.schema)

    def from_arrow(self, table: pa.Table) -> list[Row]:
        """Return the rows of an Arrow table that has at least `columns`, in its order.

        Raises:
            UnknownStoredValue: a status, a provenance, a window or a kind is not one of this version.
        """
        values = [self._values(name, table.column(name)) for name in self.columns]
        return [self.row_type(*row) for row in zip(*values, strict=True)]

    def _values(self, name: str, column: pa.ChunkedArray) -> Iterable[Any]:
        if pa.types.is_integer(column.type):
            return cast("list[int]", column.to_pylist())
        if pa.types.is_date(column.type):  # by their numbers: Arrow's own way takes seven times as long
            numbers = column.cast(pa.int32()).to_pylist()
            return [None if number is None else date.fromordinal(_EPOCH + number) for number in numbers]
        if pa.types.is_list(column.type):
            return map(tuple, column.to_pylist())
        # instants and words repeat: converting each once halves a read of 14,600 rows
        encoded = column.combine_chunks().dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        if column.type == _INSTANT:  # LanceDB returns the UTC of zoneinfo; ours is the UTC of datetime
            distinct = [value.astimezone(UTC) for value in distinct]
        elif name in self.words:
            distinct = [self._word(name, value) for value in distinct]
        return (None if index is None else distinct[index] for index in encoded.indices.to_pylist())

    def _word(self, column: str, value: str) -> StrEnum:
        try:
            return self.words[column](value)
        except ValueError:
            raise UnknownStoredValue(self.name, column, value, list(self.words[column])) from None


def _table(
    name: str,
    key: str,
    row_type: type[Row],
    *,
    types: dict[str, pa.DataType] | None = None,
    indexed: tuple[str, ...] = (),
    optional: bool = False,
) -> TableSpec[Row]:
    """Return the table whose columns are the key and the fields of the dataclass, in their order.

    A column is nullable where its field may be None; `types` has the columns that differ from `_ARROW_TYPES`.
    """
    hints = {key: str, **get_type_hints(row_type)}
    kinds = {column: get_args(hint)[0] if _may_be_none(hint) else hint for column, hint in hints.items()}
    words = {column: kind for column, kind in kinds.items() if kind in _WORDS}
    arrow = {column: _ARROW_TYPES.get(kind, pa.string()) for column, kind in kinds.items()} | (types or {})
    columns = [
        pa.field(column, arrow[column], _may_be_none(hint), _PRIMARY_KEY if column == key else None)
        for column, hint in hints.items()
    ]
    return TableSpec(name, key, pa.schema(columns), row_type, words, indexed, optional)


def _may_be_none(hint: Any) -> bool:
    return NoneType in get_args(hint)


METRICS: Final = _table("metrics", "metric_id", MetricDefinition)
STATS: Final = _table(
    "stats",
    "stat_key",
    StatRow,
    types={"revision": pa.int32()},
    # not on period_end: a wide range makes that index return nearly all row ids (1M rows: 22 ms become 115)
    indexed=("metric_id",),
)
HISTORY: Final = _table("history", "ingestion_run_id", Run)
RUN_OUTCOMES: Final = _table("run_outcomes", "outcome_key", RunOutcome, optional=True)
LEASES: Final = _table("leases", "resource", Lease)

AnyTable = (
    TableSpec[MetricDefinition]
    | TableSpec[StatRow]
    | TableSpec[Run]
    | TableSpec[RunOutcome]
    | TableSpec[Lease]
)
TABLES: Final[tuple[AnyTable, ...]] = (METRICS, STATS, HISTORY, RUN_OUTCOMES, LEASES)


def table_named(name: str) -> AnyTable:
    """Return the table with this name; KeyError if there is none."""
    return {table.name: table for table in TABLES}[name]

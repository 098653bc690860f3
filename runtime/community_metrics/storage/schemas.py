"""The tables: their Arrow schemas, and the conversion between our dataclasses and rows.

Each table has one non-null string key, marked as the unenforced primary key by field metadata in the schema
that creates it: without the mark two writers can insert one new key twice (measured, lancedb 0.40), and every
server version merges a key of one column alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast, get_args, get_type_hints

import pyarrow as pa

from community_metrics.errors import UnknownStoredValue
from community_metrics.model import (
    Event,
    LastRead,
    Lease,
    MetricDefinition,
    RawAnswers,
    Run,
    RunOutcome,
    StatRow,
    StoredDelivery,
    StoredDigest,
    StoredTrafficSet,
    Visibility,
    WitnessedDay,
)
from community_metrics.readings import instant_of_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Row = TypeVar(
    "Row",
    MetricDefinition,
    StatRow,
    Run,
    RunOutcome,
    LastRead,
    RawAnswers,
    Lease,
    StoredTrafficSet,
    Event,
    StoredDigest,
    StoredDelivery,
    WitnessedDay,
)
"""A dataclass whose fields (and the key, a field or a property) are named like the columns."""

_INSTANT: Final = pa.timestamp("us", tz="UTC")
_EPOCH: Final = date(1970, 1, 1).toordinal()
_PRIMARY_KEY: Final = {"lance-schema:unenforced-primary-key": "true"}
_ARROW_TYPES: Final[Mapping[Any, pa.DataType]] = {
    str: pa.string(),
    int: pa.int64(),
    bool: pa.bool_(),
    bytes: pa.binary(),
    date: pa.date32(),
    datetime: _INSTANT,
    tuple[str, ...]: pa.list_(pa.string()),
    tuple[int, ...]: pa.list_(pa.int64()),
}


@dataclass(frozen=True, slots=True)
class TableSpec(Generic[Row]):
    """One table: its name, its key column, its columns, the dataclass of its rows."""

    name: str
    key: str
    schema: pa.Schema
    row_type: type[Row]
    words: Mapping[str, type[StrEnum]]
    """The columns with words of an enumeration."""
    indexed: tuple[str, ...] = ()
    """Columns with a BTREE; never the key: two writers insert an indexed key twice (lancedb 0.40)."""
    optional: bool = False
    """Set for a table that earlier versions did not have: until a job creates it, it reads as empty."""
    added: Mapping[str, StrEnum | bool] = field(default_factory=dict)
    """Columns that earlier versions did not have, with what a missing value means."""

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

    def completed(self, rows: pa.Table) -> pa.Table:
        """Return rows with exactly the table's schema: a column that an earlier version lacked is null."""
        for column in self.schema:
            if column.name not in rows.schema.names:
                rows = rows.append_column(column, pa.nulls(rows.num_rows, column.type))
        return rows.select(self.schema.names).cast(self.schema)

    def from_arrow(self, table: pa.Table) -> list[Row]:
        """Return the rows of an Arrow table that has at least `columns`, in its order.

        Raises:
            UnknownStoredValue: a status, a provenance, a window or a kind is not one of this version.
        """
        if not table.num_rows:  # half of the small queries find nothing
            return []
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
        if pa.types.is_timestamp(column.type):  # likewise; and Arrow's instants have the UTC of zoneinfo
            column = column.cast(_INSTANT).cast(pa.int64())
        convert = self._converter(name)
        # instants and words repeat: converting each once halves a read of 14,600 rows
        encoded = column.combine_chunks().dictionary_encode()
        distinct = [convert(value) for value in encoded.dictionary.to_pylist()]
        missing = self.added.get(name)
        return (missing if index is None else distinct[index] for index in encoded.indices.to_pylist())

    def _converter(self, name: str) -> Callable[[Any], Any]:
        if self.schema.field(name).type == _INSTANT:
            return instant_of_number
        return partial(self._word, name) if name in self.words else _unchanged

    def _word(self, column: str, value: str) -> StrEnum:
        try:
            return self.words[column](value)
        except ValueError:
            raise UnknownStoredValue(self.name, column, value, list(self.words[column])) from None


def _unchanged(value: Any) -> Any:
    return value


def _table(
    name: str,
    key: str,
    row_type: type[Row],
    *,
    added: Mapping[str, StrEnum | bool] | None = None,
    **options: Any,
) -> TableSpec[Row]:
    """Return the table whose columns are the key and the fields of the dataclass.

    A field `X | None` may be null, and so may a column in `added`, which an earlier version did not have.
    """
    added = added or {}
    columns: list[pa.Field] = []
    words: dict[str, type[StrEnum]] = {}
    for column, hint in ({key: str} | get_type_hints(row_type)).items():
        kind, *alternatives = get_args(hint) if isinstance(hint, UnionType) else [hint]
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            words[column] = kind
            kind = str
        arrow_type = pa.int32() if column == "revision" else _ARROW_TYPES[kind]  # an int32 in every version
        metadata = _PRIMARY_KEY if column == key else None
        nullable = bool(alternatives) or column in added
        columns.append(pa.field(column, arrow_type, nullable=nullable, metadata=metadata))
    return TableSpec(name, key, pa.schema(columns), row_type, words, added=added, **options)


METRICS: Final = _table("metrics", "metric_id", MetricDefinition, added={"visibility": Visibility.PUBLIC})
# no index on period_end: for a wide range it returns nearly all row ids (1M rows: 22 ms become 115)
STATS: Final = _table("stats", "stat_key", StatRow, indexed=("metric_id",), added={"is_reset": False})
HISTORY: Final = _table("history", "ingestion_run_id", Run)
RUN_OUTCOMES: Final = _table("run_outcomes", "outcome_key", RunOutcome, optional=True)
LAST_READS: Final = _table("last_reads", "metric_id", LastRead, optional=True)
RAW_ANSWERS: Final = _table("raw_answers", "answers_key", RawAnswers, optional=True)
LEASES: Final = _table("leases", "resource", Lease)
TRAFFIC_ITEMS: Final = _table("traffic_items", "item_key", StoredTrafficSet, optional=True)
EVENTS: Final = _table("events", "event_id", Event, optional=True)
DIGESTS: Final = _table("digests", "digest_id", StoredDigest, optional=True)
DELIVERIES: Final = _table("deliveries", "delivery_key", StoredDelivery, optional=True)
WITNESS: Final = _table("witness", "witness_key", WitnessedDay, optional=True)

AnyTable = (
    TableSpec[MetricDefinition]
    | TableSpec[StatRow]
    | TableSpec[Run]
    | TableSpec[RunOutcome]
    | TableSpec[LastRead]
    | TableSpec[RawAnswers]
    | TableSpec[Lease]
    | TableSpec[StoredTrafficSet]
    | TableSpec[Event]
    | TableSpec[StoredDigest]
    | TableSpec[StoredDelivery]
    | TableSpec[WitnessedDay]
)
TABLES: Final[tuple[AnyTable, ...]] = (
    METRICS,
    STATS,
    HISTORY,
    RUN_OUTCOMES,
    LAST_READS,
    RAW_ANSWERS,
    LEASES,
    TRAFFIC_ITEMS,
    EVENTS,
    DIGESTS,
    DELIVERIES,
    WITNESS,
)

VIEWED: Final[tuple[AnyTable, ...]] = tuple(spec for spec in TABLES if spec is not RAW_ANSWERS)
"""The tables that views of the API read; opening another one costs a request for nothing."""

WRITTEN_BY_RUNS: Final[tuple[AnyTable, ...]] = (STATS, TRAFFIC_ITEMS, WITNESS)
"""The tables with values, whose rows name the run that wrote them last."""


def table_named(name: str) -> AnyTable:
    """Return the table with this name; KeyError if there is none."""
    return {table.name: table for table in TABLES}[name]

"""The tables: their Arrow schemas, and the conversion between our dataclasses and rows.

Each table has one non-null string key, marked as the unenforced primary key by field metadata in the schema
that creates it: without the mark two writers can insert one new key twice (measured, lancedb 0.40), and every
server version merges a key of one column alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

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
    from collections.abc import Callable, Iterable, Mapping
    from enum import StrEnum

Row = TypeVar("Row", MetricDefinition, StatRow, Run, RunOutcome, Lease)
"""A dataclass whose fields (and the key, a field or a property) are named like the columns."""

_INSTANT: Final = pa.timestamp("us", tz="UTC")
_EPOCH: Final = date(1970, 1, 1).toordinal()
_PRIMARY_KEY: Final = {"lance-schema:unenforced-primary-key": "true"}


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
        convert = self._converter(name)
        # instants and words repeat: converting each once halves a read of 14,600 rows
        encoded = column.combine_chunks().dictionary_encode()
        distinct = [convert(value) for value in encoded.dictionary.to_pylist()]
        return (None if index is None else distinct[index] for index in encoded.indices.to_pylist())

    def _converter(self, name: str) -> Callable[[Any], Any]:
        if self.schema.field(name).type == _INSTANT:
            return _utc
        return partial(self._word, name) if name in self.words else _unchanged

    def _word(self, column: str, value: str) -> StrEnum:
        try:
            return self.words[column](value)
        except ValueError:
            raise UnknownStoredValue(self.name, column, value, list(self.words[column])) from None


def _unchanged(value: Any) -> Any:
    return value


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)  # LanceDB returns the UTC of zoneinfo; ours is the UTC of datetime


def _key(name: str) -> pa.Field:
    return pa.field(name, pa.string(), nullable=False, metadata=_PRIMARY_KEY)


def _present(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


METRICS: Final = TableSpec(
    name="metrics",
    key="metric_id",
    row_type=MetricDefinition,
    words={"value_kind": ValueKind, "source_window": SourceWindow},
    schema=pa.schema(
        [
            _key("metric_id"),
            _present("metric_family", pa.string()),
            _present("product", pa.string()),
            _present("subject", pa.string()),
            pa.field("sdk", pa.string()),
            _present("source", pa.string()),
            _present("value_kind", pa.string()),
            _present("unit", pa.string()),
            _present("source_window", pa.string()),
            _present("fallbacks", pa.list_(pa.string())),
            _present("display_name", pa.string()),
            _present("is_active", pa.bool_()),
            _present("created_at", _INSTANT),
        ]
    ),
)

STATS: Final = TableSpec(
    name="stats",
    key="stat_key",
    row_type=StatRow,
    words={"status": Status, "provenance": Provenance, "source_window": SourceWindow},
    # not on period_end: a wide range makes that index return nearly all row ids (1M rows: 22 ms become 115)
    indexed=("metric_id",),
    schema=pa.schema(
        [
            _key("stat_key"),
            _present("metric_id", pa.string()),
            _present("period_start", pa.date32()),
            _present("period_end", pa.date32()),
            _present("value", pa.int64()),
            _present("status", pa.string()),
            _present("provenance", pa.string()),
            _present("source_window", pa.string()),
            _present("observed_at", _INSTANT),
            _present("first_value", pa.int64()),
            _present("revision", pa.int32()),
            pa.field("revised_at", _INSTANT),
            _present("ingestion_run_id", pa.string()),
            _present("source_ref", pa.string()),
        ]
    ),
)

HISTORY: Final = TableSpec(
    name="history",
    key="ingestion_run_id",
    row_type=Run,
    words={"status": RunStatus},
    schema=pa.schema(
        [
            _key("ingestion_run_id"),
            _present("job_name", pa.string()),
            _present("started_at", _INSTANT),
            pa.field("finished_at", _INSTANT),
            _present("status", pa.string()),
            _present("rows_inserted", pa.int64()),
            _present("rows_updated", pa.int64()),
            _present("rows_unchanged", pa.int64()),
            pa.field("window_start", pa.date32()),
            pa.field("window_end", pa.date32()),
            pa.field("error_summary", pa.string()),
            pa.field("scope", pa.string()),
        ]
    ),
)

RUN_OUTCOMES: Final = TableSpec(
    name="run_outcomes",
    key="outcome_key",
    row_type=RunOutcome,
    words={"status": OutcomeStatus},
    optional=True,
    schema=pa.schema(
        [
            _key("outcome_key"),
            _present("run_id", pa.string()),
            _present("metric_id", pa.string()),
            _present("status", pa.string()),
            pa.field("error_class", pa.string()),
            pa.field("message", pa.string()),
            pa.field("url", pa.string()),
            _present("observations", pa.int64()),
            pa.field("last_day", pa.date32()),
        ]
    ),
)

LEASES: Final = TableSpec(
    name="leases",
    key="resource",
    row_type=Lease,
    schema=pa.schema(
        [
            _key("resource"),
            _present("run_id", pa.string()),
            _present("host", pa.string()),
            _present("pid", pa.int64()),
            _present("heartbeat_at", _INSTANT),
            _present("expires_at", _INSTANT),
        ]
    ),
)

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

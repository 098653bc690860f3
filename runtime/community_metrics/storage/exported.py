"""Rows of an exported table, as they were stored: Parquet has them exactly, CSV as text."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from pyarrow import parquet

from community_metrics.errors import SeedFileError
from community_metrics.storage.integrity import Inspection, is_from_the_future
from community_metrics.text import without_apostrophes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from community_metrics.storage.schemas import AnyTable, Row, TableSpec

_SAMPLE: Final = "sample_data"
_NUMBER: Final = re.compile(r"-?[0-9]{1,19}")


def rows_of_parquet(content: bytes, spec: TableSpec[Row], now: datetime) -> list[Row]:
    """Return the rows of an export in Parquet, each valid by the rules of the table.

    Raises:
        SeedFileError: it has other columns, lacks values, has an invalid row or one twice, or is of a demo.
    """
    found = parquet.read_table(pa.BufferReader(content))
    _require_known(found.column_names, spec)
    try:
        found = found.cast(pa.schema([_nullable(spec, name) for name in found.column_names]))
    except pa.ArrowException as error:
        raise SeedFileError("", [f"a column is of another type than in {spec.name}: {error}"]) from error
    return spec.from_arrow(_valid(found, spec, now))


def rows_of_csv(
    header: Sequence[str], lines: Iterable[tuple[int, list[str]]], spec: TableSpec[Row], now: datetime
) -> list[Row]:
    """Return the rows of an export in CSV, from the cells of its lines, as `rows_of_parquet` does.

    Raises:
        SeedFileError: as there, or a cell has no value of its column.
    """
    names = [name.lower() for name in header]
    _require_known(names, spec)
    columns: dict[str, list[Any]] = {name: [] for name in names}
    faults: list[str] = []
    for line, cells in lines:
        if len(cells) != len(names):
            faults.append(f"line {line}: has {len(cells)} cells, not {len(names)}")
            continue
        for name, cell in zip(names, cells, strict=True):
            try:
                columns[name].append(_value(spec.schema.field(name), cell))
            except (ValueError, OverflowError) as error:
                faults.append(f"line {line}, {name}: {error}")
    if faults:
        raise SeedFileError("", faults)
    found = pa.table(columns, schema=pa.schema([_nullable(spec, name) for name in names]))
    return spec.from_arrow(_valid(found, spec, now))


def _valid(found: pa.Table, spec: AnyTable, now: datetime) -> pa.Table:
    """Return the rows with exactly the table's columns, if each is valid."""
    whole = _completed(found, spec)
    if faults := [*_missing(whole, spec), *_repeated(whole, spec)]:
        raise SeedFileError("", faults)
    rows = whole.cast(spec.schema)
    if faults := [*_broken(rows, spec), *_future(rows, spec, now)]:
        raise SeedFileError("", faults)
    return rows


def _nullable(spec: AnyTable, name: str) -> pa.Field:
    return spec.schema.field(name).with_nullable(True)


def _require_known(names: Sequence[str], spec: AnyTable) -> None:
    """Raise SeedFileError for a demo, columns of a newer version, which would be lost, and repeated ones."""
    if _SAMPLE in names:
        raise SeedFileError("", ["it is sample data of a demo, which is never stored beside real numbers"])
    unknown = sorted(set(names) - set(spec.schema.names))
    faults = [f"{spec.name} has no column {name!r} in this version. Fix: update it" for name in unknown]
    faults += [f"the column {name} is there twice" for name in sorted(set(names)) if names.count(name) > 1]
    if faults:
        raise SeedFileError("", faults)


def _completed(found: pa.Table, spec: AnyTable) -> pa.Table:
    """Return the columns of the table in their order; one that an earlier version lacked is null."""
    for column in spec.schema:
        if column.name not in found.column_names:
            found = found.append_column(column.with_nullable(True), pa.nulls(found.num_rows, column.type))
    return found.select(spec.schema.names)


def _missing(found: pa.Table, spec: AnyTable) -> Iterator[str]:
    for column in spec.schema:
        missing = 0 if column.nullable else found.column(column.name).null_count
        if missing:
            yield (
                f"{missing} of {found.num_rows} rows have no {column.name}: an export for everybody leaves "
                "out what may be the team's. Fix: export it with a token of the team, or load "
                f"{spec.name}.parquet of a backup"
            )


def _repeated(found: pa.Table, spec: AnyTable) -> Iterator[str]:
    keys = found.column(spec.key).value_counts().to_pylist()
    return (
        f"{spec.key} {one['values']!r} is there {one['counts']} times" for one in keys if one["counts"] > 1
    )


def _broken(rows: pa.Table, spec: AnyTable) -> list[str]:
    """Return the rules that rows break; a row that the program never writes was changed by something else."""
    inspection = Inspection(spec)
    for batch in rows.to_batches():
        inspection.check(batch)
    return [f"{', '.join(one.keys)}: not true: {one.rule}" for one in inspection.found.values()]


def _future(rows: pa.Table, spec: AnyTable, now: datetime) -> Iterator[str]:
    for row in rows.to_pylist():
        if is_from_the_future(row, now):
            yield f"{row[spec.key]}: is later than the clock of this machine, {now:%Y-%m-%d %H:%M} UTC"


def _value(column: pa.Field, cell: str) -> Any:
    """Return the value of a cell that `api.spreadsheet.plain_cell` wrote."""
    if pa.types.is_list(column.type):
        return without_apostrophes(cell).split()
    if pa.types.is_string(column.type):
        return None if column.nullable and not cell else without_apostrophes(cell)
    return _READERS[str(column.type)](cell.strip()) if cell.strip() else None


def _number(cell: str) -> int:
    if not _NUMBER.fullmatch(cell) or abs(int(cell)) >= 2**63:
        raise ValueError(f"{cell!r} is not a whole number that the database can hold")
    return int(cell)


def _truth(cell: str) -> bool:
    if cell.lower() not in {"true", "false"}:  # a spreadsheet saves TRUE
        raise ValueError(f"{cell!r} is neither true nor false")
    return cell.lower() == "true"


def _instant(cell: str) -> datetime:
    instant = datetime.fromisoformat(cell)
    if instant.tzinfo is None:
        raise ValueError(f"{cell!r} has no time zone")
    return instant.astimezone(UTC)


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "int64": _number,
    "bool": _truth,
    "date32[day]": date.fromisoformat,
    "timestamp[us, tz=UTC]": _instant,
}

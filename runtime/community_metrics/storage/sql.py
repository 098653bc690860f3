"""Filters as SQL text, each value written by one function that knows its type.

SQL and not `lancedb.expr`, because merge conditions accept nothing else in remote mode, and because building
a filter should not need lancedb. Dates and instants are typed literals: a bare string against a date column
is an error in LanceDB.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


SqlValue = str | int | date | datetime


def literal(value: SqlValue) -> str:
    """Return `value` as SQL writes it: quotes doubled, days and instants typed."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, datetime):
        instant = value.astimezone(UTC).replace(
            tzinfo=None
        )  # isoformat pads years before 1000, strftime does not
        return f"timestamp '{instant.isoformat(timespec='microseconds')}Z'"
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    return str(int(value))


def equals(column: str, value: SqlValue) -> str:
    """Return `column = value`."""
    return f"{column} = {literal(value)}"


def one_of(column: str, values: Iterable[SqlValue]) -> str:
    """Return `column IN (…)`, sorted so that one question always has one text; at least one value."""
    listed = sorted({literal(value) for value in values})
    return f"{column} IN ({', '.join(listed)})"


def between(column: str, first: date | None, last: date | None) -> str | None:
    """Return the condition that `column` lies from `first` to `last`, inclusive; None when both are open."""
    bounds = []
    if first is not None:
        bounds.append(f"{column} >= {literal(first)}")
    if last is not None:
        bounds.append(f"{column} <= {literal(last)}")
    return all_of(*bounds)


def all_of(*conditions: str | None) -> str | None:
    """Return the conditions joined by AND, leaving out the Nones; None when nothing is left."""
    present = [condition for condition in conditions if condition]
    return " AND ".join(f"({condition})" for condition in present) or None


def any_of(conditions: Iterable[str]) -> str:
    """Return the conditions joined by OR; at least one."""
    return " OR ".join(f"({condition})" for condition in conditions)

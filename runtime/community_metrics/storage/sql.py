"""Filters as SQL text. One function writes every value, by its type.

SQL and not `lancedb.expr`, because merge conditions accept nothing else in remote mode, and because a filter
should not need lancedb. Days and instants are typed literals: LanceDB does not compare them with a string.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

_TEXT_OR_NAME: Final = re.compile(r"'(?:[^']|'')*'|\w+")

SqlValue = str | int | date | datetime


def literal(value: SqlValue) -> str:
    """Return `value` as an SQL literal: quotes doubled, days and instants typed."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, datetime):
        # isoformat pads years before 1000, strftime does not
        instant = value.astimezone(UTC).replace(tzinfo=None)
        return f"timestamp '{instant.isoformat(timespec='microseconds')}Z'"
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    return str(int(value))


def equals(column: str, value: SqlValue) -> str:
    """Return `column = value`."""
    return f"{column} = {literal(value)}"


def one_of(column: str, values: Iterable[SqlValue]) -> str:
    """Return `column IN (…)` for at least one value, sorted so that equal filters have equal texts."""
    listed = sorted({literal(value) for value in values})
    return f"{column} IN ({', '.join(listed)})"


def has_any(column: str, values: Iterable[SqlValue]) -> str:
    """Return the condition that the list in `column` has one of at least one value."""
    listed = sorted({literal(value) for value in values})
    return f"array_has_any({column}, [{', '.join(listed)}])"


def between(column: str, first: date | None, last: date | None) -> str | None:
    """Return the condition that `column` is from `first` to `last`, inclusive; None if both are None."""
    from_first = None if first is None else f"{column} >= {literal(first)}"
    to_last = None if last is None else f"{column} <= {literal(last)}"
    return all_of(from_first, to_last)


def all_of(*conditions: str | None) -> str | None:
    """Return the conditions joined by AND, without the Nones; None if nothing is left."""
    present = [condition for condition in conditions if condition]
    return " AND ".join(f"({condition})" for condition in present) or None


def any_of(conditions: Iterable[str]) -> str:
    """Return at least one condition, joined by OR."""
    return " OR ".join(f"({condition})" for condition in conditions)


def with_nulls(condition: str, columns: Container[str]) -> str:
    """Return the condition with NULL in place of each of `columns`; quoted text is left as it is."""
    return _TEXT_OR_NAME.sub(lambda found: "NULL" if found[0] in columns else found[0], condition)

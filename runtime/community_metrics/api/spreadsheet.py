"""Cells of a CSV file that may be opened in a spreadsheet."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def plain_cell(value: Any) -> Any:
    """Return the value as one cell: instants as ISO 8601 in UTC, booleans as `true` or `false`.

    Text that a spreadsheet would run as a formula is prefixed with an apostrophe, since the files contain
    error messages of registries; JSON and Parquet have the exact text.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return plain_cell(" ".join(map(str, value)))
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value

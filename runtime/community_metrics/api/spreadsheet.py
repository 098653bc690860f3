"""Cells of a CSV file that may be opened in a spreadsheet."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from community_metrics.text import harmless
from community_metrics.views.rows import SAMPLE_COLUMN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BYTE_ORDER_MARK: Final = "\ufeff"
"""At the start of a CSV file: Excel reads a file without it in the machine's own encoding."""


def plain_cell(value: Any) -> Any:
    """Return the value as one cell: instants as ISO 8601 in UTC, booleans as `true` or `false`.

    An apostrophe is put before text that a spreadsheet would run as a formula, since the files contain error
    messages of registries; JSON and Parquet have the exact text.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return plain_cell(" ".join(map(str, value)))
    return harmless(value) if isinstance(value, str) else value


def csv_text(rows: Sequence[Mapping[str, object]], names: Sequence[str] = (), *, is_sample: bool) -> str:
    """Return rows as CSV with a header: `names`, else those of the first row; sample data say so in each."""
    mark = {SAMPLE_COLUMN: "true"} if is_sample else {}
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, fieldnames=[*(names or rows[0]), *mark])
    writer.writeheader()
    for row in rows:
        writer.writerow({name: plain_cell(value) for name, value in row.items()} | mark)
    return out.getvalue()


def file_name(name: str, *, is_sample: bool) -> str:
    """Return the name under which a file is saved; that of sample data says so."""
    return f"sample-data-{name}" if is_sample else name

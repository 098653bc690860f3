"""Parquet files: written batch by batch, so that memory does not grow with the rows, and read as CSV."""

from __future__ import annotations

import csv
import io
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    import pyarrow as pa

MAGIC: Final = b"PAR1"
"""The first bytes of a Parquet file."""


async def write_parquet(path: Path, schema: pa.Schema, batches: AsyncGenerator[pa.RecordBatch, None]) -> int:
    """Write the batches to a file with exactly these columns, a row group each; return the number of rows.

    Raises:
        OSError: the file cannot be written.
    """
    from pyarrow import parquet, system_memory_pool  # noqa: PLC0415  the API starts without it

    rows = 0
    pool = system_memory_pool()  # the default one keeps 10 MB
    with parquet.ParquetWriter(path, schema, compression="zstd", memory_pool=pool) as writer:
        async with aclosing(batches):
            async for batch in batches:
                writer.write_batch(batch)
                rows += batch.num_rows
    return rows


def csv_of_parquet(content: bytes) -> str:
    """Return the rows of a Parquet file as CSV, with the cells that an export to CSV has.

    Raises:
        ValueError: it is no Parquet file.
    """
    import pyarrow as pa  # noqa: PLC0415  only an import of such a file needs it
    from pyarrow import parquet  # noqa: PLC0415  likewise

    try:
        rows = parquet.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"is no Parquet file that can be read: {error}") from error
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(rows.column_names)
    for batch in rows.to_batches():
        writer.writerows(zip(*(map(_cell, each.to_pylist()) for each in batch.columns), strict=True))
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else value

"""Parquet files, written batch by batch, so that memory does not grow with the rows."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    import pyarrow as pa


async def write_parquet(path: Path, schema: pa.Schema, batches: AsyncGenerator[pa.RecordBatch, None]) -> None:
    """Write the batches to a file with exactly these columns; each batch is a row group.

    Raises:
        OSError: the file cannot be written.
    """
    from pyarrow import parquet, system_memory_pool  # noqa: PLC0415  the API starts without it

    pool = system_memory_pool()  # the default one keeps 10 MB
    with parquet.ParquetWriter(path, schema, compression="zstd", memory_pool=pool) as writer:
        async with aclosing(batches):
            async for batch in batches:
                writer.write_batch(batch)

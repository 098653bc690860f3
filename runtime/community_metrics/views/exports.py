"""A whole table as stored: the one view that computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.storage.schemas import table_named

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pyarrow as pa

    from community_metrics.storage.reader import LanceDBReader


def scan_table(reader: LanceDBReader, table: str) -> tuple[pa.Schema, AsyncIterator[pa.RecordBatch]]:
    """Return the columns of a table and its rows in batches, in no promised order."""
    return table_named(table).schema, reader.scan(table)

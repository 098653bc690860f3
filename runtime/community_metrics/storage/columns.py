"""Rows of `stats` from Arrow into the columns that views compute with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from community_metrics.errors import UnknownStoredValue
from community_metrics.readings import PROVENANCES, ROW, STATUSES, WINDOWS
from community_metrics.storage.schemas import STATS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from enum import StrEnum

    from numpy.typing import NDArray

STORED: Final = (
    "metric_id",
    "period_start",
    "period_end",
    "value",
    "observed_at",
    "revision",
    "source_window",
    "status",
    "provenance",
)
"""The columns of `stats` that `ROW` is made of, in its order."""
_WORDS: Final[dict[str, Sequence[StrEnum]]] = {
    "source_window": WINDOWS,
    "status": STATUSES,
    "provenance": PROVENANCES,
}


def rows_of(batch: pa.RecordBatch, metric_ids: pa.Array) -> NDArray[np.void]:
    """Return the rows of the metrics in `metric_ids`, as an array of `ROW`; rows of others are left out.

    Raises:
        UnknownStoredValue: a window, a status or a provenance is not one of this version.
    """
    metric = pc.index_in(batch.column("metric_id"), value_set=metric_ids)
    if metric.null_count:
        batch = batch.filter(metric.is_valid())
        metric = metric.drop_null()
    rows = np.zeros(batch.num_rows, ROW)
    for field, column in zip(ROW.names or (), STORED, strict=False):
        rows[field] = _numbers(column, metric if column == "metric_id" else batch.column(column))
    return rows


def _numbers(name: str, column: pa.Array) -> NDArray[np.int64]:
    if name in _WORDS:
        codes = pc.index_in(column, value_set=pa.array(_WORDS[name], pa.string()))
        if codes.null_count:
            unknown = column.filter(codes.is_null())[0].as_py()
            raise UnknownStoredValue(STATS.name, name, unknown, list(_WORDS[name]))
        column = codes
    elif pa.types.is_date(column.type):
        column = column.cast(pa.int32())
    elif pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    numbers: NDArray[np.int64] = column.to_numpy(zero_copy_only=False)
    return numbers

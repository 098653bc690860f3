"""Rows of `stats` from Arrow into the columns that views compute with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from community_metrics.errors import UnknownStoredValue
from community_metrics.model import Provenance
from community_metrics.readings import MARKS, PROVENANCES, ROW, STATUSES, WINDOWS
from community_metrics.storage.schemas import STATS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from enum import StrEnum

    from numpy.typing import NDArray

STORED: Final = (
    "metric_id",
    "period_start",
    "period_end",
    "revision",
    "value",
    "observed_at",
    "source_window",
    "status",
    "provenance",
    "mark",
    "is_reset",
)
"""The columns of `stats` that `ROW` is made of, in its order."""
_WORDS: Final[dict[str, Sequence[StrEnum | None]]] = {
    "source_window": WINDOWS,
    "status": STATUSES,
    "provenance": PROVENANCES,
    "mark": MARKS,
}


def rows_of(batch: pa.RecordBatch, metric_ids: pa.Array) -> NDArray[np.void]:
    """Return the rows of the metrics in `metric_ids`, as an array of `ROW`; rows of others are left out.

    Raises:
        UnknownStoredValue: a window, a status, a provenance or a mark is not one of this version.
    """
    metric = pc.index_in(batch.column("metric_id"), value_set=metric_ids)
    if metric.null_count:
        batch = batch.filter(metric.is_valid())
        metric = metric.drop_null()
    rows = np.zeros(batch.num_rows, ROW)
    for name, column in zip(ROW.names or (), STORED, strict=False):
        rows[name] = _numbers(column, metric if column == "metric_id" else batch.column(column))
    return rows


def _numbers(name: str, column: pa.Array) -> NDArray[np.int64]:
    if name in _WORDS:
        codes = pc.index_in(column, value_set=pa.array(_WORDS[name], pa.string()))
        if codes.null_count:
            unknown = column.filter(codes.is_null())[0].as_py()
            raise UnknownStoredValue(STATS.name, name, unknown, [word for word in _WORDS[name] if word])
        column = codes
    elif pa.types.is_boolean(column.type):
        column = column.fill_null(STATS.added[name])
    elif pa.types.is_date(column.type):
        column = column.cast(pa.int32())
    elif pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    numbers: NDArray[np.int64] = column.to_numpy(zero_copy_only=False)
    return numbers


@dataclass(slots=True)
class DaysOfMetrics:
    """The first fetched day and the last day of metrics, from batches with `COLUMNS` in any order."""

    COLUMNS: ClassVar[tuple[str, ...]] = ("metric_id", "period_end", "provenance")

    first_fetched: dict[str, date] = field(default_factory=dict)
    last: dict[str, date] = field(default_factory=dict)

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the rows of one batch."""
        rows = pa.Table.from_batches([batch])
        fetched = rows.filter(pc.not_equal(rows.column("provenance"), Provenance.CSV_SEED.value))
        for metric_id, day in _grouped(fetched, "min"):
            self.first_fetched[metric_id] = min(day, self.first_fetched.get(metric_id, day))
        for metric_id, day in _grouped(rows, "max"):
            self.last[metric_id] = max(day, self.last.get(metric_id, day))


def _grouped(rows: pa.Table, function: str) -> Iterable[tuple[str, date]]:
    found = rows.group_by("metric_id").aggregate([("period_end", function)])
    days = found.column(f"period_end_{function}").to_pylist()
    return zip(found.column("metric_id").to_pylist(), days, strict=True)

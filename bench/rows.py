"""Rows of `stats` by the million, as Arrow batches that LanceDB takes as they are."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from community_metrics.model import SourceWindow
from community_metrics.storage.schemas import STATS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

_METRICS_OF_A_BATCH = 100
_INSTANT = STATS.schema.field("observed_at").type
_READ_AFTER_MIDNIGHT = timedelta(hours=6)


def daily_rows(
    ids: Sequence[str], days: Sequence[date], read_at: datetime, window: SourceWindow = SourceWindow.DAY
) -> Iterator[pa.RecordBatch]:
    """Yield a row for every day of every metric, metric after metric.

    Downloads were all read at `read_at`, a level (`SourceWindow.INSTANT`) at 6:00 of its day.
    """
    for start in range(0, len(ids), _METRICS_OF_A_BATCH):
        yield _batch(ids[start : start + _METRICS_OF_A_BATCH], days, read_at, window)


def _batch(
    ids: Sequence[str], days: Sequence[date], read_at: datetime, window: SourceWindow
) -> pa.RecordBatch:
    count = len(ids) * len(days)
    day = pa.array(list(days) * len(ids), pa.date32())
    metric_id = pa.array([metric_id for metric_id in ids for _ in days])
    values = pa.array(range(count), pa.int64())
    observed_at = pa.repeat(pa.scalar(read_at, _INSTANT), count)
    if window is SourceWindow.INSTANT:
        observed_at = pc.add(day.cast(_INSTANT), pa.scalar(_READ_AFTER_MIDNIGHT, pa.duration("us")))
    columns = {
        "stat_key": pc.binary_join_element_wise(metric_id, day.cast(pa.string()), "|"),
        "metric_id": metric_id,
        "period_start": day,
        "period_end": day,
        "value": values,
        "status": pa.repeat("provisional", count),
        "provenance": pa.repeat("api", count),
        "source_window": pa.repeat(window.value, count),
        "observed_at": observed_at,
        "first_value": values,
        "revision": pa.repeat(pa.scalar(0, pa.int32()), count),
        "revised_at": pa.nulls(count, _INSTANT),
        "ingestion_run_id": pa.repeat("20261123T120000Z-weekly_refresh-00000000", count),
        "source_ref": pa.repeat("https://pypistats.org/api/packages/package/overall?mirrors=false", count),
        "is_reset": pa.repeat(False, count),
        "mark": pa.nulls(count, pa.string()),
        "subject_id": pa.nulls(count, pa.int64()),
        "newest_part": pa.nulls(count, pa.int64()),
        "parts_digest": pa.nulls(count, pa.string()),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in STATS.schema.names], schema=STATS.schema)

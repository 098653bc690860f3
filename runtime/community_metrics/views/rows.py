"""Rows as the views read them: one query for all metrics of a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from community_metrics.series.points import points
from community_metrics.storage.reader import LanceDBReader
from community_metrics.storage.schemas import table_named

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
    from datetime import date, datetime

    import pyarrow as pa

    from community_metrics.config import Settings
    from community_metrics.model import MetricDefinition, StatRow
    from community_metrics.periods import Period
    from community_metrics.series.points import Point

    RowsByMetric = Mapping[str, Sequence[StatRow]]

View = TypeVar("View")


async def read(
    settings: Settings, load: Callable[[LanceDBReader], Awaitable[View]]
) -> tuple[View, Mapping[str, int]]:
    """Open the database, and return the view that `load` reads, with the versions of the tables.

    Raises:
        StorageError: the database cannot be read.
    """
    async with LanceDBReader.open(settings) as reader:
        return await load(reader), await reader.table_versions()


def scan_table(reader: LanceDBReader, table: str) -> tuple[pa.Schema, AsyncGenerator[pa.RecordBatch, None]]:
    """Return the columns of a table and its rows in batches, in no promised order."""
    return table_named(table).schema, reader.scan(table)


async def read_rows(
    reader: LanceDBReader, metric_ids: Iterable[str], *, since: date, until: date | None = None
) -> RowsByMetric:
    """Return the rows of each metric whose last day is in the range, oldest first."""
    grouped: dict[str, list[StatRow]] = {metric_id: [] for metric_id in metric_ids}
    for row in await reader.stats(list(grouped), since=since, until=until):
        grouped[row.metric_id].append(row)
    return grouped


async def newest_rows(reader: LanceDBReader, metric_ids: Iterable[str]) -> dict[str, StatRow]:
    """Return the newest row of each metric that has one, of any age."""
    found = {metric_id: await reader.newest_row(metric_id) for metric_id in metric_ids}
    return {metric_id: row for metric_id, row in found.items() if row is not None}


def with_fallbacks(metrics: Iterable[MetricDefinition]) -> list[str]:
    """Return the ids of the metrics and of their fallbacks, each once."""
    return list(dict.fromkeys(name for metric in metrics for name in (metric.metric_id, *metric.fallbacks)))


def points_of(
    metric: MetricDefinition, rows: RowsByMetric, periods: Sequence[Period], now: datetime
) -> list[Point]:
    """Return the points of a metric, from its own rows and those of its fallbacks."""
    return points(
        rows.get(metric.metric_id, ()),
        periods,
        window=metric.source_window,
        now=now,
        fallbacks=[row for name in metric.fallbacks for row in rows.get(name, ())],
    )

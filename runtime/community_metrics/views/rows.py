"""Values as the views read them: a constant number of queries, however many metrics a view has."""

from __future__ import annotations

from contextlib import aclosing
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from community_metrics.model import SEED_SOURCE, ValueKind
from community_metrics.periods import ONE_DAY
from community_metrics.readings import Readings, day_of_number
from community_metrics.series.additive import is_by_day_only
from community_metrics.series.freshness import STALE_AFTER_DAYS
from community_metrics.storage.reader import LanceDBReader
from community_metrics.storage.schemas import STATS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence

    from community_metrics.config import Settings
    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Period

View = TypeVar("View")

_KINDS: Final = ("unit", "value_kind")
"""What an export of `stats` has of each metric."""
SAMPLE_COLUMN: Final = "sample_data"
"""The column that every row of an export of a demo has."""
LATELY: Final = timedelta(days=45)
"""Where a newest value is searched first: registries publish within days, and a total is of 30 days."""
_SEARCHED: Final = (LATELY, timedelta(days=400), None)
"""How far back a newest value is searched; the metrics without one are searched again, farther back."""


async def read(
    settings: Settings, load: Callable[[LanceDBReader], Awaitable[View]]
) -> tuple[View, Mapping[str, int]]:
    """Open the database, and return the view that `load` reads, with the versions of the tables.

    Raises:
        StorageError: the database cannot be read.
    """
    async with LanceDBReader.open(settings) as reader:
        return await load(reader), await reader.table_versions()


def scan_table(
    reader: LanceDBReader, table: str, *, is_sample: bool
) -> tuple[pa.Schema, AsyncGenerator[pa.RecordBatch, None]]:
    """Return the columns of a table and its rows in batches, in no promised order.

    Each row of `stats` also has the unit and the kind of its metric, which say what may be summed. Each row
    of a demo says that it is sample data.
    """
    schema, batches = reader.scanned_schema(table), reader.scan(table)
    if table == STATS.name:
        for name in _KINDS:
            schema = schema.append(pa.field(name, pa.string()))
        batches = _with_kinds(reader, schema, batches)
    if is_sample:
        schema = schema.append(pa.field(SAMPLE_COLUMN, pa.bool_()))
        batches = _marked(schema, batches)
    return schema, batches


async def _marked(
    schema: pa.Schema, batches: AsyncGenerator[pa.RecordBatch, None]
) -> AsyncGenerator[pa.RecordBatch, None]:
    async with aclosing(batches):
        async for batch in batches:
            marks = pa.repeat(pa.scalar(True), batch.num_rows)
            yield pa.record_batch([*batch.columns, marks], schema=schema)


async def _with_kinds(
    reader: LanceDBReader, schema: pa.Schema, batches: AsyncGenerator[pa.RecordBatch, None]
) -> AsyncGenerator[pa.RecordBatch, None]:
    async with aclosing(batches):
        metrics = await reader.metrics()
        ids = pa.array([metric.metric_id for metric in metrics], pa.string())
        words = [pa.array([getattr(metric, name) for metric in metrics], pa.string()) for name in _KINDS]
        async for batch in batches:
            position = pc.index_in(batch.column("metric_id"), value_set=ids)
            own = [batch.column(name) for name in schema.names if name not in _KINDS]
            yield pa.record_batch([*own, *(word.take(position) for word in words)], schema=schema)


async def newest_readings(
    reader: LanceDBReader,
    metric_ids: Iterable[str],
    until: date,
    *,
    fetched_only: bool = False,
    most_of_table: bool = False,
) -> Readings:
    """Return the newest row of each metric up to a day, of any age; `fetched_only` leaves out seed files."""
    remaining = list(metric_ids)
    found = Readings.of((), [])
    for reach in _SEARCHED:
        if not remaining:
            break
        newest = await reader.newest_readings(
            remaining,
            since=None if reach is None else until - reach,
            until=until,
            fetched_only=fetched_only,
            most_of_table=most_of_table and reach is not None,
        )
        found = found.joined(newest)
        known = set(newest.found())
        remaining = [metric_id for metric_id in remaining if metric_id not in known]
    return found


async def newest_source_days(
    reader: LanceDBReader,
    metrics: Sequence[MetricDefinition],
    until: date,
    every_row: Readings | None = None,
) -> dict[str, date | None]:
    """Return the newest fetched day of each source of active metrics, up to a day; None without one.

    Every body of the API has them, so they are computed once for each snapshot. Sources of which `every_row`
    has all metrics, with every row up to that day, are not searched.
    """
    read = every_row or Readings.of((), [])
    return await reader.once(
        ("newest source days", until), lambda: _source_days(reader, metrics, until, read)
    )


async def has_sample_data(reader: LanceDBReader) -> bool:
    """Return whether the stored numbers are invented; read once for each snapshot, like the newest days."""
    return await reader.once("sample data", reader.is_sample)


async def _source_days(
    reader: LanceDBReader,
    metrics: Sequence[MetricDefinition],
    until: date,
    read: Readings,
) -> dict[str, date | None]:
    ids: dict[str, list[str]] = {}
    for metric in metrics:
        if metric.is_active and metric.source != SEED_SOURCE and not metric.is_registry:
            ids.setdefault(metric.source, []).append(metric.metric_id)
    known = {source for source, own in ids.items() if all(read.position(name) is not None for name in own)}
    others = {source: own for source, own in ids.items() if source not in known}
    return {
        **dict.fromkeys(ids),
        **_newest_days(read, {source: ids[source] for source in known}),
        **await _searched_days(reader, others, until, most_of=len(metrics)),
    }


async def _searched_days(
    reader: LanceDBReader, ids: Mapping[str, Sequence[str]], until: date, *, most_of: int
) -> dict[str, date]:
    """Return the newest fetched day of each source, by the ids of its metrics, that has one.

    One query of a few days finds the sources that are not stale; older days are searched only for the others.
    """
    found: dict[str, date] = {}
    for reach in (timedelta(days=STALE_AFTER_DAYS), *_SEARCHED):
        unknown = {source: own for source, own in ids.items() if source not in found}
        if not unknown:
            break
        wanted = [metric_id for own in unknown.values() for metric_id in own]
        newest = await reader.newest_readings(
            wanted,
            since=None if reach is None else until - reach,
            until=until,
            fetched_only=True,
            most_of_table=reach is not None and 2 * len(wanted) > most_of,
        )
        found |= _newest_days(newest, unknown)
    return found


def _newest_days(readings: Readings, ids: Mapping[str, Sequence[str]]) -> dict[str, date]:
    newest = readings.newest_fetched_days
    days = {source: [newest[name] for name in own if name in newest] for source, own in ids.items()}
    return {source: day_of_number(max(own)) for source, own in days.items() if own}


def since_edge(periods: Sequence[Period]) -> date:
    """Return the first day of which a reading can be at the edge where the oldest period begins."""
    return max(periods[0].start, date.min + ONE_DAY) - ONE_DAY


def has_reading(metric: MetricDefinition) -> bool:
    """Return whether the newest value of a metric is shown beside its points: not of a flow that sums."""
    return metric.value_kind is not ValueKind.FLOW or is_by_day_only(metric)


def with_fallbacks(metrics: Iterable[MetricDefinition]) -> list[str]:
    """Return the ids of the metrics and of their fallbacks, each once."""
    return list(dict.fromkeys(name for metric in metrics for name in (metric.metric_id, *metric.fallbacks)))

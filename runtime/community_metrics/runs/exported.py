"""Loading the export of `metrics` or `history`: rows that are missing are inserted, stored ones are kept.

A stored definition takes only an earlier `created_at`. A run of the file happened in another database, or in
this one before values of it were lost. So a loaded row of `history` says so in `loaded_by`, and nothing that
asks what this database has read counts it: no refresh takes its metrics as read, no view its values as fresh,
and no undo a backup as its own for it.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

from community_metrics.errors import SeedFileError
from community_metrics.model import Run, Visibility
from community_metrics.parquet_files import MAGIC
from community_metrics.runs.job import JobResult
from community_metrics.seed.files import shortened
from community_metrics.seed.imports import refused
from community_metrics.seed.table import table_of
from community_metrics.storage.exported import rows_of_csv, rows_of_parquet
from community_metrics.storage.schemas import HISTORY, METRICS
from community_metrics.text import counted, harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition
    from community_metrics.runs.job import RunContext, Work
    from community_metrics.seed.imports import ExportedTable
    from community_metrics.storage.schemas import Row, TableSpec

_MEANING: Final = ("source", "subject", "source_window", "value_kind", "unit", "visibility")
"""What decides what the numbers of a metric mean. The rest is the catalogue's, which every run writes."""
_TOLD: Final = tuple(one.name for one in fields(Run) if one.name != "loaded_by")
"""What a run says of itself."""


def loading(file: ExportedTable, catalog: Catalog, now: datetime) -> Work:
    """Read the export of a table, and return the work of storing the rows that are missing.

    Raises:
        SeedFileError: the file has faults; nothing of it is loaded.
    """
    try:
        if file.table == METRICS.name:
            return _loading_metrics(file, _rows(file, METRICS, now), catalog)
        return _loading_runs(file, _rows(file, HISTORY, now))
    except SeedFileError as error:
        raise SeedFileError(refused(file.file), shortened(error.faults)) from error


def _rows(file: ExportedTable, spec: TableSpec[Row], now: datetime) -> list[Row]:
    if file.content.startswith(MAGIC):
        return rows_of_parquet(file.content, spec, now)
    table = table_of(file.text)
    return rows_of_csv(table.header, table.rows, spec, now)


def _loading_metrics(file: ExportedTable, rows: Sequence[MetricDefinition], catalog: Catalog) -> Work:
    kept = {one.metric_id for one in catalog.defined if one.visibility is Visibility.TEAM}
    if faults := [
        f"{row.metric_id}: it is for everybody in the file, and the team's in {catalog.path}"
        for row in rows
        if row.metric_id in kept and row.visibility is Visibility.PUBLIC
    ]:
        raise SeedFileError("", faults)

    async def work(context: RunContext) -> JobResult:
        stored = {metric.metric_id: metric for metric in await context.store.metrics()}
        missing = [row for row in rows if row.metric_id not in stored]
        given = {row.metric_id: row for row in rows}
        _require_equal(file, given, stored, _MEANING)
        older = [
            replace(ours, created_at=given[name].created_at)
            for name, ours in stored.items()
            if name in given and given[name].created_at < ours.created_at
        ]
        # or the batch at the end would retire what is loaded here; the next run takes the catalogue's
        context.batches.defined = context.batches.renamed
        if context.holder is not None:
            await context.holder.renew()
            await context.store.write_metrics([*missing, *older])
        return _result(file, len(rows), len(missing), len(older))

    return work


def _loading_runs(file: ExportedTable, rows: Sequence[Run]) -> Work:
    async def work(context: RunContext) -> JobResult:
        stored = await context.store.all_runs()
        missing = [
            replace(row, loaded_by=context.run_id) for row in rows if row.ingestion_run_id not in stored
        ]
        given = {row.ingestion_run_id: row for row in rows}
        _require_equal(file, given, stored, _TOLD)
        context.batches.defined = context.batches.renamed  # it is about no metric
        if context.holder is not None:
            await context.holder.renew()
            await context.store.insert_runs(missing)
        return _result(file, len(rows), len(missing))

    return work


def _require_equal(
    file: ExportedTable, given: Mapping[str, Any], stored: Mapping[str, Any], names: Sequence[str]
) -> None:
    """Raise SeedFileError if a row of the file has another value in these columns than the stored row."""
    known = [(key, row, stored[key]) for key, row in given.items() if key in stored]
    if faults := [f"{key}: {fault}" for key, theirs, ours in known for fault in _faults(theirs, ours, names)]:
        fix = "Fix: take these rows out of the file, or load it into an empty database"
        raise SeedFileError(refused(file.file), [*shortened(faults), fix])


def _faults(row: Any, stored: Any, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        theirs, ours = getattr(row, name), getattr(stored, name)
        if _in_csv(theirs) != _in_csv(ours):
            yield f"{name} is {theirs!s} in the file, and {ours!s} in the database"


def _in_csv(value: Any) -> Any:
    """Return a value as CSV tells it: without the difference between no text and an empty one."""
    return (harmless(value) or None) if isinstance(value, str) else value


def _result(file: ExportedTable, rows: int, missing: int, older: int = 0) -> JobResult:
    """Return notes of what was loaded: the counts of a run are of values, and `undo` asks who wrote some."""
    note = f"{file.file.name} is an export of {file.table}: {counted(rows, 'row')}, {missing:,} of them new."
    dated = f"{counted(older, 'stored row')} took the earlier date of the file."
    return JobResult(notes=(note, dated) if older else (note,))

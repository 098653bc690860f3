"""What one run wrote, what was there before it, and putting that back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from community_metrics.storage import sql
from community_metrics.storage.errors import translate_errors
from community_metrics.storage.maintenance import Maintenance
from community_metrics.storage.schemas import HISTORY, LAST_READS, STATS, table_named

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date
    from typing import Any

    from community_metrics.model import Run
    from community_metrics.storage.schemas import AnyTable

RUN: Final = "ingestion_run_id"
"""The column with the run that wrote a row."""

Rows: TypeAlias = pa.Table
"""Rows of one table, with all its columns."""


def rows_with_keys_of(rows: Rows, others: Rows, spec: AnyTable) -> Rows:
    """Return those of the rows whose key one of the others has."""
    keys = others.column(spec.key).combine_chunks()
    return rows.filter(pc.is_in(rows.column(spec.key), value_set=keys))


def has_rows_of(rows: Rows, run_id: str) -> bool:
    """Return whether the run wrote one of the rows."""
    return bool(pc.any(pc.equal(rows.column(RUN), run_id)).as_py())


class Past(Maintenance):
    """Reads and puts back what was before a run; the caller holds the lease."""

    async def rows_of_run(self, table: str, run_id: str) -> pa.Table:
        """Return the rows of a table that the run wrote last."""
        found = [batch async for batch in self.scan(table, where=sql.equals(RUN, run_id))]
        return pa.Table.from_batches(found, table_named(table).schema)

    async def all_runs(self) -> dict[str, Run]:
        """Return every run by its id."""
        found = [batch async for batch in self.scan(HISTORY.name)]
        rows = HISTORY.from_arrow(pa.Table.from_batches(found, HISTORY.schema))
        return {run.ingestion_run_id: run for run in rows}

    async def first_written_days(self, metric_ids: list[str]) -> list[tuple[str, str, date]]:
        """Return each run and metric of the stored values of these metrics, with the first day of both."""
        columns, where = [RUN, "metric_id", "period_end"], sql.one_of("metric_id", metric_ids)
        found = [batch async for batch in self.scan(STATS.name, columns=columns, where=where)]
        days: dict[tuple[str, str], date] = {}
        for batch in found:
            grouped = pa.Table.from_batches([batch]).group_by(columns[:2]).aggregate([("period_end", "min")])
            for run_id, metric_id, day in zip(
                *(grouped[name].to_pylist() for name in grouped.column_names), strict=True
            ):
                days[run_id, metric_id] = min(day, days.get((run_id, metric_id), day))
        return [(*key, day) for key, day in days.items()]

    async def rows_before_run(
        self, table: str, run: Run, keys: pa.ChunkedArray, history: Mapping[str, Run]
    ) -> pa.Table | None:
        """Return the rows of these keys in the newest kept version from before the run.

        That version has no row of the run, and in these keys none of a later run: one that replaced all rows
        of the run left a version without any, too. None if no such version is kept, if a row is of a run that
        is not in `history`, and for LanceDB Enterprise, which keeps its own.
        """
        spec = table_named(table)
        if self._database.is_remote:
            return None
        connection = await self._database.connection()
        with translate_errors(self._database.target, f"reading kept versions of {table}"):
            handle = await connection.open_table(table)
            versions = sorted((one["version"] for one in await handle.list_versions()), reverse=True)
            for version in versions:
                await handle.checkout(version)
                if await handle.count_rows(sql.equals(RUN, run.ingestion_run_id)):
                    continue
                rows = await _rows_with(handle, spec, keys)
                writers = set(rows.column(RUN).unique().to_pylist())
                if (
                    not history.keys() >= writers
                ):  # a restore lost a run, which may be an earlier or a later one
                    return None
                # not by the instants of the versions: they are of another clock than those of the runs
                if all(history[name].started_at < run.started_at for name in writers):
                    return rows
        return None

    async def forget_reads(self, run: Run, metric_ids: Collection[str]) -> None:
        """Delete when this run read, and when later ones read these metrics: the next reads them again.

        A later run that found the values of this one unchanged wrote none, and its reading is no longer true.
        """
        if not await self.has_rows(LAST_READS.name):  # also where an earlier version did not create the table
            return
        since = f"turn_at >= {sql.literal(run.started_at)}"
        later = sql.all_of(sql.one_of("metric_id", metric_ids), since)
        where = sql.any_of([sql.equals("run_id", run.ingestion_run_id), str(later)])
        async with self._database.using(LAST_READS, f"deleting rows of {LAST_READS.name}") as opened:
            await opened.handle.delete(where)

    async def put_back(self, table: str, run_id: str, before: pa.Table) -> int:
        """Replace the rows that the run wrote by those of before, delete its others; return their number.

        A kill in between leaves rows of the run, which the next call takes back.
        """
        spec = table_named(table)
        async with self._database.using(spec, f"writing {before.num_rows} rows to {table}") as opened:
            if before.num_rows:  # a merge of nothing would make a version
                merge = opened.handle.merge_insert(spec.key).use_index(False)
                await merge.when_matched_update_all().execute(before)
            new = int(await opened.handle.count_rows(sql.equals(RUN, run_id)))
            if new:
                await opened.handle.delete(sql.equals(RUN, run_id))
        return int(before.num_rows) + new


async def _rows_with(handle: Any, spec: AnyTable, keys: pa.ChunkedArray) -> pa.Table:
    wanted = keys.combine_chunks()
    found = [
        batch.filter(pc.is_in(batch.column(spec.key), value_set=wanted))
        async for batch in await handle.query().to_batches()
    ]
    rows = pa.Table.from_batches(found, found[0].schema) if found else spec.schema.empty_table()
    return spec.completed(rows)

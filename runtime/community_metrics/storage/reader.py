"""Reading what is stored, in every mode alike."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

import pyarrow as pa

from community_metrics.errors import StorageError
from community_metrics.model import OutcomeStatus, Provenance, Status, newest_copy
from community_metrics.readings import Readings
from community_metrics.storage import columns, sql
from community_metrics.storage.connection import Database, client
from community_metrics.storage.inspection import Inspector
from community_metrics.storage.queries import Query
from community_metrics.storage.schemas import (
    HISTORY,
    LEASES,
    METRICS,
    RUN_OUTCOMES,
    STATS,
    TABLES,
    table_named,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Sequence
    from datetime import date, datetime
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from community_metrics.config import Settings
    from community_metrics.model import Lease, MetricDefinition, Run, RunOutcome, RunStatus, StatRow

_MOST_ROWS_OF_A_METRIC: Final = 20 * 365
_FETCHED: Final = f"provenance <> {sql.literal(Provenance.CSV_SEED)}"
DATABASE: Final = "database"
"""The resource of the one lease that makes a run the only writer."""


class LanceDBReader(Inspector):
    """Reads one database. It has no method that writes; the API has nothing else.

    `async with LanceDBReader.open(settings) as reader:`, or `reader = await LanceDBReader.open(settings)`
    and `await reader.close()`. Every method raises `StorageUnavailable`, `StorageDenied` or
    `StorageSchemaMismatch`, and nothing else.
    """

    @classmethod
    def open(cls, settings: Settings, *, consistency_s: float | None = 0.0) -> Self:
        """Return a reader that connects when awaited or entered; if that fails, the first read raises.

        `consistency_s`: how many seconds a read may lag behind the last write of others; None for any.
        """
        return cls(Database(settings, consistency_s=consistency_s))

    @staticmethod
    def load_client() -> None:
        """Import lancedb now: on a cold machine it takes seconds, which no deadline should include."""
        client()

    def __await__(self) -> Generator[Any, None, Self]:
        return self._connected().__await__()

    async def __aenter__(self) -> Self:
        return await self._connected()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; safe to call twice."""
        self._database.close()

    async def metrics(self) -> list[MetricDefinition]:
        """Return every metric ever defined, by id, also inactive ones."""
        return sorted(await self._rows(METRICS), key=lambda metric: metric.metric_id)

    async def readings(
        self,
        metric_ids: Sequence[str],
        *,
        since: date | None = None,
        until: date | None = None,
        most_of_table: bool = False,
    ) -> Readings:
        """Return the rows of these metrics whose `period_end` is in the range, as columns.

        `most_of_table`: they are most of the stored metrics, so that reading all and dropping the others is
        faster than looking each up in the index (500 metrics: 30 ms instead of 120).
        """
        most_of_table = most_of_table and await self._may_be_most(metric_ids)
        where = _readings_filter(metric_ids, since, until, most_of_table=most_of_table)
        parts = [part async for part in self._reading_parts(metric_ids, where)]
        return Readings.of(metric_ids, parts)

    async def newest_readings(
        self,
        metric_ids: Sequence[str],
        *,
        since: date | None = None,
        until: date | None = None,
        fetched_only: bool = False,
        most_of_table: bool = False,
    ) -> Readings:
        """Return the row of each metric with the newest `period_end` in the range, if it has one.

        `fetched_only` leaves out rows that came from a seed file.
        """
        most_of_table = most_of_table and await self._may_be_most(metric_ids)
        where = sql.all_of(
            _readings_filter(metric_ids, since, until, most_of_table=most_of_table),
            _FETCHED if fetched_only else None,
        )
        newest = Readings.of(metric_ids, [])
        async for part in self._reading_parts(metric_ids, where):
            # one batch at a time: the range may hold the whole table
            newest = Readings.of(metric_ids, [newest.rows, part]).newest()
        return newest

    async def _may_be_most(self, metric_ids: Sequence[str]) -> bool:
        """Return whether so few metrics can have half of the rows: rows may be left of metrics long gone."""
        if self._database.is_remote:
            return True  # it is not worth a request
        async with self._database.using(STATS, "counting the rows of stats") as table:
            rows = int(await table.handle.count_rows())
        return 2 * len(metric_ids) * _MOST_ROWS_OF_A_METRIC >= rows

    async def _reading_parts(
        self, metric_ids: Sequence[str], where: str | None
    ) -> AsyncIterator[NDArray[np.void]]:
        if metric_ids:
            ids = pa.array(metric_ids, pa.string())
            async for batch in self._batches(STATS, columns.STORED, where):
                yield columns.rows_of(batch, ids)

    async def stats(
        self, metric_ids: Sequence[str], *, since: date | None = None, until: date | None = None
    ) -> list[StatRow]:
        """Return all rows of these metrics whose `period_end` is in the range, by metric and day."""
        if not metric_ids:
            return []
        where = sql.all_of(sql.one_of("metric_id", metric_ids), sql.between("period_end", since, until))
        return sorted(await self._rows(STATS, where), key=lambda row: (row.metric_id, row.period_end))

    async def stored_days(
        self, metric_id: str, since: date, until: date, *, read_twice_or_after: datetime | None = None
    ) -> list[date]:
        """Return the `period_end` of every row of the metric in the range, oldest first.

        With `read_twice_or_after`, a row that was read only once, at that instant or before, is left out.
        """
        confirmed = None
        if read_twice_or_after is not None:
            twice = (sql.equals("status", Status.FINAL.value), "revision > 0")
            confirmed = sql.any_of((*twice, f"observed_at > {sql.literal(read_twice_or_after)}"))
        of_metric, in_range = sql.equals("metric_id", metric_id), sql.between("period_end", since, until)
        where = sql.all_of(of_metric, in_range, confirmed)
        pages = [page async for page in self._pages(STATS, ["period_end"], where)]
        return [day for page in pages for day in page.column("period_end").to_pylist()]

    async def first_day(self, metric_id: str) -> date | None:
        """Return the oldest `period_end` of the metric; None if nothing is stored."""
        return await self._first_day(sql.equals("metric_id", metric_id))

    async def first_fetched_day(self, metric_id: str) -> date | None:
        """Return the oldest `period_end` that did not come from a seed file; None if there is none."""
        return await self._first_day(sql.all_of(sql.equals("metric_id", metric_id), _FETCHED))

    async def newest_row(self, metric_id: str) -> StatRow | None:
        """Return the row with the newest `period_end`, its newest copy; None if nothing is stored."""
        of_metric = sql.equals("metric_id", metric_id)
        query = Query(STATS, STATS.columns, 2, of_metric, order_by="period_end", descending=True)
        found = STATS.from_arrow(await self._select(query))
        if len({row.period_end for row in found}) == len(found):
            return found[0] if found else None
        day = found[0].period_end
        return newest_copy([*found, *await self.stats([metric_id], since=day, until=day)])

    async def runs(
        self,
        *,
        limit: int,
        status: RunStatus | None = None,
        job_name: str | None = None,
        before: datetime | None = None,
        whole_only: bool = False,
    ) -> list[Run]:
        """Return up to `limit` runs that started before the instant, newest first.

        `whole_only` leaves out runs that `--only` narrowed to some metrics.
        """
        where = sql.all_of(
            sql.equals("status", status) if status else None,
            sql.equals("job_name", job_name) if job_name else None,
            f"started_at < {sql.literal(before)}" if before else None,
            "scope IS NULL" if whole_only else None,
        )
        query = Query(HISTORY, HISTORY.columns, limit, where, order_by="started_at", descending=True)
        return HISTORY.from_arrow(await self._select(query))

    async def run(self, run_id: str) -> Run | None:
        """Return the run with this id; None if there is none."""
        query = Query(HISTORY, HISTORY.columns, 1, sql.equals(HISTORY.key, run_id))
        found = HISTORY.from_arrow(await self._select(query))
        return found[0] if found else None

    async def outcomes(self, run_ids: Sequence[str], *, failed_only: bool = False) -> list[RunOutcome]:
        """Return how each metric ended in these runs, by run and metric; none before the table exists."""
        if not run_ids:
            return []
        failed = f"status <> {sql.literal(OutcomeStatus.SUCCESS)}" if failed_only else None
        rows = await self._rows(RUN_OUTCOMES, sql.all_of(sql.one_of("run_id", run_ids), failed))
        return sorted(rows, key=lambda row: (row.run_id, row.metric_id))

    async def lease(self, resource: str = DATABASE) -> Lease | None:
        """Return the stored lease of the resource, expired or not; None if it was never taken."""
        held = await self._leases(resource)
        return max(held, key=lambda lease: lease.expires_at, default=None)

    async def restatements(
        self, *, metric_ids: Sequence[str] | None = None, since: datetime | None = None, limit: int
    ) -> list[StatRow]:
        """Return up to `limit` rows that their source restated (since the instant), last restated first."""
        if metric_ids is not None and not metric_ids:
            return []
        where = sql.all_of(
            "revision > 0",
            sql.one_of("metric_id", metric_ids) if metric_ids else None,
            f"revised_at >= {sql.literal(since)}" if since else None,
        )
        query = Query(STATS, STATS.columns, limit, where, order_by="revised_at", descending=True)
        return STATS.from_arrow(await self._select(query))

    async def table_versions(self) -> dict[str, int]:
        """Return the version of each table; it rises with every write and with nothing else."""
        return {spec.name: await self._version(spec) for spec in TABLES}

    async def has_rows(self, table: str) -> bool:
        """Return whether a table has a row, by reading one: the version is known without any data file."""
        spec = table_named(table)
        return bool((await self._select(Query(spec, spec.schema.names, 1))).num_rows)

    async def _connected(self) -> Self:
        with suppress(StorageError):  # the API must start and return 503; the first read raises it again
            await self._database.connection()
        return self

    async def _first_day(self, where: str | None) -> date | None:
        query = Query(STATS, STATS.columns, 1, where, order_by="period_end")
        found = STATS.from_arrow(await self._select(query))
        return found[0].period_end if found else None

    async def _leases(self, resource: str) -> list[Lease]:
        return await self._rows(LEASES, sql.equals("resource", resource))


def _readings_filter(
    metric_ids: Sequence[str], since: date | None, until: date | None, *, most_of_table: bool
) -> str | None:
    named = None if most_of_table or not metric_ids else sql.one_of("metric_id", metric_ids)
    return sql.all_of(named, sql.between("period_end", since, until))

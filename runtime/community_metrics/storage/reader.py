"""Reading what is stored, in every mode alike."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import pyarrow as pa

from community_metrics.errors import StorageError
from community_metrics.model import (
    UNDO_JOB,
    DistinctRows,
    OutcomeStatus,
    Provenance,
    Status,
    event_order,
    newest_event,
)
from community_metrics.readings import Readings
from community_metrics.storage import columns, sql
from community_metrics.storage.connection import Database, client
from community_metrics.storage.inspection import Inspector
from community_metrics.storage.queries import Query
from community_metrics.storage.schemas import (
    DELIVERIES,
    DIGESTS,
    EVENTS,
    HISTORY,
    LAST_READS,
    LEASES,
    METRICS,
    RAW_ANSWERS,
    RUN_OUTCOMES,
    STATS,
    TRAFFIC_ITEMS,
    VIEWED,
    WITNESS,
    table_named,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Generator, Sequence
    from datetime import date, datetime
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from community_metrics.config import Settings
    from community_metrics.model import (
        Event,
        EventKind,
        LastRead,
        Lease,
        MetricDefinition,
        RawAnswers,
        Run,
        RunOutcome,
        RunStatus,
        StatRow,
        StoredDelivery,
        StoredDigest,
        StoredTrafficSet,
        WitnessedDay,
    )
    from community_metrics.periods import Grain

_MOST_ROWS_OF_A_METRIC: Final = 20 * 365
_FETCHED: Final = f"provenance <> {sql.literal(Provenance.CSV_SEED)}"
_DAYS_OF_ONE_READ: Final = 50
_MANY_METRICS: Final = 50
Reader = TypeVar("Reader", bound="LanceDBReader")
NEWEST_RUNS: Final = 40
"""Runs that a look at the database reads: two weeks of daily and weekly jobs, and more.

The open ones are among them, of which each crash leaves one. A clock that was ahead leaves runs that are
newer than every later one, until `repair` deletes them.
"""
DATABASE: Final = "database"
"""The resource of the one lease that makes a run the only writer."""


@dataclass(frozen=True, slots=True)
class StoredEnds:
    """The oldest day of a metric that did not come from a seed file, None if all did, and its newest row."""

    first_fetched_day: date | None
    newest: StatRow


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

    def as_type(self, reader_type: type[Reader]) -> Reader:
        """Return another reader of the same tables, which shares the connection."""
        return reader_type(self._database)

    async def close(self) -> None:
        """Close the connection; safe to call twice."""
        self._database.close()

    async def metrics(self) -> list[MetricDefinition]:
        """Return every metric ever defined, by id, also inactive ones.

        Every body of the API begins with them, so a snapshot reads them once.
        """
        found = await self.once(METRICS.name, lambda: self._rows(METRICS))
        return sorted(found, key=lambda metric: metric.metric_id)

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

    async def ends(self, metric_ids: Sequence[str]) -> dict[str, StoredEnds]:
        """Return the first and the last stored row of each metric that has any, in two reads for all."""
        ends = columns.DaysOfMetrics()
        if metric_ids:
            where = sql.one_of("metric_id", metric_ids)
            async for batch in self._batches(STATS, columns.DaysOfMetrics.COLUMNS, where):
                ends.add(batch)
        by_day: dict[date, list[str]] = defaultdict(list)
        for metric_id, day in ends.last.items():
            by_day[day].append(metric_id)
        wheres = [
            f"{sql.equals('period_end', day)} AND {sql.one_of('metric_id', names)}"
            for day, names in sorted(by_day.items())
        ]
        found = [
            row
            for start in range(0, len(wheres), _DAYS_OF_ONE_READ)
            for row in await self._rows(STATS, sql.any_of(wheres[start : start + _DAYS_OF_ONE_READ]))
        ]
        return {
            row.metric_id: StoredEnds(ends.first_fetched.get(row.metric_id), row)
            for row in DistinctRows.of(found).rows
        }

    async def runs(
        self,
        *,
        limit: int,
        statuses: Collection[RunStatus] = (),
        jobs: Collection[str] = (),
        before: datetime | None = None,
        whole_only: bool = False,
        with_loaded: bool = False,
        without: Collection[str] = (),
    ) -> list[Run]:
        """Return up to `limit` runs that started before the instant, newest first.

        Without `statuses` or `jobs` these are of any. `whole_only` leaves out runs that `--only` narrowed to
        some metrics, and those that left metrics; `without`, the runs of these ids. Runs of another database,
        which an export told of, are left out unless `with_loaded`: this one has none of their values.
        """
        where = sql.all_of(
            sql.one_of("status", statuses) if statuses else None,
            sql.one_of("job_name", jobs) if jobs else None,
            f"NOT {sql.one_of(HISTORY.key, without)}" if without else None,
            f"started_at < {sql.literal(before)}" if before else None,
            "scope IS NULL AND (metrics_left IS NULL OR metrics_left = 0)" if whole_only else None,
        )
        query = Query(HISTORY, HISTORY.columns, limit, where, order_by="started_at", descending=True)
        found = HISTORY.from_arrow(await self._select(query))
        if with_loaded or all(run.loaded_by is None for run in found):
            return found
        # only now, since few databases have such runs, and a condition costs a bucket one more request
        query = replace(query, where=sql.all_of(where, "loaded_by IS NULL"))
        return HISTORY.from_arrow(await self._select(query))

    async def newest_runs(self) -> list[Run] | None:
        """Return the newest `NEWEST_RUNS` runs, which a snapshot has from its look.

        None where they do not say what they stored, so that `runs` has to search.
        """
        return await self.once(HISTORY.name, lambda: self.runs(limit=NEWEST_RUNS))

    async def run(self, run_id: str) -> Run | None:
        """Return the run with this id; None if there is none."""
        query = Query(HISTORY, HISTORY.columns, 1, sql.equals(HISTORY.key, run_id))
        found = HISTORY.from_arrow(await self._select(query))
        return found[0] if found else None

    async def undone_runs(self) -> dict[str, datetime]:
        """Return the runs that others took back, or began to, each with the instant at which that began."""
        return await self.once(UNDO_JOB, self._undone_runs)

    async def _undone_runs(self) -> dict[str, datetime]:
        of_this = sql.all_of(sql.equals("job_name", UNDO_JOB), "loaded_by IS NULL")
        undos = sorted(await self._rows(HISTORY, of_this), key=lambda run: run.started_at)
        return {str(run.scope): run.started_at for run in undos}

    async def outcomes(self, run_ids: Sequence[str], *, failed_only: bool = False) -> list[RunOutcome]:
        """Return how each metric ended in these runs, by run and metric; none before the table exists."""
        if not run_ids:
            return []
        failed = f"status <> {sql.literal(OutcomeStatus.SUCCESS)}" if failed_only else None
        rows = await self._rows(RUN_OUTCOMES, sql.all_of(sql.one_of("run_id", run_ids), failed))
        return sorted(rows, key=lambda row: (row.run_id, row.metric_id))

    async def answers(self, since: datetime, until: datetime) -> list[RawAnswers]:
        """Return the answers stored from `since` until before `until`, oldest first, parts in their order."""
        stored = f"stored_at >= {sql.literal(since)} AND stored_at < {sql.literal(until)}"
        rows = await self._rows(RAW_ANSWERS, stored)
        return sorted(
            rows, key=lambda row: (row.stored_at, row.run_id, row.source, row.request_group, row.part)
        )

    async def first_answers(self) -> datetime | None:
        """Return when the oldest kept answers were stored; None if none are kept."""
        query = Query(RAW_ANSWERS, ["stored_at"], 1, order_by="stored_at")
        found = (await self._select(query)).column("stored_at").to_pylist()
        return found[0].astimezone(UTC) if found else None

    async def traffic_sets(
        self, metric_id: str, *, since: date | None = None, until: date | None = None
    ) -> list[StoredTrafficSet]:
        """Return the sets of the metric that were read in the range, oldest first, one for each day."""
        where = sql.all_of(sql.equals("metric_id", metric_id), sql.between("day", since, until))
        found = sorted(await self._rows(TRAFFIC_ITEMS, where), key=lambda row: row.observed_at)
        newest = {row.day: row for row in found}
        return [newest[day] for day in sorted(newest)]

    async def events(
        self,
        *,
        event_ids: Collection[str] | None = None,
        since: date | None = None,
        until: date | None = None,
        kind: EventKind | None = None,
        origin: str | None = None,
        with_removed: bool = False,
    ) -> list[Event]:
        """Return the events of the days in the range, oldest first; none before the table exists."""
        where = sql.all_of(
            None if event_ids is None else (sql.one_of(EVENTS.key, event_ids) if event_ids else "FALSE"),
            sql.between("day", since, until),
            sql.equals("kind", kind.value) if kind else None,
            sql.equals("origin", origin) if origin else None,
        )
        newest: dict[str, Event] = {}
        for row in await self._rows(EVENTS, where):
            known = newest.setdefault(row.event_id, row)
            newest[row.event_id] = newest_event(known, row)
        shown = [row for row in newest.values() if with_removed or not row.is_removed]
        return sorted(shown, key=event_order)

    async def digests(
        self,
        *,
        limit: int,
        digest_id: str | None = None,
        grain: Grain | None = None,
        before: date | None = None,
        period: str | None = None,
    ) -> list[StoredDigest]:
        """Return up to `limit` digests of periods that began before a day, the newest period first.

        Of one period the edition that was made last comes first; none before the table exists.
        """
        where = sql.all_of(
            sql.equals(DIGESTS.key, digest_id) if digest_id is not None else None,
            sql.equals("grain", grain.value) if grain else None,
            f"period_start < {sql.literal(before)}" if before else None,
            sql.equals("period", period) if period is not None else None,
        )
        query = Query(DIGESTS, DIGESTS.columns, limit, where, order_by="period_start", descending=True)
        found = {row.digest_id: row for row in DIGESTS.from_arrow(await self._select(query))}
        return sorted(found.values(), key=lambda row: (row.period_start, row.made_at), reverse=True)

    async def deliveries(self, *, since: datetime) -> list[StoredDelivery]:
        """Return the deliveries last tried since an instant, the newest first; none before the table."""
        where = f"last_attempt_at >= {sql.literal(since)}"
        newest: dict[str, StoredDelivery] = {}
        for row in sorted(await self._rows(DELIVERIES, where), key=lambda row: row.last_attempt_at):
            newest[row.delivery_key] = row
        return sorted(newest.values(), key=lambda row: (row.last_attempt_at, row.delivery_key), reverse=True)

    async def witnessed(
        self, metric_ids: Sequence[str], *, since: date, until: date | None = None
    ) -> list[WitnessedDay]:
        """Return what witnesses counted in a range, by metric and day; none before the table exists."""
        if not metric_ids:
            return []
        in_range = sql.between("day", since, until) if until else f"day >= {sql.literal(since)}"
        # a range has few rows, and to look for each of many metrics takes longer than to leave some out
        wanted = None if len(metric_ids) > _MANY_METRICS else sql.one_of("metric_id", metric_ids)
        asked = frozenset(metric_ids)
        found = [
            row for row in await self._rows(WITNESS, sql.all_of(wanted, in_range)) if row.metric_id in asked
        ]
        newest = {row.witness_key: row for row in sorted(found, key=lambda row: row.observed_at)}
        return [newest[key] for key in sorted(newest)]

    async def last_reads(self) -> list[LastRead]:
        """Return when each metric was last read, by id; none before the table exists."""
        return sorted(await self._rows(LAST_READS), key=lambda row: row.metric_id)

    async def successes(self, run_ids: Sequence[str], metric_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Return metric and run wherever one of these metrics ended without an error in one of these runs."""
        if not run_ids or not metric_ids:
            return []
        where = sql.all_of(
            sql.equals("status", OutcomeStatus.SUCCESS),
            sql.one_of("run_id", run_ids),
            sql.one_of("metric_id", metric_ids),
        )
        found: list[tuple[str, str]] = []
        async for batch in self._batches(RUN_OUTCOMES, ["metric_id", "run_id"], where):
            found += zip(*(column.to_pylist() for column in batch.columns), strict=True)
        return found

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
        """Return the version of each table of the views; it rises with every write and with nothing else."""
        return {spec.name: await self._version(spec) for spec in VIEWED}

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

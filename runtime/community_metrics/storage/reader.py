"""Reading what is stored, bounded: a filter, columns and a limit go with every question.

An answer that reaches its limit is asked for again page by page, in the order of the table's key, so that
memory stays bounded on the way and a cut-off read cannot pass for a whole one: only an answer or a page that
is not full ends a read.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from community_metrics.errors import StorageError, StorageNotBootstrapped
from community_metrics.model import (
    Lease,
    MetricDefinition,
    OutcomeStatus,
    Provenance,
    Run,
    RunOutcome,
    RunStatus,
    StatRow,
    newest_copy,
)
from community_metrics.storage import sql
from community_metrics.storage.connection import Database
from community_metrics.storage.schemas import (
    HISTORY,
    LEASES,
    METRICS,
    RUN_OUTCOMES,
    STATS,
    TABLES,
    TableSpec,
    table_named,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
    from datetime import date, datetime
    from types import TracebackType

    import pyarrow as pa

    from community_metrics.config import Settings
    from community_metrics.storage.schemas import AnyTable

Row = TypeVar("Row", MetricDefinition, StatRow, Run, RunOutcome, Lease)

EVERY_ROW = 2**32 - 1
"""The limit of a read that streams, and so needs none: the greatest that LanceDB takes."""
_METRICS_AT_ONCE = 20
ROW_ID = "_rowid"
"""LanceDB's own id of a row, given on request."""
DATABASE = "database"
"""The resource of the one lease that makes a run the only writer."""


@dataclass(frozen=True, slots=True)
class Query:
    """One bounded question to one table."""

    table: AnyTable
    columns: Sequence[str]
    limit: int
    where: str | None = None
    order_by: str | None = None
    descending: bool = False
    with_row_id: bool = False


class LanceDBReader:
    """Reads one database, in every mode alike. It has no way to write; the API holds nothing else.

    `async with LanceDBReader.open(settings) as reader:`, or `reader = await LanceDBReader.open(settings)`
    and `await reader.close()`. Every method raises `StorageUnavailable`, `StorageDenied` or
    `StorageSchemaMismatch`, and nothing else.
    """

    page_rows: ClassVar[int] = 10_000
    """Rows of one page, where a read goes page by page."""
    answer_rows: ClassVar[int] = 50_000
    """Rows that may come in one answer: 25 years of five metrics, in about 10 MB."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, settings: Settings, *, consistency_s: float | None = 0.0) -> Self:
        """Return a reader that connects when awaited or entered; what goes wrong there fails the first read.

        `consistency_s`: how many seconds behind the last write of others a read may be; None: any.
        """
        return cls(Database(settings, consistency_s=consistency_s))

    def __await__(self) -> Generator[Any, None, Self]:
        return self._connected().__await__()

    async def __aenter__(self) -> Self:
        return await self._connected()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let the connection go; safe to call twice."""
        self._database.close()

    async def metrics(self) -> list[MetricDefinition]:
        """Return every metric ever defined, by id, inactive ones among them."""
        return sorted(await self._rows(METRICS), key=lambda metric: metric.metric_id)

    async def stats(
        self, metric_ids: Sequence[str], *, since: date | None = None, until: date | None = None
    ) -> list[StatRow]:
        """Return all rows of these metrics whose `period_end` lies in the range, by metric and day."""
        if not metric_ids:
            return []
        where = sql.all_of(sql.one_of("metric_id", metric_ids), sql.between("period_end", since, until))
        rows = await self._rows(STATS, where)
        return sorted(rows, key=lambda row: (row.metric_id, row.period_end))

    async def stored_days(self, metric_id: str, since: date, until: date) -> list[date]:
        """Return the `period_end` of every row of the metric in the range, oldest first."""
        where = sql.all_of(sql.equals("metric_id", metric_id), sql.between("period_end", since, until))
        pages = [page async for page in self._pages(STATS, ["period_end"], where)]
        return [day for page in pages for day in page.column("period_end").to_pylist()]

    async def first_day(self, metric_id: str) -> date | None:
        """Return the oldest `period_end` of the metric; None when nothing is stored."""
        return await self._first_day(sql.equals("metric_id", metric_id))

    async def first_fetched_day(self, metric_id: str) -> date | None:
        """Return the oldest `period_end` that came from a registry, not from a seed file, if any."""
        fetched = f"provenance <> {sql.literal(Provenance.CSV_SEED)}"
        return await self._first_day(sql.all_of(sql.equals("metric_id", metric_id), fetched))

    async def newest_row(self, metric_id: str) -> StatRow | None:
        """Return the row with the newest `period_end` of the metric; None when nothing is stored.

        Of several copies of that row it is the newest.
        """
        of_metric = sql.equals("metric_id", metric_id)
        query = Query(STATS, STATS.columns, 2, of_metric, order_by="period_end", descending=True)
        found = STATS.from_arrow(await self._answer(query))
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
        return HISTORY.from_arrow(await self._answer(query))

    async def run(self, run_id: str) -> Run | None:
        """Return the run of that id; None when there is none."""
        query = Query(HISTORY, HISTORY.columns, 1, sql.equals(HISTORY.key, run_id))
        found = HISTORY.from_arrow(await self._answer(query))
        return found[0] if found else None

    async def outcomes(self, run_ids: Sequence[str], *, failed_only: bool = False) -> list[RunOutcome]:
        """Return how each metric ended in these runs, by run and metric; none before the table exists."""
        if not run_ids:
            return []
        failed = f"status <> {sql.literal(OutcomeStatus.SUCCESS)}" if failed_only else None
        try:
            rows = await self._rows(RUN_OUTCOMES, sql.all_of(sql.one_of("run_id", run_ids), failed))
        except StorageNotBootstrapped:  # a database of an older version; the next run creates the table
            return []
        return sorted(rows, key=lambda row: (row.run_id, row.metric_id))

    async def lease(self, resource: str = DATABASE) -> Lease | None:
        """Return the lease of the resource as it stands, expired or not; None when it was never taken."""
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
        return STATS.from_arrow(await self._answer(query))

    async def table_versions(self) -> dict[str, int]:
        """Return the version of each table; it rises with every write and with nothing else."""
        return {spec.name: await self._version(spec) for spec in TABLES}

    async def find_duplicate_keys(self) -> dict[str, list[str]]:
        """Return the keys that stand in more than one row, by table; only tables that have such keys."""
        found = {}
        for spec in TABLES:
            keys = [key async for key in self._duplicate_keys(spec)]
            if keys:
                found[spec.name] = sorted(keys)
        return found

    async def has_rows(self, table: str) -> bool:
        """Say whether a table has a row, by reading one: the version alone is told without any data file."""
        spec = table_named(table)
        return bool((await self._answer(Query(spec, spec.schema.names, 1))).num_rows)

    async def scan(
        self, table: str, *, columns: Sequence[str] | None = None, where: str | None = None
    ) -> AsyncIterator[pa.RecordBatch]:
        """Yield a whole table in batches of at most `page_rows` rows, in no promised order.

        Every batch is of the version that stood when the first was asked for, whatever is written meanwhile.
        """
        spec = table_named(table)
        wanted = list(columns or spec.schema.names)
        if self._database.is_remote:
            # the service sends an answer as one file, which has to arrive whole before it can be read
            batches = self._paged_batches(spec, wanted, where)
        else:
            batches = self._streamed_batches(spec, wanted, where)
        async for batch in batches:
            yield batch

    async def _connected(self) -> Self:
        with suppress(StorageError):  # an API has to start, and to say 503; the first read raises it again
            await self._database.connection()
        return self

    async def _rows(self, spec: TableSpec[Row], where: str | None = None) -> list[Row]:
        """Return the rows in no promised order."""
        # one question without an order costs half of an ordered page (1M rows), and most answers fit into it
        whole = await self._answer(Query(spec, spec.columns, self.answer_rows, where))
        if whole.num_rows < self.answer_rows:
            return spec.from_arrow(whole)
        pages = [page async for page in self._pages(spec, spec.columns, where)]
        return [row for page in pages for row in spec.from_arrow(page)]

    async def _pages(
        self,
        spec: AnyTable,
        columns: Sequence[str],
        where: str | None,
        *,
        with_row_id: bool = False,
        ask: Callable[[Query], Awaitable[pa.Table]] | None = None,
    ) -> AsyncIterator[pa.Table]:
        """Yield the answer in the order of the key, so that no row is lost or read twice between two pages.

        The last key of a full page may go on in the next one (duplicates do), so it is left for that one.
        `ask` answers one query; without it every page is of the newest version at its own time.
        """
        ask = ask or self._answer
        asked = list(dict.fromkeys([spec.key, *columns]))
        handed_on = [*columns, ROW_ID] if with_row_id else list(columns)
        after = None
        while True:
            condition = sql.all_of(where, after)
            page = await ask(
                Query(spec, asked, self.page_rows, condition, order_by=spec.key, with_row_id=with_row_id)
            )
            is_last = page.num_rows < self.page_rows
            if not is_last:
                page, after = _split_off_last_key(page, spec.key)
            yield page.select(handed_on)
            if is_last:
                return

    async def _answer(self, query: Query) -> pa.Table:
        async with self._database.using(query.table, f"reading {query.table.name}") as table:
            return await self._built(table, query).to_arrow()

    def _built(self, table: Any, query: Query) -> Any:
        built = table.query().select(list(query.columns)).limit(query.limit)
        if query.where:
            built = built.where(query.where)
        if query.order_by:
            built = built.order_by([self._database.ordering(query.order_by, descending=query.descending)])
        return built.with_row_id() if query.with_row_id else built

    async def _first_day(self, where: str | None) -> date | None:
        query = Query(STATS, STATS.columns, 1, where, order_by="period_end")
        found = STATS.from_arrow(await self._answer(query))
        return found[0].period_end if found else None

    async def _leases(self, resource: str) -> list[Lease]:
        return await self._rows(LEASES, sql.equals("resource", resource))

    async def _version(self, spec: AnyTable) -> int:
        try:
            async with self._database.using(spec, f"asking for the version of {spec.name}") as table:
                return int(await table.version())
        except StorageNotBootstrapped:
            if spec is not RUN_OUTCOMES:  # which a database of an older version lacks
                raise
            return 0

    async def _duplicate_keys(self, spec: AnyTable) -> AsyncIterator[str]:
        """Yield keys that stand twice; `stats` some metrics at a time, to hold only their keys."""
        for condition in await self._parts(spec):
            counted = Counter([key async for key in self._strings(spec, spec.key, condition)])
            for key, count in counted.items():
                if count > 1:
                    yield key

    async def _parts(self, spec: AnyTable) -> list[str | None]:
        """Return conditions that together cover the table, and share no key."""
        if spec.name != STATS.name:
            return [None]
        ids = sorted({metric_id async for metric_id in self._strings(spec, "metric_id", None)})
        return [
            sql.one_of("metric_id", ids[start : start + _METRICS_AT_ONCE])
            for start in range(0, len(ids), _METRICS_AT_ONCE)
        ]

    async def _strings(self, spec: AnyTable, column: str, where: str | None) -> AsyncIterator[str]:
        async for batch in self.scan(spec.name, columns=[column], where=where):
            for value in batch.column(column).to_pylist():
                yield value

    async def _paged_batches(
        self, spec: AnyTable, columns: Sequence[str], where: str | None
    ) -> AsyncIterator[pa.RecordBatch]:
        async with self._database.using(spec, f"reading {spec.name}") as table:
            # a handle of its own: the shared one has to go on seeing what is written
            connection = await self._database.connection()
            pinned = await connection.open_table(spec.name)
            await pinned.checkout(await table.version())

            async def ask(query: Query) -> pa.Table:
                return await self._built(pinned, query).to_arrow()

            async for page in self._pages(spec, columns, where, ask=ask):
                for batch in page.to_batches():
                    yield batch

    async def _streamed_batches(
        self, spec: AnyTable, columns: Sequence[str], where: str | None
    ) -> AsyncIterator[pa.RecordBatch]:
        async with self._database.using(spec, f"reading {spec.name}") as table:
            query = self._built(table, Query(spec, columns, EVERY_ROW, where))
            async for batch in await query.to_batches(max_batch_length=self.page_rows):
                yield batch


def _split_off_last_key(page: pa.Table, key: str) -> tuple[pa.Table, str]:
    """Return the page without its last key, and the condition that goes on with that key."""
    keys = page.column(key).to_pylist()
    complete = keys.index(keys[-1])
    if complete == 0:  # a page of copies of one key: take them and go on behind it
        return page, f"{key} > {sql.literal(keys[-1])}"
    return page.slice(0, complete), f"{key} >= {sql.literal(keys[-1])}"

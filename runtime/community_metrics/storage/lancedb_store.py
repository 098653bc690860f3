"""Writing: one atomic merge for each table and run, alike in a folder, a bucket and LanceDB Enterprise."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from community_metrics.errors import RunLocked, StorageError, StorageNotBootstrapped
from community_metrics.model import DistinctRows, Lease, StoredTrafficSet, UpsertCounts
from community_metrics.storage import leases, merge, sql
from community_metrics.storage.errors import translate_errors
from community_metrics.storage.maintenance import chunks
from community_metrics.storage.past import Past
from community_metrics.storage.reader import DATABASE
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
    TABLES,
    TRAFFIC_ITEMS,
    WITNESS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime, timedelta

    from community_metrics.model import (
        Event,
        LastRead,
        MetricDefinition,
        Observation,
        Provenance,
        RawAnswers,
        Run,
        RunOutcome,
        StoredDelivery,
        StoredDigest,
        TrafficSet,
        ValueKind,
        WitnessedDay,
    )
    from community_metrics.storage.maintenance import Renew
    from community_metrics.storage.merge import MergePlan
    from community_metrics.storage.schemas import Row, TableSpec

_TRIES_OF_A_LEASE: Final = 5
_RANGES_OF_ONE_READ: Final = 50
_EVENTS_OF_ONE_READ: Final = 500


class LanceDBStore(Past):
    """Reads and writes one database. One store writes at a time: take the lease first."""

    async def create_tables(self) -> None:
        """Create the folder and the tables that do not exist yet; a second call changes nothing.

        Raises:
            StorageUnavailable: the folder cannot be created or written to.
            StorageSchemaMismatch: a table has other columns.
        """
        connection = await self._database.connection(may_create=True)
        present = await self._table_names()
        for spec in TABLES:
            if spec.name not in present:
                with translate_errors(self._database.target, f"creating the table {spec.name}"):
                    # exist_ok: another process may have created it since the listing
                    await connection.create_table(spec.name, schema=spec.schema, exist_ok=True)
            await self._database.table(spec)

    async def extend_tables(self) -> None:
        """Add the nullable columns that tables of an earlier version lack; the caller holds the lease."""
        for spec in TABLES:
            if await self._is_absent(spec):  # creating it is for a job
                continue
            table = await self._database.table(spec)
            if table.missing:
                names = ", ".join(table.missing)
                with translate_errors(self._database.target, f"adding {names} to the table {spec.name}"):
                    await table.handle.add_columns(pa.schema(table.missing))

    async def drop_tables(self, *, renew: Renew) -> None:
        """Delete our tables and all their rows; other tables and the lease stay.

        `renew` renews the caller's lease before each table is dropped; if it raises, that table stays.
        """
        connection = await self._database.connection()
        present = await self._table_names()
        for spec in TABLES:
            if spec.name in present and spec is not LEASES:
                await renew()
                with translate_errors(self._database.target, f"dropping the table {spec.name}"):
                    await connection.drop_table(spec.name)
        self._database.forget_tables()

    async def upsert_metrics(self, definitions: Sequence[MetricDefinition]) -> UpsertCounts:
        """Write the definitions that are new or changed; a known metric keeps its `created_at`."""
        stored = {metric.metric_id: metric for metric in await self.metrics()}
        known = [
            replace(metric, created_at=stored[metric.metric_id].created_at)
            for metric in definitions
            if metric.metric_id in stored
        ]
        new = [metric for metric in definitions if metric.metric_id not in stored]
        changed = [metric for metric in known if metric != stored[metric.metric_id]]
        await self._merge(METRICS, [*new, *changed])
        return UpsertCounts(len(new), len(changed), len(known) - len(changed))

    async def plan_observations(
        self, observations: Sequence[Observation], *, provenance: Provenance, run_id: str, now: datetime
    ) -> MergePlan:
        """Return what `upsert_observations` would do now, row by row, without writing.

        Raises:
            StorageConflict: the batch holds one key twice.
        """
        parts = chunks(_touched_ranges(observations), _RANGES_OF_ONE_READ)
        rows = [row for part in parts for row in await self._rows(STATS, sql.any_of(part))]
        existing = {row.stat_key: row for row in DistinctRows.of(rows).rows}
        kinds = await self._kinds()
        return merge.plan(existing, observations, provenance=provenance, run_id=run_id, now=now, kinds=kinds)

    async def _kinds(self) -> dict[str, ValueKind]:
        """Return the kind of each stored metric; none while their table does not exist, as in a dry run."""
        try:
            return {metric.metric_id: metric.value_kind for metric in await self.metrics()}
        except StorageNotBootstrapped:
            return {}

    async def upsert_observations(
        self, observations: Sequence[Observation], *, provenance: Provenance, run_id: str, now: datetime
    ) -> UpsertCounts:
        """Update `stats` by the rules of `merge`, in one atomic merge; equal rows are not written.

        Either all rows are visible afterwards or none is, and writing the same again changes nothing.

        Raises:
            StorageConflict: the batch holds one key twice; nothing is written.
        """
        planned = await self.plan_observations(observations, provenance=provenance, run_id=run_id, now=now)
        return await self.write_plan(planned)

    async def write_plan(self, planned: MergePlan) -> UpsertCounts:
        """Write the rows of a plan exactly as they are, in one atomic merge."""
        await self._merge(STATS, planned.written)
        if planned.written:
            await self._index(STATS)
        return planned.counts

    async def record_answers(self, answers: Sequence[RawAnswers]) -> None:
        """Write what sources answered, in one atomic merge, or replace it."""
        await self._merge(RAW_ANSWERS, answers)

    async def upsert_traffic(self, sets: Sequence[TrafficSet], *, run_id: str) -> UpsertCounts:
        """Write each set as the one of its metric and day, in one atomic merge; an equal one is not written.

        A set replaces all that was stored of its day, unless that was observed later.
        """
        if not sets:
            return UpsertCounts()
        rows = {one.item_key: StoredTrafficSet(**asdict(one), ingestion_run_id=run_id) for one in sets}
        same_keys = sql.one_of(TRAFFIC_ITEMS.key, rows)
        stored = {row.item_key: row for row in await self._rows(TRAFFIC_ITEMS, same_keys)}
        new = [row for key, row in rows.items() if key not in stored]
        changed = [rows[key] for key, row in stored.items() if merge.replaces_set(rows[key], row)]
        await self.write_traffic([*new, *changed])
        return UpsertCounts(len(new), len(changed), len(rows) - len(new) - len(changed))

    async def write_traffic(self, rows: Sequence[StoredTrafficSet]) -> None:
        """Write the lists of places exactly as they are, in one atomic merge."""
        await self._merge(TRAFFIC_ITEMS, rows)

    async def upsert_events(self, events: Sequence[Event]) -> UpsertCounts:
        """Write the events that are new or whose origin changed them, in one atomic merge.

        A known event keeps when and by which run it was recorded, and that it was removed.
        """
        if not events:
            return UpsertCounts()
        given = {event.event_id: event for event in events}
        parts = chunks(list(given), _EVENTS_OF_ONE_READ)
        known = [row for part in parts for row in await self.events(event_ids=part, with_removed=True)]
        stored = {event.event_id: event for event in known}
        new = [event for key, event in given.items() if key not in stored]
        current = [replace(given[key], **_kept(event)) for key, event in stored.items()]
        changed = [event for event in current if event != stored[event.event_id]]
        await self.write_events([*new, *changed])
        return UpsertCounts(len(new), len(changed), len(stored) - len(changed))

    async def write_events(self, events: Sequence[Event]) -> None:
        """Write the events exactly as they are, in one atomic merge."""
        await self._merge(EVENTS, events)

    async def write_digest(self, digest: StoredDigest) -> None:
        """Write a digest, unless one with its id is stored: that one is kept as it is."""
        await self._merge(DIGESTS, [digest], only_where="FALSE")

    async def record_delivery(self, delivery: StoredDelivery) -> None:
        """Write how far a delivery has come, in place of what was stored of it."""
        await self._merge(DELIVERIES, [delivery])

    async def record_witnessed(self, days: Sequence[WitnessedDay]) -> None:
        """Write what witnesses counted, in one atomic merge, in place of what was seen of the same days."""
        await self._merge(WITNESS, days)

    async def record_run(self, run: Run) -> None:
        """Write the run's row in `history`, or replace it."""
        await self._merge(HISTORY, [run])

    async def insert_runs(self, runs: Sequence[Run]) -> None:
        """Write runs in one atomic merge; one whose id is stored is kept as it is."""
        await self._merge(HISTORY, runs, only_where="FALSE")

    async def write_metrics(self, definitions: Sequence[MetricDefinition]) -> None:
        """Write definitions exactly as they are, `created_at` too, in one atomic merge."""
        await self._merge(METRICS, definitions)

    async def record_outcomes(self, outcomes: Sequence[RunOutcome]) -> None:
        """Write one row for each metric of a run, in one atomic merge, or replace it."""
        await self._merge(RUN_OUTCOMES, outcomes)

    async def record_reads(self, reads: Sequence[LastRead]) -> None:
        """Write when metrics were last read, in one atomic merge, in place of what was stored of them."""
        await self._merge(LAST_READS, reads)

    async def acquire_lease(
        self,
        run_id: str,
        host: str,
        pid: int,
        now: datetime,
        ttl: timedelta,
        *,
        known_dead_run_id: str | None = None,
    ) -> Lease:
        """Take the database for `ttl`, if no run holds it or its holder is the run known to be dead.

        The lease is held when its own row is stored. A holder may release it between the merge, which then
        wrote nothing, and the read, which then finds no holder: the lease is free for the next try.
        A call that fails or is cancelled releases the lease that it may have taken.

        Raises:
            RunLocked: another run holds it; the message names that run and the fix.
        """
        lease = Lease(DATABASE, run_id, host, pid, now, now + ttl)
        condition = leases.may_be_taken(run_id, now, known_dead_run_id)
        for _ in range(_TRIES_OF_A_LEASE):
            stored = await self._leases_after(lease, condition, now)
            is_held, holder = leases.is_held(stored, run_id, now), leases.rival(stored, run_id, now)
            if holder is not None:
                if is_held:  # a server inserted both rows
                    await self.release_lease(lease, now)
                raise leases.locked(holder, await self.run(holder.run_id))
            if is_held:
                return lease
        raise RunLocked(
            f"Run {run_id} did not get the database: other runs took and released it during each of "
            f"{_TRIES_OF_A_LEASE} tries. Fix: run the command again."
        )

    async def _leases_after(self, lease: Lease, condition: str, now: datetime) -> list[Lease]:
        """Store the lease if the condition allows it; return the leases stored then."""
        taking = asyncio.ensure_future(self._merge(LEASES, [lease], only_where=condition))
        try:
            await asyncio.shield(taking)
            return await self._leases(DATABASE)
        except BaseException:  # whatever ends it, nobody knows of this lease
            await asyncio.wait([taking])  # a write under way cannot be cancelled
            with suppress(StorageError):  # it expires by itself
                await self.release_lease(lease, now)
            raise

    async def renew_lease(self, lease: Lease, now: datetime, ttl: timedelta) -> Lease:
        """Keep the database for another `ttl` from now.

        Raises:
            LeaseLost: the own row is no longer stored, or it was released.
        """
        renewed = replace(lease, heartbeat_at=now, expires_at=now + ttl)
        is_not_released = f"target.expires_at > {sql.literal(leases.RELEASED)}"
        condition = sql.all_of(sql.equals("target.run_id", lease.run_id), is_not_released)
        await self._merge(LEASES, [renewed], only_where=condition, may_insert=False)
        stored = await self._leases(lease.resource)
        if leases.is_held(stored, lease.run_id, now):
            return renewed
        raise leases.lost(lease, stored, now)

    async def release_lease(self, lease: Lease, now: datetime) -> None:
        """Release the database; without effect if another run has taken it.

        The lease then expires in 1970, so that a machine whose clock is behind does not wait for it.
        """
        ended = replace(lease, heartbeat_at=now, expires_at=leases.RELEASED)
        is_own = sql.equals("target.run_id", lease.run_id)
        await self._merge(LEASES, [ended], only_where=is_own, may_insert=False)

    async def _merge(
        self,
        spec: TableSpec[Row],
        rows: Sequence[Row],
        *,
        only_where: str | None = None,
        may_insert: bool = True,
    ) -> None:
        """Write the rows by the table's key in one atomic merge; without rows there is no new version."""
        if not rows:
            return
        async with self._database.using(spec, f"writing {len(rows)} rows to {spec.name}") as table:
            # no index: through an index on the key two writers could insert it twice (lancedb 0.40)
            builder = table.handle.merge_insert(spec.key).use_index(False)
            builder = builder.when_matched_update_all(where=only_where)
            if may_insert:
                builder = builder.when_not_matched_insert_all()
            await builder.execute(spec.to_arrow(rows))

    async def _table_names(self) -> set[str]:
        """Return the names of all tables; the service lists them in pages."""
        connection = await self._database.connection()
        with translate_errors(self._database.target, "listing the tables"):
            page = await connection.list_tables()
            names = set(page.tables)
            while page.page_token:
                page = await connection.list_tables(page_token=page.page_token)
                names.update(page.tables)
        return names


def _kept(event: Event) -> dict[str, Any]:
    """Return what a stored event keeps when its origin states it again."""
    names = ("recorded_at", "ingestion_run_id", "removed_at", "removed_by")
    return {name: getattr(event, name) for name in names}


def _touched_ranges(observations: Iterable[Observation]) -> list[str]:
    """Return one condition for each range of days, with all metrics that the batch has in that range."""
    days: defaultdict[str, list[date]] = defaultdict(list)
    for observation in observations:
        days[observation.metric_id].append(observation.period_end)
    metrics: defaultdict[tuple[date, date], list[str]] = defaultdict(list)
    for metric_id, ends in days.items():
        metrics[min(ends), max(ends)].append(metric_id)
    return [
        f"{sql.one_of('metric_id', ids)} AND {sql.between('period_end', first, last)}"
        for (first, last), ids in sorted(metrics.items())
    ]

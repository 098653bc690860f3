"""Taking back what one run wrote: its rows get the values of before, from kept versions or from a backup.

Values and lists of places are taken back, and when the metrics were read, so that the next run reads them
again. The run stays in `history`, and so do its outcomes, its kept answers, the events that it read, and the
definitions of metrics: they say what happened. No later run continues it, and none takes the metrics as read
that a run in between read.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from community_metrics.backup.manifest import backup_ids, made_at
from community_metrics.backup.place import place_beside
from community_metrics.backup.reading import fetched, read_manifest
from community_metrics.clock import SystemClock
from community_metrics.errors import BackupError, StorageSchemaMismatch, UndoRefused
from community_metrics.model import UNDO_JOB, OutcomeStatus, Run, RunStatus, ValueKind
from community_metrics.runs.lock import database_lease
from community_metrics.runs.short import short_run_id
from community_metrics.storage import LanceDBStore
from community_metrics.storage.past import has_rows_of, rows_with_keys_of
from community_metrics.storage.schemas import HISTORY, WRITTEN_BY_RUNS, table_named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.backup.manifest import Manifest
    from community_metrics.backup.place import Place
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.runs.lock import LeaseHolder
    from community_metrics.storage.past import Rows


@dataclass(frozen=True, slots=True)
class UndoReport:
    """How many rows have the values of before again, how many are gone, and where the values were."""

    restored: int
    deleted: int
    origin: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """By table, the rows that the run wrote last and those that their keys had before."""

    run: Run
    written: Mapping[str, Rows]
    before: Mapping[str, Rows]
    origin: str

    @property
    def report(self) -> UndoReport:
        restored = sum(rows.num_rows for rows in self.before.values())
        return UndoReport(
            restored, sum(rows.num_rows for rows in self.written.values()) - restored, self.origin
        )


async def undo(
    settings: Settings,
    run_id: str,
    *,
    dry_run: bool = False,
    clock: Clock | None = None,
    store_type: type[LanceDBStore] = LanceDBStore,
) -> UndoReport:
    """Give every row that the run wrote its value of before, and delete those that it inserted.

    The values of before are those of the newest kept version of each table from before the run, else of the
    newest backup from before it. One that was killed is continued by the next.

    Raises:
        UndoRefused: later runs wrote values of the same days or counters, the run wrote none, or the values
            of before are not known; nothing was changed.
        RunLocked: a run holds the database; nothing was changed.
        LeaseLost: another run took the database over; nothing was written after that.
        StorageError: a LanceDB operation failed.
    """
    clock = clock or SystemClock()
    own_id = short_run_id(UNDO_JOB, clock)
    async with store_type.open(settings) as store:
        await store.lease()  # raises where there is no database: the lock would create its folder
        async with database_lease(store, settings, own_id, clock) as holder:
            plan = await _planned(store, settings, run_id)
            if not dry_run:
                await store.extend_tables()
                run = Run(own_id, UNDO_JOB, clock.now(), scope=run_id)
                await _recorded(store, holder, plan, run, clock)
            return plan.report


async def _recorded(store: LanceDBStore, holder: LeaseHolder, plan: _Plan, run: Run, clock: Clock) -> None:
    await store.record_run(run)
    status, changed = RunStatus.FAILED, 0
    try:
        await holder.renew()
        # first: once all values are back, there is no undo that a next one continues
        await store.forget_reads(plan.run, _metrics_of(plan.written))
        for table, rows in plan.before.items():
            await holder.renew()
            changed += await store.put_back(table, str(run.scope), rows)
        status = RunStatus.SUCCESS
    finally:
        if holder.lost is None:
            await store.record_run(replace(run, finished_at=clock.now(), status=status, rows_updated=changed))


async def _planned(store: LanceDBStore, settings: Settings, run_id: str) -> _Plan:
    run = await store.run(run_id)
    if run is None:
        raise UndoRefused(f"No run {run_id!r} is stored. Fix: choose one of `community-metrics history`.")
    written = {spec.name: await store.rows_of_run(spec.name, run_id) for spec in WRITTEN_BY_RUNS}
    written = {name: rows for name, rows in written.items() if rows.num_rows}
    if not written:
        raise UndoRefused(
            f"No stored value is of the run {run_id}: it wrote none, later runs replaced them, or they were "
            "taken back. Nothing was changed."
        )
    history = {name: one for name, one in (await store.all_runs()).items() if one.loaded_by is None}
    await _require_last(store, run, written, history)
    kept = {
        name: await store.rows_before_run(name, run, rows.column(table_named(name).key), history)
        for name, rows in written.items()
    }
    before = {name: rows for name, rows in kept.items() if rows is not None}
    if len(before) == len(written):
        plan = _Plan(run, written, before, "the versions that the tables keep")
    else:
        plan = await _from_backup(settings, run, written, history)
    if any(has_rows_of(rows, run_id) for rows in plan.before.values()):  # they would be deleted
        raise _unknown(run, f"{plan.origin} has rows of the run itself")
    return plan


async def _require_last(
    store: LanceDBStore, run: Run, written: Mapping[str, Rows], history: Mapping[str, Run]
) -> None:
    """Raise UndoRefused if a later run may have replaced values of this run, or built on them."""
    metrics = await _last_days(store, run, written)
    others = {
        run_id
        for run_id, metric_id, first_day in await store.first_written_days(sorted(metrics))
        if run_id != run.ingestion_run_id and first_day <= metrics[metric_id]
    }
    later = sorted(
        (one for one in map(history.get, others) if one is not None and one.started_at > run.started_at),
        key=lambda one: one.started_at,
        reverse=True,
    )
    if later:
        names = [one.ingestion_run_id for one in later]
        raise UndoRefused(
            f"Later runs wrote values of the same metrics: {', '.join(names)}. Nothing was changed. Fix: "
            f"take these back first, the newest first: `community-metrics runs undo {names[0]}`.",
            names,
        )


async def _last_days(store: LanceDBStore, run: Run, written: Mapping[str, Rows]) -> dict[str, date]:
    """Return for each metric that the run wrote the last day of which a value of a later run matters.

    This is the last day that the run read, and no end where that day is not known. A counter has none either:
    whether it was reset is decided by the reading before.
    """
    outcomes = await store.outcomes([run.ingestion_run_id])
    days = {
        one.metric_id: one.last_day or date.max
        for one in outcomes
        if one.status is not OutcomeStatus.FAILED and one.observations
    }
    known = {one.metric_id: one.value_kind for one in await store.metrics()}
    return {
        name: date.max
        if run.finished_at is None or known.get(name) in {None, ValueKind.COUNTER}
        else days.get(name, date.max)
        for name in _metrics_of(written) | days.keys()
    }


def _metrics_of(written: Mapping[str, Rows]) -> set[str]:
    return {name for rows in written.values() for name in rows.column("metric_id").unique().to_pylist()}


async def _from_backup(
    settings: Settings, run: Run, written: Mapping[str, Rows], history: Mapping[str, Run]
) -> _Plan:
    """Return the plan with the rows of the newest backup from before the run.

    Raises:
        UndoRefused: there is none, it cannot be read, or runs wrote values between it and the run.
    """
    place = place_beside(settings)
    try:
        found = await _newest_before(place, settings.storage_location, run, tuple(written), history)
    except (BackupError, StorageSchemaMismatch) as error:
        raise _unknown(run, str(error)) from error
    if found is None:
        raise _unknown(run, f"{place} has no backup from before it with nothing but what this database had")
    manifest, rows = found
    _require_nothing_between(run, rows[HISTORY.name], history, manifest)
    before = {name: rows_with_keys_of(rows[name], written[name], table_named(name)) for name in written}
    return _Plan(run, written, before, f"the backup {place}/{manifest.backup_id}")


async def _newest_before(
    place: Place, database: str, run: Run, tables: tuple[str, ...], history: Mapping[str, Run]
) -> tuple[Manifest, dict[str, Rows]] | None:
    """Return the newest backup of what the database had before the run: its rows of `history` and the tables.

    The id of a backup says when it was begun. Its tables may have been read later, while the run wrote. It
    may have values of runs that this database has not, because an older backup was restored since.
    """
    ids = await asyncio.to_thread(lambda: backup_ids(place.keys()))
    for backup_id in reversed([one for one in ids if made_at(one) <= run.started_at]):
        manifest = await asyncio.to_thread(read_manifest, place, backup_id)
        if manifest.database != database:
            continue
        rows = await _rows_of(place, manifest, (*tables, HISTORY.name))
        # what an export told of other databases says nothing of the values
        own = [one for one in HISTORY.from_arrow(rows[HISTORY.name]) if one.loaded_by is None]
        runs = {one.ingestion_run_id for one in own}
        is_of_the_run = any(has_rows_of(of_table, run.ingestion_run_id) for of_table in rows.values())
        if not is_of_the_run and history.keys() >= runs:
            return manifest, rows
    return None


async def _rows_of(place: Place, manifest: Manifest, names: tuple[str, ...]) -> dict[str, Rows]:
    """Return the rows of some tables of a backup; none of a table that the program had not yet."""
    stored = {table.name: table for table in manifest.tables}
    with TemporaryDirectory(prefix="community-metrics-undo-") as folder:
        backup = await fetched(place, manifest, Path(folder))
        return {
            name: table_named(name).completed(backup.rows(stored[name]).read())
            if name in stored
            else table_named(name).schema.empty_table()
            for name in names
        }


def _require_nothing_between(run: Run, rows: Rows, history: Mapping[str, Run], manifest: Manifest) -> None:
    """Raise UndoRefused if a run from before this one wrote values that the backup does not have."""
    ended = {one.ingestion_run_id for one in HISTORY.from_arrow(rows) if one.finished_at is not None}
    between = [
        one.ingestion_run_id
        for one in history.values()
        if one.started_at < run.started_at
        and one.ingestion_run_id not in ended
        and (one.finished_at is None or one.rows_inserted + one.rows_updated)
    ]
    if between:
        raise _unknown(
            run,
            f"the newest backup from before it is {manifest.backup_id}, and these runs wrote values after "
            f"that: {', '.join(sorted(between))}",
        )


def _unknown(run: Run, reason: str) -> UndoRefused:
    return UndoRefused(
        f"The values from before the run {run.ingestion_run_id} are not known: the tables keep no version "
        f"from then, and {reason}. Nothing was changed. Fix: set CM_BACKUP_TARGET to where such a backup is, "
        "or restore one into a new database."
    )

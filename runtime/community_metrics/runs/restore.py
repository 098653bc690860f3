"""Restoring a backup as the only writer of a database; the drill that tries it; the move to another one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from community_metrics.backup.place import place_beside, place_of
from community_metrics.backup.reading import chosen_manifest, fetched, manifest_for, verify
from community_metrics.backup.restoring import restore_tables
from community_metrics.backup.unfinished import RESTORE
from community_metrics.backup.writing import back_up
from community_metrics.clock import SystemClock
from community_metrics.config import given_settings
from community_metrics.errors import BackupDamaged, ConfigurationError
from community_metrics.runs.lock import database_lease
from community_metrics.runs.short import short_run_id
from community_metrics.storage import LanceDBStore

if TYPE_CHECKING:
    from community_metrics.backup.manifest import Manifest
    from community_metrics.backup.place import Place
    from community_metrics.backup.reading import FetchedBackup
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.runs.lock import LeaseHolder

MOVE: Final = "move"
REPLACED: Final = "replaced"
"""The folder, in the place of backups, of what a restore or a reset deleted; no command looks into it."""


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """The backup whose rows a database now has; `note` says where the rows are that it had before."""

    manifest: Manifest
    database: str
    note: str | None = None


async def restore(
    settings: Settings,
    place: Place,
    backup_id: str | None = None,
    *,
    replaces: bool = False,
    clock: Clock | None = None,
    store_type: type[LanceDBStore] = LanceDBStore,
) -> RestoreReport:
    """Write a backup, if none is named the newest of this database, into an empty one, and compare all rows.

    A restore that was killed is continued by the next one. `replaces` first saves and deletes what is there.

    Raises:
        NoBackup: there is none, or none of this id.
        BackupDamaged: a file or a restored row is not what the backup says.
        RestoreRefused: there are other rows, or backups of several other databases; nothing was changed.
        RunLocked: a run holds the database; nothing was changed.
        LeaseLost: another run took the database over; nothing was written after that.
        StorageError: a LanceDB operation failed.
    """
    clock = clock or SystemClock()
    database = settings.storage_location
    manifest = await asyncio.to_thread(manifest_for, place, database, clock.now(), backup_id)
    with TemporaryDirectory(prefix="community-metrics-restore-") as folder:
        backup = await fetched(place, manifest, Path(folder))
        async with store_type.open(settings) as store:
            await store.create_tables()
            run_id = short_run_id(RESTORE, clock)
            async with database_lease(store, settings, run_id, clock) as holder:
                note = await _emptied(store, settings, holder, clock) if replaces else None
                await _written(store, backup, holder)
    return RestoreReport(manifest, database, note)


async def saved(settings: Settings, clock: Clock, place: Place | None = None) -> str:
    """Make a backup before the database is deleted, and return where it is, in words.

    Without a place it goes into the folder `replaced` of CM_BACKUP_TARGET, or beside the database: no rule
    removes it there. It has all files of its own, and is compared with its manifest where this process may
    read it.

    Raises:
        BackupDamaged: what was stored is not what was written.
        BackupUnavailable: the place cannot be written.
        StorageError: the database cannot be read.
    """
    place = place or place_of(settings, f"{place_beside(settings)}/{REPLACED}")
    only_writes = settings.backup_write_only
    report = await back_up(settings, place, write_only=only_writes, before_deletion=True, clock=clock)
    backup_id = report.manifest.backup_id
    if not only_writes or settings.backup_read_role is not None:
        await verify(place, backup_id)
    return f"What the database had is in the backup {report.place}/{backup_id}."


async def _emptied(store: LanceDBStore, settings: Settings, holder: LeaseHolder, clock: Clock) -> str:
    # apart: if this restore is killed, the next one must not take what it replaces for the newest backup
    note = await saved(settings, clock)
    await store.drop_tables(renew=holder.renew)
    await store.create_tables()
    return note


async def _written(store: LanceDBStore, backup: FetchedBackup, holder: LeaseHolder) -> None:
    await store.extend_tables()
    await restore_tables(store, backup, renew=holder.renew)
    await holder.renew()
    await store.rebuild_indexes()


async def drill(
    place: Place,
    backup_id: str | None = None,
    *,
    clock: Clock | None = None,
    store_type: type[LanceDBStore] = LanceDBStore,
) -> Manifest:
    """Restore a backup, the newest if none is named, into a scratch folder, and return its manifest.

    Every row is compared with the backup and with the rules of its table. The folder is removed.

    Raises:
        NoBackup: there is none, or none of this id.
        BackupDamaged: a file or a row is not what the backup says, or breaks a rule of its table.
        StorageError: a LanceDB operation failed.
    """
    now = (clock or SystemClock()).now()
    backup_id = (await asyncio.to_thread(chosen_manifest, place, now, backup_id)).backup_id
    with TemporaryDirectory(prefix="community-metrics-drill-") as folder:
        scratch = given_settings({"db_path": str(Path(folder, "drill.lancedb"))})
        report = await restore(scratch, place, backup_id, clock=clock, store_type=store_type)
        async with store_type.open(scratch) as store:
            broken = await store.violations()
    if broken:
        rules = "; ".join(f"{one.table}: {one.rule}: {one.count:,} rows" for one in broken)
        raise BackupDamaged(
            f"The backup {report.manifest.backup_id} can be restored, but its rows break rules: {rules}. "
            "Fix: run `community-metrics doctor` on the database, then make a new backup."
        )
    return report.manifest


async def move(
    source: Settings,
    target: Settings,
    *,
    clock: Clock | None = None,
    store_type: type[LanceDBStore] = LanceDBStore,
) -> RestoreReport:
    """Copy a database into an empty one of any mode, and compare all rows; the source stays as it is.

    No run can write to the source meanwhile.

    Raises:
        ConfigurationError: both are the same database.
        RestoreRefused: the target has other rows; nothing was changed.
        RunLocked: a run holds one of them; nothing was changed.
        StorageError: a LanceDB operation failed.
    """
    if source.storage_location == target.storage_location:
        raise ConfigurationError(f"{source.storage_location} is this database. Fix: name another one.")
    clock = clock or SystemClock()
    with TemporaryDirectory(prefix="community-metrics-move-") as folder:
        place = place_of(source, folder)
        async with store_type.open(source) as store:
            await store.lease()  # raises where there is no database: the lock would create its folder
            async with database_lease(store, source, short_run_id(MOVE, clock), clock):
                await back_up(source, place, keep_all=True, clock=clock)
                return await restore(target, place, clock=clock, store_type=store_type)

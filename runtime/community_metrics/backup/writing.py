"""Making a backup: each table into a Parquet file, the catalogue beside them, and the manifest last."""

from __future__ import annotations

import asyncio
import random
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from community_metrics.backup.manifest import (
    Manifest,
    StoredFile,
    StoredTable,
    columns_of,
    manifest_key,
)
from community_metrics.backup.reading import newest_manifest
from community_metrics.backup.removing import Removal, remove_old
from community_metrics.backup.unfinished import require_finished
from community_metrics.catalog import PACKAGED_CATALOG
from community_metrics.clock import SystemClock
from community_metrics.errors import BackupDamaged, ConfigurationError, StorageUnavailable
from community_metrics.parquet_files import write_parquet
from community_metrics.storage.whole import DATA_TABLES, open_whole

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from community_metrics.backup.place import Place
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.storage.schemas import AnyTable
    from community_metrics.storage.whole import WholeDatabase

CATALOG: Final = "catalog.toml"


@dataclass(frozen=True, slots=True)
class BackupReport:
    """The backup that was made, the tables whose file an earlier backup has, and what was removed."""

    place: str
    manifest: Manifest
    reused: tuple[str, ...]
    removal: Removal | None
    """None where nothing is removed: the place may only be written, or everything is kept."""


async def back_up(
    settings: Settings,
    place: Place,
    *,
    write_only: bool = False,
    keep_all: bool = False,
    before_deletion: bool = False,
    clock: Clock | None = None,
    rng: random.Random | None = None,
) -> BackupReport:
    """Store every table as it was at one instant, then remove the backups that the rule does not keep.

    `write_only` only puts files: it neither lists what is there, nor reuses or removes any. `keep_all`
    removes none. `before_deletion` takes a database in any state, removes none and stores every file anew. A
    kill leaves no manifest, so that what it stored is never taken for a backup.

    Raises:
        BackupRefused: a restore writes to the database, or is unfinished; nothing was stored.
        ConfigurationError: the catalogue cannot be read.
        StorageError: the database cannot be read.
        BackupUnavailable: the place cannot be read or written.
        BackupDamaged: another backup removed a file of this one meanwhile.
    """
    now = (clock or SystemClock()).now()
    suffix = (rng or random.Random()).getrandbits(32)  # noqa: S311  an id, not a secret
    backup_id = f"{now:%Y%m%dT%H%M%SZ}-{suffix:08x}"
    known = () if write_only or before_deletion else await asyncio.to_thread(place.keys)
    with TemporaryDirectory(prefix="community-metrics-backup-") as folder:
        reusable = await _reusable(place, known, now)
        writer = _Writer(place, Path(folder), backup_id, reusable, None if before_deletion else now)
        manifest = await _stored(settings, writer, now)
    keeps = write_only or keep_all or before_deletion
    removal = None if keeps else await asyncio.to_thread(remove_old, place, manifest, now)
    own = f"{backup_id}/"
    reused = tuple(table.name for table in manifest.tables if not table.file.key.startswith(own))
    return BackupReport(str(place), manifest, reused, removal)


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a database had at one instant."""

    first_run: str | None
    tables: tuple[StoredTable, ...]


async def _stored(settings: Settings, writer: _Writer, now: datetime) -> Manifest:
    """Store the tables, the catalogue, and last the manifest."""
    contents = await _stored_tables(settings, writer)
    manifest = Manifest(
        backup_id=writer.backup_id,
        made_at=now,
        program_version=version("community-metrics"),
        storage_mode=settings.storage_mode,
        database=settings.storage_location,
        first_run=contents.first_run,
        tables=contents.tables,
        catalog=await writer.stored(_catalog(settings, writer.folder), CATALOG),
    )
    return await asyncio.to_thread(_put_manifest, writer, manifest)


def _put_manifest(writer: _Writer, manifest: Manifest) -> Manifest:
    """Store the manifest, and return it as it was stored: with no file that was removed meanwhile."""
    whole = writer.with_removed_files(manifest)
    file = writer.folder / "manifest"
    file.write_text(whole.model_dump_json(indent=2) + "\n", encoding="utf-8")
    writer.place.put(manifest_key(whole.backup_id), file)
    return whole


async def _reusable(place: Place, known: Collection[str], now: datetime) -> dict[str, StoredFile]:
    """Return the files of the newest backup by their SHA-256; none where it cannot be read."""
    try:
        newest = await asyncio.to_thread(newest_manifest, place, known, now)
    except BackupDamaged:
        newest = None  # the new backup then has a file of its own for each table
    files = () if newest is None else newest.files
    return {file.sha256: file for file in files if file.key in known}


async def _stored_tables(settings: Settings, writer: _Writer) -> _Contents:
    try:
        async with open_whole(settings) as database:
            return await _tables_of(database, writer)
    except StorageUnavailable:
        # a job that began meanwhile may have removed files of the versions that are read: read newer ones
        async with open_whole(settings) as database:
            return await _tables_of(database, writer)


async def _tables_of(database: WholeDatabase, writer: _Writer) -> _Contents:
    if writer.checked_at is not None:
        require_finished(database, writer.checked_at)
    return _Contents(database.first_run, tuple([await writer.table(database, spec) for spec in DATA_TABLES]))


def _catalog(settings: Settings, folder: Path) -> Path:
    source, copy = settings.catalog or PACKAGED_CATALOG, folder / CATALOG
    try:
        shutil.copyfile(source, copy)
    except OSError as error:
        raise ConfigurationError(
            f"The catalogue {source} cannot be read: {error.strerror}. Fix: correct CM_CATALOG."
        ) from error
    return copy


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the files of one backup; `reusable` are those of the backup before it, by their SHA-256.

    `checked_at` is the instant at which no restore may be at work; None for a database in any state.
    """

    place: Place
    folder: Path
    backup_id: str
    reusable: dict[str, StoredFile]
    checked_at: datetime | None

    async def table(self, database: WholeDatabase, spec: AnyTable) -> StoredTable:
        """Store a table, and return its entry."""
        file = self.folder / f"{spec.name}.parquet"
        rows = await write_parquet(file, spec.schema, database.batches(spec))
        return StoredTable(
            name=spec.name,
            version=database.versions[spec.name],
            rows=rows,
            columns=columns_of(spec.schema),
            file=await self.stored(file, file.name),
        )

    async def stored(self, file: Path, name: str) -> StoredFile:
        """Store a file unless the backup before has the same, and return its entry."""
        entry = await asyncio.to_thread(StoredFile.of, file, f"{self.backup_id}/{name}")
        same = self.reusable.get(entry.sha256)
        # the stored file may have been damaged since: the manifest tells only what it was
        if same is not None and await asyncio.to_thread(self.place.holds, same):
            return same  # the written one stays in the folder, for `with_removed_files`
        await asyncio.to_thread(self._put, entry.key, file)
        return entry

    def with_removed_files(self, manifest: Manifest) -> Manifest:
        """Store again each reused file that another backup removed meanwhile, and return the manifest."""
        if not self.reusable:
            return manifest  # a place that may only be written is not listed
        present = set(self.place.keys())

        def present_file(file: StoredFile, name: str) -> StoredFile:
            if file.key in present:
                return file
            entry = file.model_copy(update={"key": f"{self.backup_id}/{name}"})
            self._put(entry.key, self.folder / name)
            return entry

        tables = tuple(
            one.model_copy(update={"file": present_file(one.file, f"{one.name}.parquet")})
            for one in manifest.tables
        )
        catalog = present_file(manifest.catalog, CATALOG)
        return manifest.model_copy(update={"tables": tables, "catalog": catalog})

    def _put(self, key: str, file: Path) -> None:
        self.place.put(key, file)
        file.unlink()  # the disk holds one table at a time, and those that are reused

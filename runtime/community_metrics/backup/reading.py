"""Reading a backup: its manifest, and its files after each was compared with it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pyarrow import ArrowException, parquet

from community_metrics.backup.manifest import (
    Manifest,
    StoredTable,
    backup_ids,
    columns_of,
    made_until,
    manifest_key,
    parsed_manifest,
    type_name,
)
from community_metrics.clock import SystemClock
from community_metrics.errors import BackupDamaged, NoBackup, RestoreRefused, StorageSchemaMismatch
from community_metrics.storage.schemas import TABLES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    import pyarrow as pa

    from community_metrics.backup.place import Place
    from community_metrics.clock import Clock


@dataclass(frozen=True, slots=True)
class FetchedBackup:
    """A backup whose files are on this machine and are what the manifest says."""

    manifest: Manifest
    files: Mapping[str, Path]
    """The Parquet file of each table."""

    def rows(self, table: StoredTable) -> parquet.ParquetFile:
        """Return the opened file of a table."""
        return parquet.ParquetFile(self.files[table.name])


def newest_manifest(place: Place, keys: Collection[str], now: datetime) -> Manifest | None:
    """Return the manifest of the newest backup until now among the keys; None if there is none.

    Raises:
        BackupDamaged: it cannot be read by this version.
        BackupUnavailable: the place cannot be read.
    """
    stored = made_until(backup_ids(keys), now)
    return read_manifest(place, stored[-1]) if stored else None


def read_manifest(place: Place, backup_id: str) -> Manifest:
    """Return the manifest of a backup.

    Raises:
        BackupDamaged: it is missing, or cannot be read by this version.
        BackupUnavailable: the place cannot be read.
    """
    key = manifest_key(backup_id)
    with TemporaryDirectory(prefix="community-metrics-backup-") as folder:
        file = Path(folder, "manifest")
        place.fetch(key, file)
        manifest = parsed_manifest(file.read_bytes(), f"{place}/{key}")
    if manifest.backup_id != backup_id:
        raise BackupDamaged(
            f"{place}/{key} is the manifest of {manifest.backup_id}. Fix: choose another with --backup ID."
        )
    return manifest


def chosen_manifest(place: Place, now: datetime, backup_id: str | None = None) -> Manifest:
    """Return the manifest of the backup with this id, else of the newest until now.

    Raises:
        NoBackup: there is none, none of this id, or none but of the future.
        BackupDamaged: it cannot be read by this version.
        BackupUnavailable: the place cannot be read.
    """
    keys = place.keys()
    stored = backup_ids(keys)
    if not stored:
        raise NoBackup(f"{place} has no complete backup. Fix: make one with `community-metrics backup`.")
    if backup_id is not None and backup_id not in stored:
        raise NoBackup(
            f"{place} has no complete backup {backup_id!r}. Fix: choose one of {', '.join(stored[::-1])}."
        )
    if backup_id is not None:
        return read_manifest(place, backup_id)
    past = made_until(stored, now)
    if not past:
        raise NoBackup(
            f"{place} has only backups of the future: {', '.join(stored[::-1])}. It is "
            f"{now:%Y-%m-%d %H:%M} UTC here. Fix: correct this machine's clock, or if another one was ahead, "
            "choose one with --backup ID."
        )
    return read_manifest(place, past[-1])


def manifest_for(place: Place, database: str, now: datetime, backup_id: str | None = None) -> Manifest:
    """Return the manifest of the backup with this id, else of the newest of a database until now.

    Where no backup is of a database of this name, the newest is taken if all are of one other.

    Raises:
        NoBackup: there is none, or none of this id.
        RestoreRefused: several databases have this name, or none has and there are several others.
        BackupDamaged: the newest cannot be read by this version.
        BackupUnavailable: the place cannot be read.
    """
    newest = chosen_manifest(place, now, backup_id)
    if backup_id is not None:
        return newest
    found = _newest_of_each(place, newest, now)
    named = [one for one in found if one.database == database]
    choice = named or found
    # a manifest of an earlier version does not tell its first run: the name alone decides
    origins = {one.origin for one in choice if one.first_run is not None}
    if len(origins) > 1 or len({one.database for one in choice}) > 1:
        which = f"that all have the name {database}" if named else f"and none of {database}"
        names = ", ".join(f"{one.backup_id} ({one.database}, first run {one.first_run})" for one in choice)
        raise RestoreRefused(
            f"{place} has backups of several databases, {which}. The newest of each: {names}. Nothing was "
            "changed. Fix: choose one with --backup ID."
        )
    return choice[0]


def _newest_of_each(place: Place, newest: Manifest, now: datetime) -> list[Manifest]:
    """Return the newest manifest of each database, the newest first."""
    found = {newest.origin: newest}
    for one in reversed(made_until(backup_ids(place.keys()), now)):
        with suppress(BackupDamaged):  # it is not taken, and may be of an earlier format
            manifest = read_manifest(place, one)
            found.setdefault(manifest.origin, manifest)
    return list(found.values())


async def fetched(place: Place, manifest: Manifest, folder: Path) -> FetchedBackup:
    """Return the backup after every file was copied to the folder and compared with the manifest.

    Raises:
        BackupDamaged: a file is missing, is another, or has other rows or columns.
        StorageSchemaMismatch: this version has other tables or columns.
        BackupUnavailable: the place cannot be read.
    """
    require_known(manifest)
    for file in (manifest.catalog, *(table.file for table in manifest.tables)):
        await asyncio.to_thread(_fetch, place, manifest, file.key, folder)
    found = FetchedBackup(manifest, {table.name: _path(folder, table.file.key) for table in manifest.tables})
    for table in manifest.tables:
        _require_same_table(found, table)
    return found


async def verify(place: Place, backup_id: str | None = None, *, clock: Clock | None = None) -> Manifest:
    """Compare every file of a backup with its manifest, without a database, and return the manifest.

    Raises:
        NoBackup: there is none, or none of this id.
        BackupDamaged: a file is missing, is another, or has other rows or columns.
        StorageSchemaMismatch: this version has other tables or columns.
        BackupUnavailable: the place cannot be read.
    """
    now = (clock or SystemClock()).now()
    manifest = await asyncio.to_thread(chosen_manifest, place, now, backup_id)
    with TemporaryDirectory(prefix="community-metrics-backup-") as folder:
        await fetched(place, manifest, Path(folder))
    return manifest


def require_known(manifest: Manifest) -> None:
    """Raise StorageSchemaMismatch if this version has other tables or columns than the backup."""
    specs = {spec.name: spec for spec in TABLES}
    problems = [f"the table {one.name} is unknown" for one in manifest.tables if one.name not in specs]
    for table in manifest.tables:
        if table.name in specs:
            problems += [f"{table.name}: {text}" for text in _other_columns(table, specs[table.name].schema)]
    if problems:
        raise StorageSchemaMismatch(
            f"The backup {manifest.backup_id} is of version {manifest.program_version} and does not have "
            f"the tables of this version: {'; '.join(problems)}. "
            "Fix: install that version, restore, then upgrade."
        )


def _other_columns(table: StoredTable, schema: pa.Schema) -> list[str]:
    types = {column.name: column.type for column in table.columns}
    own = {column.name: column for column in schema}
    lacking = [f"{name} is missing" for name, one in own.items() if name not in types and not one.nullable]
    unknown = [f"{name} is unknown" for name in types if name not in own]
    other = [
        f"{name} is {types[name]}, not {type_name(one.type)}"
        for name, one in own.items()
        if name in types and types[name] != type_name(one.type)
    ]
    return [*lacking, *unknown, *other]


def _fetch(place: Place, manifest: Manifest, key: str, folder: Path) -> None:
    path = _path(folder, key)
    place.fetch(key, path)
    (entry,) = {file for file in manifest.files if file.key == key}
    entry.require_same(path)


def _path(folder: Path, key: str) -> Path:
    return folder / key.replace("/", "-")


def _require_same_table(backup: FetchedBackup, table: StoredTable) -> None:
    try:
        with backup.rows(table) as file:
            rows, columns = file.metadata.num_rows, columns_of(file.schema_arrow)
    except (ArrowException, OSError) as error:
        raise BackupDamaged(
            f"The file {table.file.key} is no Parquet file: {error}. Fix: choose another backup with "
            "--backup ID."
        ) from error
    if (rows, columns) != (table.rows, table.columns):
        raise BackupDamaged(
            f"The file {table.file.key} has {rows:,} rows and {len(columns)} columns, and the manifest says "
            f"{table.rows:,} and {len(table.columns)}. Fix: choose another backup with --backup ID."
        )

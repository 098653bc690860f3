"""Removal of the backups of one database that the rule does not keep; a file that another refers to stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.backup.keeping import UNFINISHED_FOR, in_use, kept
from community_metrics.backup.manifest import backup_ids, folder_of, made_at, manifest_key
from community_metrics.backup.reading import read_manifest
from community_metrics.errors import BackupDamaged
from community_metrics.text import counted

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.backup.manifest import Manifest
    from community_metrics.backup.place import Place


@dataclass(frozen=True, slots=True)
class Removal:
    """The backups that were removed, or why none was; `warning` says that rows may have been lost."""

    removed: tuple[str, ...] = ()
    problem: str | None = None
    warning: str | None = None


def remove_old(place: Place, newest: Manifest, now: datetime) -> Removal:
    """Remove the backups of the same database that the rule does not keep, and what killed backups left.

    A manifest goes before its files, so that a kill leaves files without a manifest, which the next removal
    finds, and never a manifest without its files. Nothing goes where a manifest cannot be read, since its
    database and its files are unknown. A backup that another one may be reusing files of stays with them:
    no check before the manifest is written could see a removal that comes after the check. One with more rows
    of `stats` than the newest stays too: they may have been lost since, and are then nowhere else.

    Raises:
        BackupDamaged: a file that the newest backup refers to was removed meanwhile.
        BackupUnavailable: the place cannot be listed or written.
    """
    keys = place.keys()
    if missing := {file.key for file in newest.files}.difference(keys):
        raise BackupDamaged(
            f"The backup {place}/{newest.backup_id} lacks {', '.join(sorted(missing))}, which another backup "
            "removed meanwhile. Fix: make a backup again, one at a time."
        )
    stored = backup_ids(keys)
    try:
        manifests = [newest, *(read_manifest(place, one) for one in stored if one != newest.backup_id)]
    except BackupDamaged as error:
        return Removal(problem=f"Nothing was removed, because a backup cannot be read: {error}")
    own = {one.backup_id for one in manifests if one.origin == newest.origin}
    richer = [one for one in manifests if one.backup_id in own and one.values > newest.values]
    keeps = set(stored) - own | kept(own) | in_use(stored, now) | {newest.backup_id}
    keeps |= {one.backup_id for one in richer}
    needed = {file.key for one in manifests if one.backup_id in keeps for file in one.files}
    needed |= {manifest_key(backup_id) for backup_id in keeps}
    gone = [backup_id for backup_id in stored if backup_id not in keeps]
    present = [*keys, *place.unfinished()]
    files = [key for key in present if key not in needed and _may_go(key, keeps, set(stored), now)]
    manifests_first = sorted(files, key=lambda key: key not in {manifest_key(one) for one in gone})
    place.remove(manifests_first)
    return Removal(tuple(gone), warning=_warning(richer, newest))


def _warning(richer: list[Manifest], newest: Manifest) -> str | None:
    if not richer:
        return None
    last = max(richer, key=lambda one: one.backup_id)
    return (
        f"This backup has {counted(newest.values, 'row')} of stats, and {last.backup_id} has "
        f"{last.values:,}. Backups that have more stay. Fix: if rows were lost, restore one of them: "
        f"`community-metrics restore --replace --backup {last.backup_id}`."
    )


def _may_go(key: str, keeps: set[str], stored: set[str], now: datetime) -> bool:
    folder = folder_of(key)
    if folder is None or folder in keeps:
        return False
    return folder in stored or made_at(folder) < now - UNFINISHED_FOR

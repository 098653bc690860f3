"""Restores the database of a run of the action, and keeps it: history is never begun anew by mistake."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from community_metrics.backup.manifest import backup_ids
from community_metrics.backup.place import place_of
from community_metrics.backup.reading import verify
from community_metrics.backup.writing import back_up
from community_metrics.errors import ConfigurationError, NoBackup
from community_metrics.model import Visibility
from community_metrics.runs.restore import restore

if TYPE_CHECKING:
    from pathlib import Path

    from community_metrics.action.stores import Store
    from community_metrics.catalog import Catalog
    from community_metrics.config import Settings

_RESTORED: Final = "restored"
"""A file of the work folder: without it nothing is kept, since the database would lack the history."""


def require_nothing_of_the_team(store: str, catalog: Catalog) -> None:
    """Raise where everybody who can read the repository could read the metrics of the team in its store.

    A backup has every table, also what the site leaves out.

    Raises:
        ConfigurationError: the store is a branch or a release, and something in the catalogue is the team's.
    """
    kept = [one.metric_id for one in catalog.defined if one.visibility is not Visibility.PUBLIC]
    kept += [one.id for one in catalog.readings if one.visibility is not Visibility.PUBLIC]
    if kept and store.startswith(("branch:", "release:")):
        raise ConfigurationError(
            f"{store} is open to all who can read the repository, but some metrics are for the team only, "
            f"such as {kept[0]}. Nothing was changed. Fix: if the repository is private, give the action the "
            "input `private: true`; else keep the database in a bucket (`store: s3://…`)."
        )


def restore_from(store: Store, settings: Settings, work: Path, *, is_first_run: bool) -> str:
    """Restore the newest backup of a store into the empty database, and return a sentence.

    Only with `is_first_run` may a store that does not exist yet have none. A store that exists and has no
    backup is always an error: it may be somebody else's, or its backups were deleted.

    Raises:
        NoBackup: there is no backup.
        BackupError: the store cannot be read, or the backup cannot be restored.
        StorageError: the database cannot be written.
    """
    exists = store.fetch()
    place = place_of(settings, store.target)
    if backup_ids(place.keys()):
        report = asyncio.run(restore(settings, place))
        sentence = f"Restored the backup {report.manifest.backup_id} of {store.name}."
    elif exists:
        raise NoBackup(
            f"There is no backup in {store.name}, though it exists. Nothing was changed. Fix: name another "
            "store, or bring its backups back."
        )
    elif not is_first_run:
        raise NoBackup(
            f"There is no backup in {store.name}, so the history would begin anew. Nothing was changed. Fix: "
            "if no run ever ended, start the workflow by hand with `first-run`; else bring the store back."
        )
    else:
        sentence = f"This is the first run: there is no backup in {store.name} yet."
    (work / _RESTORED).touch()
    return sentence


def keep_in(store: Store, settings: Settings, work: Path) -> str:
    """Make a backup, compare it with its manifest, bring it into the store, and return a sentence.

    Raises:
        ConfigurationError: nothing was restored before.
        BackupError: the backup cannot be made or kept; the store is as it was.
        StorageError: the database cannot be read.
    """
    if not (work / _RESTORED).exists():
        raise ConfigurationError(
            f"{work} has no restored database, so {store.name} would lose its history. Fix: restore first."
        )
    place = place_of(settings, store.target)
    report = asyncio.run(back_up(settings, place))
    asyncio.run(verify(place, report.manifest.backup_id))
    store.keep()
    return f"Kept the backup {report.manifest.backup_id} in {store.name}: {report.manifest.rows:,} rows."

"""Where backups are: a folder or a bucket, behind one protocol. Keys are paths below it, with `/`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from community_metrics.backup.folder import FolderPlace
from community_metrics.config import StorageMode
from community_metrics.errors import ConfigurationError, ExtraMissing
from community_metrics.setting_types import require_backup_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.backup.manifest import StoredFile
    from community_metrics.config import Settings


class Place(Protocol):
    """Takes and returns files by key. Every method raises `BackupUnavailable` where the place fails."""

    def put(self, key: str, file: Path) -> None:
        """Store a file, whole or not at all."""
        ...

    def fetch(self, key: str, file: Path) -> None:
        """Write what is stored to a file.

        Raises:
            BackupDamaged: nothing is stored under the key.
        """
        ...

    def holds(self, file: StoredFile) -> bool:
        """Return whether the file is stored: a folder compares its SHA-256, a bucket its length."""
        ...

    def keys(self) -> list[str]:
        """Return every key, in order."""
        ...

    def unfinished(self) -> list[str]:
        """Return the key of every file whose writing has not ended, or was killed; none is in `keys`."""
        ...

    def remove(self, keys: Sequence[str]) -> None:
        """Remove files, in this order."""
        ...

    def __str__(self) -> str:
        """Return the place for messages, such as `s3://bucket/prefix`."""
        ...


def place_of(settings: Settings, target: str | None = None) -> Place:
    """Return the place that `target` names, else that of CM_BACKUP_TARGET.

    Raises:
        ConfigurationError: neither names a place, the text is none, or it needs the extra `aws`.
    """
    chosen = target or settings.backup_target
    if chosen is None:
        raise ConfigurationError(
            "No place of backups is given. Fix: name a folder or s3://bucket/prefix after the command, or "
            "set CM_BACKUP_TARGET."
        )
    try:
        chosen = require_backup_target(chosen)
    except ValueError as error:
        raise ConfigurationError(f"The place of backups {error}.") from None
    if chosen.startswith("s3://"):
        if find_spec("boto3") is None:
            raise ExtraMissing("A backup in a bucket", "aws")
        from community_metrics.backup.bucket import BucketPlace  # noqa: PLC0415  boto3 takes 0.3 s

        return BucketPlace.of(settings, chosen)
    return FolderPlace(Path(chosen).expanduser().absolute())


def place_beside(settings: Settings) -> Place:
    """Return the place of CM_BACKUP_TARGET; without it, one beside the database.

    A cluster has nothing beside it: then it is the folder `data` of the working directory.
    """
    if settings.backup_target is not None:
        return place_of(settings)
    if settings.storage_mode is StorageMode.ENTERPRISE:
        name = (settings.lancedb_uri or "").removeprefix("db://").replace("/", "-")
        return place_of(settings, f"data/{name}.backups")
    path = settings.db_path.rstrip("/").removesuffix(".lancedb")
    is_whole_bucket = settings.is_s3 and "/" not in path.removeprefix("s3://")
    return place_of(settings, f"{path}/backups" if is_whole_bucket else f"{path}.backups")

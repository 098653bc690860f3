"""The manifest of a backup: what it has, in which files. It is written last: without it there is none."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from community_metrics.clock import CLOCK_TOLERANCE
from community_metrics.config import StorageMode
from community_metrics.errors import BackupDamaged
from community_metrics.storage.schemas import STATS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pyarrow as pa

FORMAT_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
"""The name of the manifest in the folder of its backup."""
_BACKUP_ID: Final = r"\d{8}T\d{6}Z-[0-9a-f]{8}"
_MANIFEST_KEY: Final = re.compile(rf"({_BACKUP_ID})/{MANIFEST}")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class StoredFile(_Part):
    """One file: its key below the place of the backups, its length and its SHA-256.

    The key may be in the folder of an earlier backup, which stored the same file.
    """

    key: str
    bytes: int
    sha256: str

    @classmethod
    def of(cls, file: Path, key: str) -> Self:
        """Return the entry of a file that will be stored under the key."""
        with file.open("rb") as content:
            sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        return cls(key=key, bytes=file.stat().st_size, sha256=sha256)

    def require_same(self, file: Path) -> None:
        """Raise BackupDamaged if a file is not the one of this entry."""
        found = StoredFile.of(file, self.key)
        if found != self:
            raise BackupDamaged(
                f"The file {self.key} is damaged: it has {found.bytes:,} bytes and the SHA-256 "
                f"{found.sha256}, not {self.bytes:,} and {self.sha256}. "
                "Fix: choose another backup with --backup ID."
            )


class Column(_Part):
    """One column as Arrow names it."""

    name: str
    type: str
    nullable: bool


class StoredTable(_Part):
    """One table: its version when it was read, its rows and columns, and its file."""

    name: str
    version: int
    rows: int
    columns: tuple[Column, ...]
    file: StoredFile


class Manifest(_Part):
    """A whole backup: all its tables are of one instant."""

    format_version: Literal[1] = FORMAT_VERSION
    backup_id: str
    made_at: datetime
    program_version: str
    storage_mode: StorageMode
    database: str
    """Where the database was, for people; it has no key."""
    first_run: str | None = None
    """The id of the database's first run: another database of the same name, such as a relative path on
    another machine, has another one. None in a manifest of an earlier version."""
    tables: tuple[StoredTable, ...]
    catalog: StoredFile

    @property
    def origin(self) -> tuple[str, str | None]:
        """Which database this is a backup of."""
        return self.database, self.first_run

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """Every file of the backup but the manifest."""
        return (*(table.file for table in self.tables), self.catalog)

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(table.rows for table in self.tables)

    @property
    def values(self) -> int:
        """The rows of `stats`."""
        return sum(table.rows for table in self.tables if table.name == STATS.name)

    @property
    def bytes(self) -> int:
        """The length of all files."""
        return sum(file.bytes for file in self.files)


def columns_of(schema: pa.Schema) -> tuple[Column, ...]:
    """Return the columns of an Arrow schema."""
    return tuple(Column(name=one.name, type=type_name(one.type), nullable=one.nullable) for one in schema)


def type_name(kind: pa.DataType) -> str:
    """Return the name of an Arrow type; Parquet calls the items of a list otherwise than LanceDB does."""
    lists = hasattr(kind, "value_type")
    return f"list<{kind.value_type}>" if lists else str(kind)


def manifest_key(backup_id: str) -> str:
    """Return the key of a backup's manifest."""
    return f"{backup_id}/{MANIFEST}"


def backup_ids(keys: Iterable[str]) -> list[str]:
    """Return the ids of the backups that have a manifest, oldest first."""
    return sorted(found[1] for key in keys if (found := _MANIFEST_KEY.fullmatch(key)))


def made_until(backup_ids: Iterable[str], now: datetime) -> list[str]:
    """Return the ids that are not of the future, in their order: a clock that was ahead made those.

    The newest is chosen among these, else one of the future would be the newest until its time has come.
    """
    return [one for one in backup_ids if made_at(one) <= now + CLOCK_TOLERANCE]


def folder_of(key: str) -> str | None:
    """Return the id of the backup in whose folder a file is; None for a file that is none of ours."""
    folder = key.partition("/")[0]
    return folder if re.fullmatch(_BACKUP_ID, folder) else None


def made_at(backup_id: str) -> datetime:
    """Return the instant at which a backup was begun."""
    return datetime.strptime(backup_id[:16] + "+0000", "%Y%m%dT%H%M%SZ%z")


def parsed_manifest(text: bytes, where: str) -> Manifest:
    """Return a manifest from its JSON.

    Raises:
        BackupDamaged: it is none, or of a newer program.
    """
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise BackupDamaged(
            f"{where} is no manifest that this version can read: {place}: {fault['msg']}. Fix: install the "
            "version of community-metrics that made the backup, or choose another with --backup ID."
        ) from None

"""Backups in a folder."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from community_metrics.backup.manifest import StoredFile
from community_metrics.errors import BackupDamaged, BackupUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_UNFINISHED: Final = ".part"
"""The end of the name of a file that is being written; `keys` does not return it."""


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """A folder; it is created with the first file."""

    root: Path

    def __str__(self) -> str:
        return str(self.root)

    def put(self, key: str, file: Path) -> None:
        """Copy a file to its key; a kill leaves none of that name.

        Raises:
            BackupUnavailable: the folder cannot be written.
        """
        path = self.root / key
        unfinished = path.with_name(path.name + _UNFINISHED)
        with self._translated(f"{key} cannot be written"):
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, unfinished)
            with unfinished.open("rb") as copy:
                os.fsync(copy.fileno())  # a file of its final name is whole, also after a power cut
            unfinished.replace(path)

    def fetch(self, key: str, file: Path) -> None:
        """Copy what is stored to a file.

        Raises:
            BackupDamaged: nothing is stored under the key.
            BackupUnavailable: the folder cannot be read.
        """
        with self._translated(f"{key} cannot be read"):
            if not (self.root / key).is_file():
                raise BackupDamaged(f"{self} has no file {key}. Fix: choose another backup with --backup ID.")
            shutil.copyfile(self.root / key, file)

    def holds(self, file: StoredFile) -> bool:
        """Return whether the file is stored with this SHA-256; a disk may lose a part of one.

        Raises:
            BackupUnavailable: the folder cannot be read.
        """
        path = self.root / file.key
        with self._translated(f"{file.key} cannot be read"):
            return path.is_file() and StoredFile.of(path, file.key) == file

    def keys(self) -> list[str]:
        """Return the path of every whole file below the folder, in order.

        Raises:
            BackupUnavailable: the folder cannot be read.
        """
        return [key for key in self._files() if not key.endswith(_UNFINISHED)]

    def unfinished(self) -> list[str]:
        """Return the path of every file that is being written, or whose writing was killed, in order.

        Raises:
            BackupUnavailable: the folder cannot be read.
        """
        return [key for key in self._files() if key.endswith(_UNFINISHED)]

    def remove(self, keys: Sequence[str]) -> None:
        """Remove files, then the folders that have none left.

        Raises:
            BackupUnavailable: the folder cannot be written.
        """
        with self._translated("old backups cannot be removed"):
            for key in keys:
                (self.root / key).unlink(missing_ok=True)
        for folder in {(self.root / key).parent for key in keys} - {self.root}:
            with suppress(OSError):  # another file is in it
                folder.rmdir()

    def _files(self) -> list[str]:
        with self._translated("the folder cannot be listed"):
            files = [path for path in self.root.rglob("*") if path.is_file()]
            return sorted(path.relative_to(self.root).as_posix() for path in files)

    @contextmanager
    def _translated(self, problem: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BackupUnavailable(
                f"{self}: {problem}: {error.strerror or error}. Fix: give this user access to the folder and "
                "room on its disk, or name another place."
            ) from error

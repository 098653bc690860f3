"""A listing of a disk that can be compared: kind, mode, owner and content of each path."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One path, without times."""

    mode: int
    owner: tuple[int, int]
    content: str
    """The digest of a file, the target of a link, nothing for a folder."""

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)


def listing(root: Path, ignored: Iterable[str] = ()) -> dict[str, Entry]:
    """Return every path below `root` that matches none of the globs, without a leading slash."""
    skipped = tuple(ignored)
    return {name: _entry(root / name) for name in _names(root, "", skipped)}


def differences(before: dict[str, Entry], after: dict[str, Entry]) -> dict[str, str]:
    """Return the new, deleted and changed paths."""
    return {
        path: "new" if path not in before else "gone" if path not in after else "changed"
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    }


def matches(path: str, globs: Iterable[str]) -> bool:
    """Return whether a path matches one of the globs; `*` also matches slashes."""
    return any(fnmatchcase(path, glob) for glob in globs)


def digest(content: bytes) -> str:
    """Return the `Entry.content` of a file with these bytes."""
    return hashlib.sha256(content).hexdigest()


def _names(root: Path, folder: str, skipped: tuple[str, ...]) -> Iterator[str]:
    for found in os.scandir(root / folder):
        name = f"{folder}/{found.name}".lstrip("/")
        if matches(name, skipped):
            continue
        yield name
        if found.is_dir(follow_symlinks=False):
            yield from _names(root, name, skipped)


def _entry(path: Path) -> Entry:
    status = path.lstat()
    content = ""
    if stat.S_ISLNK(status.st_mode):
        content = str(path.readlink())
    elif stat.S_ISREG(status.st_mode):
        content = digest(path.read_bytes())
    return Entry(status.st_mode, (status.st_uid, status.st_gid), content)

"""A disk as a listing that can be compared: for each path its kind, mode, owner, and what it holds."""

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
    """One path: what a program could tell apart, without times."""

    mode: int
    owner: tuple[int, int]
    holds: str
    """The digest of a file, the target of a link, nothing for a folder."""

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)


def listing(root: Path, leave_out: Iterable[str] = ()) -> dict[str, Entry]:
    """Return everything below `root` but what fits one of the globs, by path without a leading slash."""
    skipped = tuple(leave_out)
    return {name: _entry(root / name) for name in _names(root, "", skipped)}


def differences(before: dict[str, Entry], after: dict[str, Entry]) -> dict[str, str]:
    """Return what appeared, went or changed, by path."""
    return {
        path: "new" if path not in before else "gone" if path not in after else "changed"
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    }


def fits(path: str, globs: Iterable[str]) -> bool:
    """Say whether a path fits one of the globs; `*` crosses folders."""
    return any(fnmatchcase(path, glob) for glob in globs)


def digest(content: bytes) -> str:
    """Return what `Entry.holds` says of a file with this content."""
    return hashlib.sha256(content).hexdigest()


def _names(root: Path, folder: str, skipped: tuple[str, ...]) -> Iterator[str]:
    for found in os.scandir(root / folder):
        name = f"{folder}/{found.name}".lstrip("/")
        if fits(name, skipped):
            continue
        yield name
        if found.is_dir(follow_symlinks=False):
            yield from _names(root, name, skipped)


def _entry(path: Path) -> Entry:
    status = path.lstat()
    holds = ""
    if stat.S_ISLNK(status.st_mode):
        holds = str(path.readlink())
    elif stat.S_ISREG(status.st_mode):
        holds = digest(path.read_bytes())
    return Entry(status.st_mode, (status.st_uid, status.st_gid), holds)

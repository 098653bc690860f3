"""The rehearsal's cache: a folder for each set of ingredients, complete or absent."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def folder() -> Path:
    """Return the folder of the cache, under `XDG_CACHE_HOME` or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(base, "community-metrics", "host")
    path.mkdir(parents=True, exist_ok=True)
    return path


def cached(
    kind: str, ingredients: list[str], make: Callable[[Path], None], now: datetime | None = None
) -> Path:
    """Return the folder made from these ingredients in this week; delete others of the kind.

    The week is always an ingredient, because Debian's packages change.
    """
    week = f"{now or datetime.now(UTC):%G-W%V}"
    key = hashlib.sha256("\0".join([week, *ingredients]).encode()).hexdigest()[:16]
    path = folder() / f"{kind}-{key}"
    with alone(kind):  # of two rehearsals at the same time, one makes it
        if not path.exists():
            _make(path, kind, make)
    return path


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Allow one process at a time."""
    with (folder() / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def made_since(began: float) -> list[str]:
    """Return the names of the folders made since a time (seconds since 1970)."""
    return [path.name for path in folder().glob("*-*") if path.stat().st_ctime > began]


def _make(path: Path, kind: str, make: Callable[[Path], None]) -> None:
    scratch = path.with_name(f"{path.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    make(scratch)
    scratch.rename(path)
    for old in path.parent.glob(f"{kind}-*"):
        if old != path and not _is_in_use(old):
            shutil.rmtree(old)


def _is_in_use(path: Path) -> bool:
    return str(path) in Path("/proc/mounts").read_text(encoding="utf-8")

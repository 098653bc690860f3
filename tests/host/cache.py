"""The rehearsal's cache: folders made once for what they are made from, and never trusted half made."""

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
    """Return where the cache lives: under `XDG_CACHE_HOME`, or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(base, "community-metrics", "host")
    path.mkdir(parents=True, exist_ok=True)
    return path


def cached(
    kind: str, ingredients: list[str], make: Callable[[Path], None], now: datetime | None = None
) -> Path:
    """Return the folder made from these ingredients this week; others of the kind are removed.

    The week is an ingredient of everything: Debian's packages move on without us.
    """
    week = f"{now or datetime.now(UTC):%G-W%V}"
    key = hashlib.sha256("\0".join([week, *ingredients]).encode()).hexdigest()[:16]
    path = folder() / f"{kind}-{key}"
    with alone(kind):  # two rehearsals at once make it once
        if not path.exists():
            _make_anew(path, kind, make)
    return path


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Let one process at a time do this."""
    with (folder() / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def made_since(began: float) -> list[str]:
    """Return the names of what was made since that time (seconds since 1970)."""
    return [path.name for path in folder().glob("*-*") if path.stat().st_ctime > began]


def _make_anew(path: Path, kind: str, make: Callable[[Path], None]) -> None:
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

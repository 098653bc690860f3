"""A cgroup for each box: in one cgroup, two boxes would share systemd's tree."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

# v1 with v2 has the first two, v2 alone the last
_ROOTS = tuple(Path("/sys/fs/cgroup", name) for name in ("systemd", "unified", ""))


def join_command(name: str) -> str:
    """Return a shell command that moves the shell into a new cgroup of this name."""
    folders = [root / name for root in _ROOTS if (root / "cgroup.procs").exists()]
    return "".join(f"mkdir -p {folder} && echo $$ > {folder}/cgroup.procs && " for folder in folders)


def remove(name: str) -> None:
    """Remove the cgroup and those below it, innermost first."""
    for folder in (root / name for root in _ROOTS if (root / name).is_dir()):
        below = sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True)
        for path in (*below, folder):
            _remove_empty(path)


def _remove_empty(path: Path) -> None:
    for _ in range(50):  # the kernel may still be removing the last process
        with suppress(OSError):
            path.rmdir()
            return
        time.sleep(0.02)

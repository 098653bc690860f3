"""The folder of a site: written beside it, then swapped, so that a reader sees the old one or the new one."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from community_metrics.errors import ConfigurationError, SiteError
from community_metrics.text import named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARKER: Final = "community-metrics-site.json"
"""The file by which a folder is known to be a site; it lists all others."""


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder that replaces `target` at the end, unless an exception leaves this context.

    Raises:
        ConfigurationError: the target is a file, or a folder with files of somebody else.
        SiteError: the folder cannot be written.
    """
    target = target.expanduser().resolve()  # a link stays a link
    require_own(target)
    written, replaced = (target.with_name(f".{target.name}.{name}-{os.getpid()}") for name in ("new", "old"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        written.mkdir()
        yield written
        require_own(target)  # somebody may have put a file there meanwhile
        _swap(written, target, replaced)
    except OSError as error:
        raise SiteError(
            f"{target} cannot be written: {error.strerror or error}. "
            "Fix: check its rights and the free space."
        ) from error
    finally:
        shutil.rmtree(written, ignore_errors=True)


def require_own(target: Path) -> None:
    """Raise ConfigurationError if the target is a file, or has files that no earlier site put there."""
    if not target.exists():
        return
    if not target.is_dir():
        raise ConfigurationError(f"{target} is a file. Fix: name a folder.")
    present = {path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir()}
    if not present:
        return
    foreign = sorted(present - _listed(target) - {MARKER})
    if foreign:
        raise ConfigurationError(
            f"{target} has files that no earlier site put there: {named(foreign)}. Nothing was changed. "
            "Fix: move them away, or name another folder."
        )


def mark(folder: Path, facts: dict[str, str]) -> None:
    """Write the marker: what the site is of, and all of its files."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    text = json.dumps({**facts, "files": files}, indent=2)
    (folder / MARKER).write_text(f"{text}\n", encoding="utf-8")


def _listed(target: Path) -> set[str]:
    marker = target / MARKER
    if not marker.is_file():
        return set()
    try:
        return set(json.loads(marker.read_bytes())["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{marker} is not what `community-metrics site` writes: {error!r}. Nothing was changed. "
            "Fix: name another folder."
        ) from None


def _swap(written: Path, target: Path, replaced: Path) -> None:
    if not target.exists():
        written.rename(target)
        return
    target.rename(replaced)
    try:
        written.rename(target)
    except OSError:
        replaced.rename(target)
        raise
    shutil.rmtree(replaced)

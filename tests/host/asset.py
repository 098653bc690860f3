"""The files that may be on a box: those of the release and those of Debian's packages."""

from __future__ import annotations

import re
import stat
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.host.box import Box
    from tests.host.world import World


INSTALLED = ("files", "files-backup", "files-delivery", "files-ses")
"""Folders of the release that the rehearsed host installs: it makes backups, and sends e-mail by SES."""


def packaged(box: Box) -> set[str]:
    """Return every path that a package owns; /bin and /lib are links into /usr."""
    owned = set()
    for file in box.file("var/lib/dpkg/info").glob("*.list"):
        paths = file.read_text(encoding="utf-8").splitlines()
        owned |= {re.sub(r"^/(bin|sbin|lib|lib64)/", r"usr/\1/", path).lstrip("/") for path in paths}
    return owned | conffiles(box)


def conffiles(box: Box) -> set[str]:
    """Return the configuration files of packages."""
    found = set()
    for file in box.file("var/lib/dpkg/info").glob("*.conffiles"):
        found |= {path.lstrip("/") for path in file.read_text(encoding="utf-8").split()}
    return found


@dataclass(frozen=True, slots=True)
class InstalledFile:
    """A file of the release: its content as a pattern, with gaps for template values, and its mode."""

    pattern: bytes
    mode: int

    def is_at(self, path: Path) -> bool:
        """Return whether the file at this path is this one."""
        is_alike = re.fullmatch(self.pattern, path.read_bytes()) is not None
        return is_alike and stat.S_IMODE(path.stat().st_mode) == self.mode


def installed_by_the_asset(world: World) -> dict[str, InstalledFile]:
    """Return the files that the release installs, by path."""
    files = {}
    for path, (content, mode) in release_files(world).items():
        _, folder, path_on_box = (*path.split("/", 2), "", "")[:3]
        pattern = re.escape(content)
        if folder in INSTALLED:
            files[path_on_box] = InstalledFile(pattern, mode)
        elif folder == "templates":
            files[path_on_box] = InstalledFile(re.sub(rb"@[A-Z_]+@", rb"[^\n]*", pattern), 0o644)
    return files


def release_files(world: World) -> dict[str, tuple[bytes, int]]:
    """Return the content and the mode of each file of the release, by path."""
    with tarfile.open(world.deployment.release) as archive:
        found = {}
        for member in archive.getmembers():
            content = archive.extractfile(member)
            if content is not None:
                found[member.name] = (content.read(), member.mode)
    return found

"""What may lie on a box, and why: what the release lays there, and what Debian's packages own."""

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


def packaged(box: Box) -> set[str]:
    """Return every path that a package owns, /bin and /lib being links into /usr."""
    owned = set()
    for file in box.file("var/lib/dpkg/info").glob("*.list"):
        paths = file.read_text(encoding="utf-8").splitlines()
        owned |= {re.sub(r"^/(bin|sbin|lib|lib64)/", r"usr/\1/", path).lstrip("/") for path in paths}
    return owned | conffiles(box)


def conffiles(box: Box) -> set[str]:
    """Return the configuration files that packages brought, whole."""
    found = set()
    for file in box.file("var/lib/dpkg/info").glob("*.conffiles"):
        found |= {path.lstrip("/") for path in file.read_text(encoding="utf-8").split()}
    return found


@dataclass(frozen=True, slots=True)
class Laid:
    """A file that the release lays: its content as a pattern, with gaps for facts, and its mode."""

    pattern: bytes
    mode: int

    def is_at(self, path: Path) -> bool:
        """Say whether the file at this path is that one."""
        is_alike = re.fullmatch(self.pattern, path.read_bytes()) is not None
        return is_alike and stat.S_IMODE(path.stat().st_mode) == self.mode


def laid_by_the_asset(world: World) -> dict[str, Laid]:
    """Return what the release lays into the file system, by path."""
    laid = {}
    for path, (content, mode) in release_files(world).items():
        _, folder, place = (*path.split("/", 2), "", "")[:3]
        pattern = re.escape(content)
        if folder == "files":
            laid[place] = Laid(pattern, mode)
        elif folder == "templates":
            laid[place] = Laid(re.sub(rb"@[A-Z_]+@", rb"[^\n]*", pattern), 0o644)
    return laid


def release_files(world: World) -> dict[str, tuple[bytes, int]]:
    """Return the content and the mode of each file of the release, by path."""
    with tarfile.open(world.deployment.release) as archive:
        found = {}
        for member in archive.getmembers():
            content = archive.extractfile(member)
            if content is not None:
                found[member.name] = (content.read(), member.mode)
    return found

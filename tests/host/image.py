"""The disk of a box after its bootstrap, kept as an image for further boxes of the same run."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.host.box import Box

# what makes a box itself; an image has none of it
_IDENTITY = (
    "etc/machine-id",
    "etc/ssh/ssh_host_*",
    *(f"etc/letsencrypt/{name}" for name in ("accounts", "archive", "keys", "live", "renewal")),
    "var/log/journal",
    "var/lib/systemd/random-seed",
)


def keep(box: Box, path: Path) -> None:
    """Copy what the box's bootstrap put on its disk, without what only this box may have."""
    box.succeeds("sync")
    subprocess.run(["cp", "--archive", str(box.changes), str(path)], check=True, timeout=120)
    for pattern in _IDENTITY:
        for found in path.glob(pattern):
            if found.is_dir():
                shutil.rmtree(found)
            else:
                found.unlink()

"""The disk of a box after its bootstrap, cached as an image for more boxes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.host import cache
from tests.host.box import Box
from tests.host.tree import base_tree
from tests.host.wheels import wheel_index

if TYPE_CHECKING:
    from tests.host.world import World

# the identity of a box, which an image must not have
_IDENTITY = (
    "etc/machine-id",
    "etc/ssh/ssh_host_*",
    *(f"etc/letsencrypt/{name}" for name in ("accounts", "archive", "keys", "live", "renewal")),
    "var/log/journal",
    "var/lib/systemd/random-seed",
    "var/lib/systemd/timers/stamp-*",  # with the stamps, a box made on a Tuesday would have missed a Monday
)


def installed_image(world: World) -> Path:
    """Return the changes of the user data to a bare disk; run the user data if they are not cached.

    The user data has the digest of the release, so the cache depends on every file and wheel in it.
    """
    ours = (Path(__file__).with_name(name) for name in ("image.py", "box.py", "rig_files.py"))
    recipe = [path.read_text(encoding="utf-8") for path in ours]
    made_from = [world.deployment.user_data, str(base_tree()), str(wheel_index()), *recipe]
    return cache.cached("installed", made_from, lambda path: _make(world, path))


def _make(world: World, path: Path) -> None:
    box = Box(world, "installing", [base_tree()])
    try:
        box.boot()
        box.bootstrap()
        box.power_off()  # a running box changes its disk
        subprocess.run(["cp", "--archive", f"{box.changes}/.", str(path)], check=True, timeout=120)
    finally:
        box.remove()
    for found in (found for pattern in _IDENTITY for found in path.glob(pattern)):
        shutil.rmtree(found) if found.is_dir() else found.unlink()

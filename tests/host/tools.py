"""What the rehearsal needs of the machine: `python3 tests/host/tools.py` prints the packages, one line.

Runs before anything is installed: the standard library only.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

PACKAGES = {  # Debian's name: the program by which its absence is seen
    "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "dnsmasq-base": "/usr/sbin/dnsmasq",
    "iproute2": "/usr/sbin/ip",
    "mmdebstrap": "mmdebstrap",
    "mount": "mount",
    "pebble": "pebble",
    "systemd-container": "systemd-nspawn",
    "util-linux": "nsenter",
}
INSTALL = "make host-tools"


def missing() -> list[str]:
    """Return what keeps a rehearsal from running here, each as a phrase; empty where it can run."""
    found = [] if os.geteuid() == 0 else ["root's rights"]
    return found + [name for name, program in PACKAGES.items() if not _is_here(program)]


def _is_here(program: str) -> bool:
    return Path(program).exists() if program.startswith("/") else shutil.which(program) is not None


if __name__ == "__main__":
    print(*PACKAGES)  # noqa: T201  the Makefile reads it

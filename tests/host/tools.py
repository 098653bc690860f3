"""What the rehearsal needs of the machine: `python3 tests/host/tools.py [vm]` prints the packages.

Runs before anything is installed: the standard library only.
"""

from __future__ import annotations

import os
import shutil
import sys
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
VM_PACKAGES = {
    "e2fsprogs": "/usr/sbin/mkfs.ext4",
    "openssh-client": "ssh",
    "qemu-system-x86": "qemu-system-x86_64",
    "seabios": "/usr/share/seabios/bios-256k.bin",
}
INSTALL = "make host-tools"


def missing() -> list[str]:
    """Return what keeps a rehearsal from running here, each as a phrase; empty where it can run."""
    found = [] if os.geteuid() == 0 else ["root's rights"]
    return found + [name for name, program in PACKAGES.items() if not _is_here(program)]


def missing_for_a_vm() -> list[str]:
    """Return what a rehearsal in a virtual machine needs beyond that."""
    return [name for name, program in VM_PACKAGES.items() if not _is_here(program)]


def _is_here(program: str) -> bool:
    return Path(program).exists() if program.startswith("/") else shutil.which(program) is not None


if __name__ == "__main__":
    print(*PACKAGES, *(VM_PACKAGES if "vm" in sys.argv else ()))  # noqa: T201  the Makefile reads it

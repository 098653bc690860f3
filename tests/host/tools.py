"""The Debian packages that the rehearsal needs: `python3 tests/host/tools.py [vm]` prints them.

Uses the standard library only, because it runs before anything is installed.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

PACKAGES = {  # package: a program or file of it
    "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "dnsmasq-base": "/usr/sbin/dnsmasq",
    "gnupg": "gpg",
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
    """Return what is missing to run a rehearsal, as phrases; empty if it can run."""
    found = [] if os.geteuid() == 0 else ["root privileges"]
    return found + [name for name, program in PACKAGES.items() if not _is_installed(program)]


def missing_for_a_vm() -> list[str]:
    """Return what else is missing to run a rehearsal in a virtual machine."""
    return [name for name, program in VM_PACKAGES.items() if not _is_installed(program)]


def _is_installed(program: str) -> bool:
    return Path(program).exists() if program.startswith("/") else shutil.which(program) is not None


if __name__ == "__main__":
    print(*PACKAGES, *(VM_PACKAGES if "vm" in sys.argv else ()))  # noqa: T201  for the Makefile

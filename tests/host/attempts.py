"""Try everything that a unit's sandbox should deny, and print the results as JSON.

`probe.py` copies this program to the box, where the unit runs it, with the standard library only.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import socket
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

READS = (
    "/run/community-metrics/secrets/api/lancedb_api_key",
    "/run/community-metrics/secrets/jobs/lancedb_api_key",
    "/run/community-metrics/secrets/jobs/github_token",
    "/etc/letsencrypt",
    "/var/lib/community-metrics/tls/current/privkey.pem",
    "/var/lib/community-metrics/tls/placeholder/privkey.pem",
    "/etc/shadow",
    "/etc/ssh/ssh_host_ed25519_key",
    "/root",
    "/proc/1/environ",
    "/var/log/journal",
    "/run/log/journal",
)
WRITES = (
    "/etc",
    "/opt/community-metrics",
    "/usr/local/sbin",
    "/var/lib",
    "/run",
    "/run/community-metrics",
    "/home",
    "/root",
)
LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH = 16


def reads(name: str) -> None:
    path = Path(name)
    if path.is_dir():
        list(path.iterdir())
        return
    with path.open("rb") as file:
        file.read(1)


def writes(folder: str) -> None:
    Path(folder, "probe").touch()


def sets_user_bit() -> None:
    path = Path(tempfile.mkdtemp(), "probe")
    path.touch()
    path.chmod(0o4755)


def calls(name: str, *arguments: object) -> None:
    if getattr(LIBC, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)


ATTEMPTS: dict[str, Callable[[], object]] = {
    **{f"read {path}": partial(reads, path) for path in READS},
    **{f"write {folder}": partial(writes, folder) for folder in WRITES},
    "connect to systemd": lambda: socket.socket(socket.AF_UNIX).connect("/run/systemd/private"),
    "packet socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "netlink socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "new namespace": lambda: calls("unshare", 0x10000000),
    "mount": lambda: calls("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "host name": lambda: socket.sethostname("probe"),
    "set-user-id bit": sets_user_bit,
    "writable code": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
    "signal systemd": lambda: os.kill(1, 0),
    "trace systemd": lambda: calls("ptrace", PTRACE_ATTACH, 1, None, None),
    "become root": lambda: os.setuid(0),
}


def is_allowed(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def others() -> list[str]:
    """Return the visible processes of other users."""
    processes = [path for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [path.name for path in processes if path.stat().st_uid != os.getuid()]


def main() -> None:
    results: dict[str, object] = {name: is_allowed(attempt) for name, attempt in ATTEMPTS.items()}
    results["see processes of others"] = bool(others())
    results["credentials"] = sorted(path.name for path in Path(os.environ["CREDENTIALS_DIRECTORY"]).iterdir())
    sys.stdout.write(f"PROBE {json.dumps(results)}\n")


if __name__ == "__main__":
    main()

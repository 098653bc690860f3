"""Network namespaces: a socket that is opened in `with namespace:` belongs to that network."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)
_HELD = threading.local()
PREFIX = "cm-rehearsal-"


class Namespace:
    """One network namespace; `delete` removes it.

    Entering it moves only the calling thread. A socket stays in the namespace where it was opened, so any
    thread can run a server that was created inside.
    """

    def __init__(self, name: str) -> None:
        self.name = f"{PREFIX}{os.getpid()}-{name}"
        _run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")
        self.command(
            "sysctl", "-qw", "net.ipv4.ip_forward=0"
        )  # a new namespace may inherit the machine's setting

    @property
    def path(self) -> Path:
        return Path("/run/netns", self.name)

    def ip(self, *arguments: str) -> None:
        """Run `ip` on this namespace."""
        _run("ip", "-netns", self.name, *arguments)

    def command(self, *command: str) -> None:
        """Run a short command inside."""
        _run("ip", "netns", "exec", self.name, *command)

    def __enter__(self) -> Self:
        outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _HELD.stack = [*getattr(_HELD, "stack", []), outside]
        inside = os.open(self.path, os.O_RDONLY)
        try:
            _set_namespace(inside)
        finally:
            os.close(inside)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        outside = _HELD.stack.pop()
        _set_namespace(outside)
        os.close(outside)

    def delete(self) -> None:
        _run("ip", "netns", "delete", self.name)


def connect(switch: Namespace, bridge: str, guest: Namespace, port: str, *addresses: str) -> None:
    """Connect the guest to the bridge of another namespace: `eth0` with these addresses, without routes."""
    switch.ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", guest.name)
    switch.ip("link", "set", port, "master", bridge, "up")
    for address in addresses:
        guest.ip("address", "add", f"{address}/24", "dev", "eth0")
    guest.ip("link", "set", "eth0", "up")


def sweep() -> None:
    """Remove the mounts and networks of killed rehearsals."""
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        name, mount_point, *_ = line.split()
        if _is_abandoned(name):
            _run("umount", "--lazy", mount_point)
    for path in Path("/run/netns").glob(f"{PREFIX}*"):
        if _is_abandoned(path.name):
            _run("ip", "netns", "delete", path.name)


def _is_abandoned(name: str) -> bool:
    pid = name.removeprefix(PREFIX).partition("-")[0]
    return name.startswith(PREFIX) and not Path("/proc", pid).exists()


def _set_namespace(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")

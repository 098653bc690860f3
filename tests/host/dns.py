"""The name server of the world: dnsmasq with a file of names that a test can change."""

from __future__ import annotations

import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.host.namespace import Namespace


class NameServer:
    """Resolves the names in its file; every other name does not exist."""

    def __init__(self, inside: Namespace, address: str, folder: Path) -> None:
        self._inside = inside
        self._address = address
        self._file = folder / "names"
        self._file.touch()
        self._names: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the name server."""
        command = [
            "ip", "netns", "exec", self._inside.name, "dnsmasq", "--keep-in-foreground",
            "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--local=//",
            "--bind-interfaces", "--pid-file=", f"--listen-address={self._address}",
            f"--addn-hosts={self._file}",
        ]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as self._process:
            yield
            self._process.terminate()
        self._process = None

    def point(self, name: str, address: str | None) -> None:
        """Point a name at an address, or remove it."""
        self._names.pop(name, None)
        if address is not None:
            self._names[name] = address
        lines = [f"{address} {name}\n" for name, address in self._names.items()]
        self._file.write_text("".join(lines), encoding="utf-8")
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)  # dnsmasq reads the file again and clears its cache

"""A server process and a client that costs next to nothing, for benches that ask over HTTP."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import psutil

from bench.processes import memory_mb, peak_mb

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_PATIENCE_S = 60


@dataclass(frozen=True)
class Server:
    """A process that listens on `port` of loopback."""

    port: int
    process: subprocess.Popen[bytes]

    def cpu_s(self) -> float:
        """Return the processor seconds it has used."""
        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)

    def memory_mb(self) -> float:
        """Return the memory it holds now, in megabytes."""
        return memory_mb(self.process.pid)

    def peak_mb(self) -> float:
        """Return the most memory it ever held, in megabytes."""
        return peak_mb(self.process.pid)

    def threads(self) -> int:
        """Return the number of its threads."""
        return int(psutil.Process(self.process.pid).num_threads())

    def files(self) -> int:
        """Return the number of its open files and sockets."""
        return int(psutil.Process(self.process.pid).num_fds())

    def cpu_s_of(self, request: bytes, count: int) -> float:
        """Return the processor seconds of one request, measured over `count` on one kept connection."""
        with Connection(self.port) as connection:
            before = self.cpu_s()
            for _ in range(count):
                connection.ask(request)
            return (self.cpu_s() - before) / count


class Connection:
    """One kept connection; knows just enough HTTP for our own two servers."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """Send a request; return the head of the answer and its body."""
        self._socket.sendall(request)
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._socket.recv(1 << 18)
        head = bytes(received[:end])
        found = _LENGTH.search(head)
        length = 0 if found is None or b" 304 " in head[:16] else int(found[1])
        while len(received) < end + 4 + length:
            received += self._socket.recv(1 << 18)
        return head, bytes(received[end + 4 :])


def get(path: str, **headers: str) -> bytes:
    """Return a GET request as it goes over the wire."""
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n{extra}\r\n".encode()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(command: Sequence[str], port: int, environment: Mapping[str, str]) -> Iterator[Server]:
    """Run a server until the block ends; its log goes nowhere, but it writes one."""
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield Server(port, process)
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        try:
            Connection(port).__exit__()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port}")

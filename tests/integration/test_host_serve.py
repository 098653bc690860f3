"""The API's server, started as systemd starts it: socket activation, notifications, no lost connection."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# as systemd does: the socket is descriptor 3, and LISTEN_PID is this process
START = 'exec 3<&0; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
SERVE = ("-m", "community_metrics.host.serve")
HANGS = """
import time
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from community_metrics.config import service_manager
from community_metrics.host.serve import SocketActivatedServer
from community_metrics.host.service_manager import activation_sockets, notify

async def hang(request):
    notify(manager, "HUNG")
    time.sleep(4)
    notify(manager, "RUNS")
    return Response()

manager = service_manager()
SocketActivatedServer(Starlette(routes=[Route("/hang", hang)]), manager).run(activation_sockets(manager))
"""


class Manager:
    """A fake systemd, which holds the socket and receives the notifications."""

    def __init__(self, folder: Path) -> None:
        self.listening = socket.socket(socket.AF_UNIX)
        self.address = str(folder / "api.sock")
        self.listening.bind(self.address)
        self.listening.listen()
        self._states = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._states.bind(str(folder / "notify"))
        self._states.settimeout(30)
        self._servers: list[subprocess.Popen[bytes]] = []
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CM_")},
            "CM_DB_PATH": str(folder / "db"),
            "NOTIFY_SOCKET": str(folder / "notify"),
        }

    def pass_credentials(self, folder: Path) -> None:
        self._environment["CREDENTIALS_DIRECTORY"] = str(folder)

    def start(self, *program: str) -> subprocess.Popen[bytes]:
        command = ["sh", "-c", START, "sh", sys.executable, *(program or SERVE)]
        server = subprocess.Popen(
            command, stdin=self.listening.fileno(), stderr=subprocess.DEVNULL, env=self._environment
        )
        self._servers.append(server)
        return server

    def received(self) -> str:
        return self._states.recv(100).decode()

    def received_until(self, state: str) -> list[str]:
        return list(iter(self.received, state))

    def get(self, path: str, **headers: str) -> httpx.Response:
        with httpx.Client(transport=httpx.HTTPTransport(uds=self.address), timeout=30) as client:
            return client.get(f"http://localhost{path}", headers=headers)

    def close(self) -> None:
        for server in self._servers:  # if a test fails, its server is still running
            server.kill()
            server.wait(timeout=20)
        self.listening.close()
        self._states.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path)
    yield manager
    manager.close()


def test_it_notifies_systemd_that_it_is_ready_alive_and_stopping(manager: Manager) -> None:
    server = manager.start()

    assert manager.received() == "READY=1"
    assert manager.get("/api/v1/health").json() == {"status": "ok"}
    assert manager.received() == "WATCHDOG=1"
    server.terminate()
    assert set(manager.received_until("STOPPING=1")) <= {"WATCHDOG=1"}
    assert server.wait(timeout=20) == -15


def test_it_does_not_start_before_all_its_secrets_are_read(manager: Manager, tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    manager.pass_credentials(credentials)
    assert manager.start().wait(timeout=20) == 1

    (credentials / "cm_complete").touch()
    (credentials / "cm_api_token_hashes").write_text("a1" * 32, encoding="utf-8")
    manager.start()

    assert manager.received() == "READY=1"
    assert manager.get("/api/v1/metrics").status_code == 401


def test_only_its_own_host_may_ask_without_a_token_whether_it_is_ready(
    manager: Manager, tmp_path: Path
) -> None:
    """nginx, which serves everyone else on the same socket, sends the address of its client."""
    (tmp_path / "cm_complete").touch()
    (tmp_path / "cm_api_token_hashes").write_text("a1" * 32, encoding="utf-8")
    manager.pass_credentials(tmp_path)
    manager.start()
    assert manager.received() == "READY=1"

    own = manager.get("/api/v1/ready")

    assert (own.status_code, own.json()["title"]) == (503, "Database not set up")
    assert manager.get("/api/v1/ready", **{"X-Forwarded-For": "203.0.113.9"}).status_code == 401
    assert manager.get("/api/v1/status").status_code == 401


def test_a_hung_event_loop_sends_no_watchdog_notification(manager: Manager) -> None:
    server = manager.start("-c", HANGS)
    assert manager.received() == "READY=1"

    manager.get("/hang")

    manager.received_until("HUNG")
    assert manager.received_until("RUNS") == []  # four notifications were due
    assert manager.received() == "WATCHDOG=1"
    server.terminate()
    server.wait(timeout=20)


def test_a_connection_between_two_servers_is_served_by_the_second(manager: Manager) -> None:
    first = manager.start()
    manager.received()
    first.kill()
    first.wait(timeout=20)

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(manager.address)
        client.sendall(b"GET /api/v1/health HTTP/1.0\r\n\r\n")
        second = manager.start()
        client.settimeout(30)
        response = b"".join(iter(lambda: client.recv(4096), b""))
    second.terminate()
    second.wait(timeout=20)

    assert response.startswith(b"HTTP/1.1 200")


def test_without_a_socket_it_exits_with_one_message() -> None:
    command = [sys.executable, *SERVE]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 1
    assert ended.stderr.startswith("systemd passed no socket")

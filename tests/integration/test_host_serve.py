"""The API's server as systemd starts it: a socket handed over, states told, nobody hung up on."""

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

# what systemd does: the socket is descriptor 3, and the variables name the very process
START = 'exec 3<&0; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
SERVE = ("-m", "community_metrics.host.serve")
HANGS = """
import time
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from community_metrics.config import service_manager
from community_metrics.host.serve import HandedOverServer
from community_metrics.host.service_manager import handed_over_sockets, notify

async def hang(request):
    notify(manager, "HUNG")
    time.sleep(4)
    notify(manager, "TURNS")
    return Response()

manager = service_manager()
HandedOverServer(Starlette(routes=[Route("/hang", hang)]), manager).run(handed_over_sockets(manager))
"""


class Manager:
    """Holds the socket and hears the states, as systemd does."""

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

    def hand_over(self, folder: Path) -> None:
        self._environment["CREDENTIALS_DIRECTORY"] = str(folder)

    def start(self, *program: str) -> subprocess.Popen[bytes]:
        command = ["sh", "-c", START, "sh", sys.executable, *(program or SERVE)]
        server = subprocess.Popen(
            command, stdin=self.listening.fileno(), stderr=subprocess.DEVNULL, env=self._environment
        )
        self._servers.append(server)
        return server

    def heard(self) -> str:
        return self._states.recv(100).decode()

    def heard_until(self, state: str) -> list[str]:
        return list(iter(self.heard, state))

    def get(self, path: str) -> httpx.Response:
        with httpx.Client(transport=httpx.HTTPTransport(uds=self.address), timeout=30) as client:
            return client.get(f"http://box{path}")

    def close(self) -> None:
        for server in self._servers:  # that of a test that failed still runs
            server.kill()
            server.wait(timeout=20)
        self.listening.close()
        self._states.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path)
    yield manager
    manager.close()


def test_it_says_when_it_is_ready_that_it_lives_and_that_it_stops(manager: Manager) -> None:
    server = manager.start()

    assert manager.heard() == "READY=1"
    assert manager.get("/api/v1/health").json() == {"status": "ok"}
    assert manager.heard() == "WATCHDOG=1"
    server.terminate()
    assert set(manager.heard_until("STOPPING=1")) <= {"WATCHDOG=1"}
    assert server.wait(timeout=20) == -15


def test_it_does_not_start_open_while_its_secrets_have_not_all_been_read(
    manager: Manager, tmp_path: Path
) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    manager.hand_over(credentials)
    assert manager.start().wait(timeout=20) == 1

    (credentials / "cm_complete").touch()
    (credentials / "cm_api_token_hashes").write_text("a1" * 32, encoding="utf-8")
    manager.start()

    assert manager.heard() == "READY=1"
    assert manager.get("/api/v1/metrics").status_code == 401


def test_while_the_event_loop_hangs_no_other_thread_says_that_it_lives(manager: Manager) -> None:
    server = manager.start("-c", HANGS)
    assert manager.heard() == "READY=1"

    manager.get("/hang")

    manager.heard_until("HUNG")
    assert manager.heard_until("TURNS") == []  # four signs of life would have been due
    assert manager.heard() == "WATCHDOG=1"
    server.terminate()
    server.wait(timeout=20)


def test_who_calls_between_two_servers_is_answered_by_the_second(manager: Manager) -> None:
    first = manager.start()
    manager.heard()
    first.kill()
    first.wait(timeout=20)

    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(manager.address)
        caller.sendall(b"GET /api/v1/health HTTP/1.0\r\n\r\n")
        second = manager.start()
        caller.settimeout(30)
        answer = b"".join(iter(lambda: caller.recv(4096), b""))
    second.terminate()
    second.wait(timeout=20)

    assert answer.startswith(b"HTTP/1.1 200")


def test_without_a_socket_it_ends_with_one_message() -> None:
    command = [sys.executable, *SERVE]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 1
    assert ended.stderr.startswith("No socket was handed over")

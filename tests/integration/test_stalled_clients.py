"""Clients that open a connection and do not read: they cost a turn for a while, and then nothing."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from community_metrics.api.app import create_app
from community_metrics.api.services import Limits
from tests.support import api as support
from tests.support.servers import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

STALL_S = 1.0
SMALL_BUFFER = 4_096
EXPORT = "/api/v1/export/stats.csv"
LARGE_BODY = b"x" * 2_000_000


def open_connection(url: str, path: str) -> socket.socket:
    """Send a request for `path` and read only the status line's beginning: `HTTP/1.1 200`."""
    address = urlsplit(url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    client.settimeout(20)
    client.connect((str(address.hostname), address.port))
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return client


def status_of(client: socket.socket) -> int:
    return int(client.recv(12).split()[1])


def rest_of(client: socket.socket, *, wait_s: float = 0.0) -> bytes:
    """Read until the server ends the connection, and wait before each read."""
    received = b""
    while True:
        time.sleep(wait_s)
        try:
            piece = client.recv(100_000)
        except ConnectionResetError:
            return received
        if not piece:
            return received
        received += piece


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    place = support.local_place(tmp_path)
    asyncio.run(support.fill(place.writing))
    app = create_app(place.reading, limits=Limits(exports=2, stall_s=STALL_S))
    with served(app, stall_s=STALL_S, send_buffer=SMALL_BUFFER) as address:
        yield address


def test_stalled_exports_are_few_and_end_at_the_deadline_and_their_turns_come_back(url: str) -> None:
    clients = [open_connection(url, EXPORT) for _ in range(5)]
    assert sorted(status_of(client) for client in clients) == [200, 200, 503, 503, 503]
    assert httpx.get(f"{url}/api/v1/health", trust_env=False).status_code == 200
    time.sleep(3 * STALL_S)
    assert httpx.get(f"{url}{EXPORT}", trust_env=False, timeout=30).status_code == 200
    for client in clients:
        assert b"\r\n0\r\n\r\n" not in rest_of(client)  # the end of a complete file
        client.close()


async def large(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    length = (b"content-length", str(len(LARGE_BODY)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": LARGE_BODY})


def test_a_connection_whose_client_reads_nothing_is_closed_though_its_response_is_written() -> None:
    with served(large, stall_s=0.5, send_buffer=SMALL_BUFFER) as address:
        client = open_connection(address, "/")
        time.sleep(1.5)
        assert len(rest_of(client)) < len(LARGE_BODY)
        client.close()


def test_a_client_that_reads_slowly_gets_everything() -> None:
    with served(large, stall_s=0.5, send_buffer=SMALL_BUFFER) as address:
        client = open_connection(address, "/")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 200_000)
        assert rest_of(client, wait_s=0.02).endswith(LARGE_BODY)
        client.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
    ],
    ids=["nothing", "half a line", "half the headers", "half of the second", "half a body"],
)
def test_a_connection_without_a_complete_request_is_closed(sent: bytes) -> None:
    with served(large, request_s=0.5) as address:
        url = urlsplit(address)
        with socket.create_connection((str(url.hostname), url.port), timeout=10) as client:
            client.sendall(sent)
            started = time.monotonic()
            rest_of(client)  # returns when the server closes the connection
    assert time.monotonic() - started < 5


def send_slowly(client: socket.socket, text: bytes) -> None:
    for byte in text:
        client.sendall(bytes([byte]))
        time.sleep(0.1)


def test_a_connection_that_sends_a_byte_now_and_then_is_closed_too() -> None:
    with served(large, request_s=0.5) as address:
        url = urlsplit(address)
        client = socket.create_connection((str(url.hostname), url.port), timeout=10)
        with client, pytest.raises(OSError, match=r"Broken pipe|Connection reset"):
            send_slowly(client, b"GET / HTTP/1.1\r\nHost: " + b"x" * 100)


def test_a_connection_with_one_request_after_another_stays_open() -> None:
    with served(large, request_s=0.4) as address, httpx.Client(trust_env=False) as client:
        ports = set()
        for _ in range(8):
            with client.stream("GET", address) as response:
                ports.add(response.extensions["network_stream"].get_extra_info("client_addr")[1])
                response.read()
            time.sleep(0.2)
    assert len(ports) == 1

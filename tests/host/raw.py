"""Connections whose bytes a test controls, for malformed and slow requests."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tests.host.addresses import API_ADDRESS, CLIENTS
from tests.host.deployment import API_HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.host.world import World

TIMEOUT_S = 15


@contextmanager
def connection(
    world: World, port: int = 443, *, name: str = API_HOST, source: str = CLIENTS[1]
) -> Iterator[socket.socket]:
    """Connect from a client address, on port 443 with TLS for that name, with timeouts."""
    with (
        world.clients,
        socket.create_connection((API_ADDRESS, port), TIMEOUT_S, source_address=(source, 0)) as plain,
    ):
        if port != 443:
            yield plain
            return
        with world.trust().wrap_socket(plain, server_hostname=name) as secured:
            yield secured


def read_until_closed(connection: socket.socket) -> tuple[bytes, float]:
    """Return the bytes that the other side sends before it closes, and the seconds until then."""
    began, received = time.monotonic(), b""
    with suppress(ConnectionResetError, ssl.SSLEOFError):
        while chunk := connection.recv(65_536):
            received += chunk
    return received, time.monotonic() - began


def response_to(world: World, request: bytes, **options: object) -> bytes:
    """Send bytes on a new connection, and return all received bytes."""
    with connection(world, **options) as opened:  # type: ignore[arg-type]  # passed on unchanged
        with suppress(ConnectionError):  # nginx may close before it has read all
            opened.sendall(request)
        return read_until_closed(opened)[0]

"""Callers with bad manners: connections whose every byte a test chooses."""

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

PATIENCE_S = 15


@contextmanager
def connection(
    world: World, port: int = 443, *, name: str = API_HOST, source: str = CLIENTS[1]
) -> Iterator[socket.socket]:
    """Connect from a client's address, on 443 through TLS for that name; every read and write has a limit."""
    with (
        world.clients,
        socket.create_connection((API_ADDRESS, port), PATIENCE_S, source_address=(source, 0)) as plain,
    ):
        if port != 443:
            yield plain
            return
        with world.trust().wrap_socket(plain, server_hostname=name) as secured:
            yield secured


def said_until_closed(caller: socket.socket) -> tuple[bytes, float]:
    """Return what comes before the other side hangs up, and after how many seconds it did."""
    began, said = time.monotonic(), b""
    with suppress(ConnectionResetError, ssl.SSLEOFError):
        while piece := caller.recv(65_536):
            said += piece
    return said, time.monotonic() - began


def answer_to(world: World, request: bytes, **where: object) -> bytes:
    """Send bytes on a connection of their own, and return all that comes back."""
    with connection(world, **where) as caller:  # type: ignore[arg-type]  # handed on as they are
        with suppress(ConnectionError):  # it may hang up before it has heard all
            caller.sendall(request)
        return said_until_closed(caller)[0]

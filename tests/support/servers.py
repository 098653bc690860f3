"""An application in uvicorn on loopback."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from community_metrics.api.clients import STALL_S
from community_metrics.api.server import REQUEST_S, server_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp


@contextmanager
def served(
    app: ASGIApp,
    *,
    stall_s: float = STALL_S,
    request_s: float = REQUEST_S,
    send_buffer: int | None = None,
) -> Iterator[str]:
    """Serve the application on loopback with our limits; yields its URL.

    `send_buffer` is the size of the system's buffer for each connection, in bytes.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    if send_buffer is not None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    server = uvicorn.Server(server_config(app, stall_s=stall_s, request_s=request_s))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listening.close()

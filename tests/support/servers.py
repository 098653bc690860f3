"""An application in uvicorn on loopback."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from community_metrics.api.clients import STALL_S
from community_metrics.api.server import REQUEST_S, SEND_BUFFER_BYTES, server_config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp


@contextmanager
def served(
    app: ASGIApp,
    *,
    stall_s: float = STALL_S,
    request_s: float = REQUEST_S,
    send_buffer: int = SEND_BUFFER_BYTES,
) -> Iterator[str]:
    """Serve the application on loopback with our limits; yields its URL.

    `send_buffer` is the size of the system's buffer for each connection, in bytes.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    config = server_config(app, stall_s=stall_s, request_s=request_s, send_buffer=send_buffer)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()

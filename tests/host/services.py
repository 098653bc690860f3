"""How the world's servers run: threads of this process, their sockets in the world's network."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    from collections.abc import Iterator


class Server(ThreadingHTTPServer):
    """Serves many at once, and does not wait for those that keep a connection open."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: boxes that lose their power are part of the tests."""


@contextmanager
def served(server: Server) -> Iterator[None]:
    """Serve for a while."""
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def moto_on_loopback() -> Iterator[int]:
    """Run an empty AWS on this process's loopback; the world has it behind the recorder."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # or each request of a failed test is told
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    httpx.post(f"http://127.0.0.1:{port}/moto-api/reset")  # moto's world outlives its server
    try:
        yield port
    finally:
        server.stop()

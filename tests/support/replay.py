"""All registries on one loopback port: a real HTTP server that says what a test wrote, or a made-up registry.

Stand-alone, for rehearsals and benches: `python -m tests.support.replay --port 8900 --today 2026-11-23`.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections import deque
from datetime import date
from email.utils import format_datetime
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from community_metrics.config import PUBLIC_ORIGINS, Settings
from tests.support.registry import Registry
from tests.support.scripted import Request, Scripted

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

HOSTS = (*PUBLIC_ORIGINS, "feeds")


class Replay:
    """Serves from `start` (or `with`) on; `requests` lists what was asked, in order.

    Replies come from `script` and `always` first, then from `registry`; what neither has is a 404.
    `latency_s` comes before each reply. `date` is the registries' clock; without it they send no `Date`.
    """

    def __init__(
        self,
        registry: Registry | None = None,
        *,
        port: int = 0,
        latency_s: float = 0.0,
        host: str = "127.0.0.1",
    ) -> None:
        self.registry = registry
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self.date: datetime | None = None
        self._latency_s = latency_s
        self._scripts: list[tuple[str, deque[Scripted]]] = []
        self._standing: list[tuple[str, Scripted]] = []
        self._lock = threading.Lock()
        self._server = _Server(self, host, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def paths(self) -> list[str]:
        """Paths and queries asked, in order."""
        return [request.path + request.query for request in self.requests]

    def environment(self) -> dict[str, str]:
        """Return the variables that make a process ask this server instead of the registries."""
        return {f"CM_SOURCE_URL_{host.upper()}": self.origin for host in HOSTS}

    def settings(self, **others: Any) -> Settings:
        """Return settings that ask this server, and nothing of the environment's `.env`."""
        values: dict[str, Any] = {f"source_url_{host}": self.origin for host in HOSTS} | others
        return Settings(_env_file=None, **values)

    def script(self, pattern: str, *replies: Scripted) -> None:
        """Answer the next requests whose path (with or without query) fits the glob, one reply each."""
        self._scripts.append((pattern, deque(replies)))

    def always(self, pattern: str, reply: Scripted) -> None:
        """Answer every request that fits the glob, once no script has anything left for it."""
        self._standing.insert(0, (pattern, reply))

    def recover(self) -> None:
        """Answer like the registries again, after `always`."""
        self._standing.clear()

    def reply_to(self, request: Request) -> Scripted:
        time.sleep(self._latency_s)
        with self._lock:  # a registry remembers, and replies of a script go out once
            self.requests.append(request)
            for pattern, replies in self._scripts:
                if replies and _fits(pattern, request):
                    return replies.popleft()
            for pattern, reply in self._standing:
                if _fits(pattern, request):
                    return reply
            if self.registry is None:
                return Scripted(404, body={"message": f"no reply is written for {request.path}"})
            return self.registry.answer(request)

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, replay: Replay, host: str, port: int) -> None:
        self.replay = replay
        super().__init__((host, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that go away are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path, mark, query = self.path.partition("?")
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, path, mark + query, headers, self.rfile.read(length))
        self._send(self.server.replay.reply_to(request))

    def _send(self, reply: Scripted) -> None:
        self.close_connection = reply.truncate or reply.hang or reply.close
        self.server.replay.stopping.wait(None if reply.hang else reply.delay_s)
        if reply.hang or reply.close:
            return
        payload = reply.payload
        self.send_response_only(reply.status)  # without a `Date` of its own: jobs compare it with their clock
        if self.server.replay.date is not None:
            self.send_header("date", format_datetime(self.server.replay.date, usegmt=True))
        for name, value in {"content-type": reply.content_type, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        if reply.truncate:
            payload = payload[: len(payload) // 2]
        for piece in [payload[i : i + 1] for i in range(len(payload))] if reply.drip_s else [payload]:
            self.wfile.write(piece)
            self.server.replay.stopping.wait(reply.drip_s)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Keep the test output clean."""


def _fits(pattern: str, request: Request) -> bool:
    return fnmatchcase(request.path, pattern) or fnmatchcase(request.path + request.query, pattern)


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve made-up registries on a loopback port.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--today", type=date.fromisoformat, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--latency-ms", type=int, default=0)
    options = parser.parse_args()
    registry = Registry(options.today, options.seed)
    with Replay(registry, port=options.port, latency_s=options.latency_ms / 1000) as replay:
        print(replay.origin, flush=True)  # noqa: T201  the process that started it waits for this line
        threading.Event().wait()


if __name__ == "__main__":
    main()

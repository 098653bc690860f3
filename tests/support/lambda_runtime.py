"""Lambda's Runtime API on loopback, and the real `awslambdaric` that polls it.

One process handles all events of a test, as a warm function does; `invoke` returns each response or error.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ROOT = "/2018-06-01/runtime"
_TIMEOUT_S = 60
_END = object()
"""In place of an event: the function ends. An event may be None."""
_KEPT = ("PATH", "HOME", "LANG", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


@contextmanager
def loop_of_mangum() -> Iterator[None]:
    """Give this thread the event loop that Mangum takes, and close it; its own one it leaves open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@dataclass(frozen=True)
class Outcome:
    """The result of one invocation, or of the start of the function."""

    is_error: bool
    body: Any


@dataclass
class Function:
    """A running function; `invoke` sends it one event at a time."""

    events: queue.Queue[Any] = field(default_factory=queue.Queue)
    outcomes: queue.Queue[Outcome] = field(default_factory=queue.Queue)

    def invoke(self, event: Any) -> Outcome:
        """Return the result of the event, or the error of the start."""
        self.events.put(event)
        return self.outcomes.get(timeout=_TIMEOUT_S)


@contextmanager
def started(handler: str, environment: Mapping[str, str]) -> Iterator[Function]:
    """Start `awslambdaric` for a handler, with `environment` and a few standard variables."""
    function = Function()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_class(function))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    variables = {name: os.environ[name] for name in _KEPT if name in os.environ} | {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_address[1]}",
        "AWS_LAMBDA_FUNCTION_NAME": "community-metrics-api",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "LAMBDA_TASK_ROOT": os.getcwd(),  # noqa: PTH109  awslambdaric needs a str
        **environment,
    }
    process = subprocess.Popen([sys.executable, "-m", "awslambdaric", handler], env=variables)
    try:
        yield function
    finally:
        process.kill()
        process.wait()
        function.events.put(_END)
        server.shutdown()
        server.server_close()


def _handler_class(function: Function) -> type[BaseHTTPRequestHandler]:
    class RuntimeApi(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            event = function.events.get()
            if event is _END:  # the process has ended
                self.close_connection = True
                return
            self._send(200, json.dumps(event).encode())

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"null")
            is_error = self.path.endswith("/error")
            if is_error or self.path.endswith("/response"):
                function.outcomes.put(Outcome(is_error, body))
            self._send(202, b'{"status":"OK"}')

        def handle(self) -> None:
            with suppress(ConnectionError):  # the process was killed
                super().handle()

        def log_message(self, *_: object) -> None:
            """Do not log."""

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.send_header("Lambda-Runtime-Aws-Request-Id", uuid.uuid4().hex)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + 29) * 1000)))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:1:function:api")
            self.end_headers()
            self.wfile.write(body)

    return RuntimeApi


def http_event(
    path: str,
    *,
    method: str = "GET",
    query: str = "",
    headers: Mapping[str, str] | None = None,
    stage: str = "$default",
    domain: str = "api.example.org",
) -> dict[str, Any]:
    """Return an event of payload format 2.0, which HTTP APIs and function URLs both send."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path if stage == "$default" else f"/{stage}{path}",
        "rawQueryString": query,
        "headers": {"host": domain, **(headers or {})},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": domain,
            "http": {
                "method": method,
                "path": path if stage == "$default" else f"/{stage}{path}",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "test",
            },
            "requestId": "id",
            "routeKey": "$default",
            "stage": stage,
            "time": "23/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1_795_435_200_000,
        },
        "isBase64Encoded": False,
    }


def function_url_event(
    path: str, *, query: str = "", headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return an event of a function URL: format 2.0 with its own domain and the default stage."""
    url_id = "4yfy3hqbkf7abcdefghijklmnopqrstu"
    domain = f"{url_id}.lambda-url.eu-west-1.on.aws"
    event = http_event(
        path,
        query=query,
        domain=domain,
        headers={
            "accept": "*/*",
            "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **(headers or {}),
        },
    )
    # without IAM authorization the caller is anonymous
    event["requestContext"] |= {"accountId": "anonymous", "apiId": url_id, "domainPrefix": url_id}
    if query:
        event["queryStringParameters"] = dict(pair.split("=", 1) for pair in query.split("&"))
    return event

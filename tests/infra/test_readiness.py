"""What a host checks before it takes the address and reports every 5 minutes: storage, API, nginx, TLS."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import UnixStreamServer
from typing import TYPE_CHECKING

import boto3
import pytest

from community_metrics.api.problems import DOCUMENTATION, TITLES
from infra.host import certificate, readiness
from infra.release import HOST_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from socketserver import BaseServer

    from tests.infra.rehearsal.recorder import Recorder

HOST = "metrics-api.example.org"
READY, HEALTHY = (200, '{"status":"ready"}'), (200, '{"status":"ok"}')
UNREACHABLE = (503, json.dumps({"title": "Storage unavailable", "detail": "The database cannot be reached."}))
NO_TABLES = (503, json.dumps({"type": f"{DOCUMENTATION}#storage-not-ready", "title": "a", "detail": "b"}))
REJECTED = (403, json.dumps({"type": f"{DOCUMENTATION}#storage-denied", "title": "a", "detail": "b"}))
EDGE_LINE = '{{"event":"edge","request_id":"a","method":"GET","path":"/{path}","status":{status},"bytes":1}}'


def handler(answer: tuple[int, str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer
            self.send_response_only(status)
            self.end_headers()
            self.wfile.write(body.encode())

    return Handler


@contextmanager
def served(server: BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Host:
    """An API on a socket and an nginx with a certificate, each with a fixed response."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self.api_socket = str(folder / "api.sock")
        self.nginx = ("127.0.0.1", 9)  # nothing listens there

    def start_api(self, answer: tuple[int, str]) -> None:
        self._stack.enter_context(served(UnixStreamServer(self.api_socket, handler(answer))))

    def start_nginx(self, answer: tuple[int, str], name: str = HOST) -> None:
        certificate.write_placeholder(self.folder, name, datetime.now(UTC))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "fullchain.pem", self.folder / "privkey.pem")
        context.sni_callback = lambda _, asked, __: (
            None if asked == name else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        )
        server = HTTPServer(("127.0.0.1", 0), handler(answer))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        self._stack.enter_context(served(server))
        self.nginx = ("127.0.0.1", server.server_port)

    def problems(self) -> list[str]:
        return readiness.problems(HOST, self.api_socket, self.nginx)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with ExitStack() as stack:
        yield Host(tmp_path, stack)


def test_a_host_is_ready_if_storage_and_nginx_answer_also_with_a_placeholder(host: Host) -> None:
    host.start_api(READY)
    host.start_nginx(HEALTHY)

    assert host.problems() == []


def test_a_host_without_storage_is_not_ready_and_the_reason_is_the_problem_of_the_api(host: Host) -> None:
    host.start_api(UNREACHABLE)
    host.start_nginx(HEALTHY)

    (problem,) = host.problems()
    assert problem == (
        f"GET /api/v1/ready on {host.api_socket} returned 503: "
        "Storage unavailable. The database cannot be reached."
    )


def test_a_host_whose_nginx_is_off_is_not_ready(host: Host) -> None:
    host.start_api(READY)

    (problem,) = host.problems()
    assert problem.startswith(f"GET https://{HOST}/api/v1/health from this host failed: ConnectionRefused")


def test_a_host_whose_nginx_does_not_know_the_name_is_not_ready(host: Host) -> None:
    host.start_api(READY)
    host.start_nginx(HEALTHY, name="other.example.org")

    (problem,) = host.problems()
    assert "UNRECOGNIZED_NAME" in problem


def test_a_host_whose_nginx_cannot_reach_the_api_is_not_ready(host: Host) -> None:
    host.start_nginx((502, "<html>Bad Gateway</html>"))

    api, nginx = host.problems()
    assert "failed: FileNotFoundError" in api
    assert nginx.endswith("returned 502: <html>Bad Gateway</html>")


@pytest.mark.parametrize(
    ("answer", "expected"), [(NO_TABLES, True), (REJECTED, False), (READY, False), (None, False)]
)
def test_only_storage_that_answers_can_have_no_tables(
    host: Host, answer: tuple[int, str] | None, expected: bool
) -> None:
    if answer:
        host.start_api(answer)

    assert readiness.has_no_tables(host.api_socket) is expected


def test_the_problem_of_missing_tables_has_its_name_in_the_api() -> None:
    assert readiness.NO_TABLES in TITLES


def test_only_responses_with_a_5xx_status_count_as_server_errors() -> None:
    lines = [EDGE_LINE.format(path="a", status=status) for status in (200, 404, 500, 502, 503, 599)]
    lines += [EDGE_LINE.format(path=r"a\",\"status\":500,", status=200)]  # as nginx escapes a path
    lines += ["started", "5", '{"event":"request","status":503}', '{"event":"edge","status":000}', "[]"]

    assert readiness.server_errors("\n".join(lines).encode()) == 4


def test_the_line_of_nginx_is_the_one_that_is_counted() -> None:
    text = (HOST_FILES / "files/etc/nginx/community-metrics/log.conf").read_text(encoding="utf-8")
    (log_format,) = re.findall(r"log_format edge escape=json (.*?);", text, re.DOTALL)
    line = "".join(re.findall(r"'([^']*)'", log_format)).replace("$status", "503")
    line = re.sub(r":\$\w+", ":1", line)  # the other numbers

    assert readiness.server_errors(line.encode()) == 1


def test_the_window_of_the_log_is_the_interval_of_the_timer() -> None:
    units = HOST_FILES / "files/etc/systemd/system"
    timer = (units / "community-metrics-readiness.timer").read_text(encoding="utf-8")

    assert "OnCalendar=*:0/5\n" in timer
    assert readiness.WINDOW_S == 300


def test_the_gauges_are_sent(aws: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a")

    readiness.publish(
        "us-east-1", "CommunityMetrics/staging", {readiness.READY: 1.0, readiness.SERVER_ERRORS: 2.0}
    )

    metrics = boto3.client("cloudwatch", region_name="us-east-1").list_metrics()["Metrics"]
    assert {(metric["Namespace"], metric["MetricName"]) for metric in metrics} == {
        ("CommunityMetrics/staging", "Ready"),
        ("CommunityMetrics/staging", "ServerErrors"),
    }
    assert {call.action for call in aws.calls} >= {"cloudwatch:PutMetricData"}


def test_an_answer_that_never_comes_ends(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host.nginx = silent.getsockname()

        assert "TimeoutError" in host.problems()[1]

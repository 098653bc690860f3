#!/usr/bin/python3
"""Check that this host can serve: storage, the API, nginx and TLS. Every 5 minutes, report it to CloudWatch.

The bootstrap calls `problems` before the host signals success, and so before the host gets the address. The
timer `community-metrics-readiness.timer` runs this file as `cm-readiness`, which sends two gauges: `Ready`
(1 or 0) and `ServerErrors`, the 5xx responses in nginx's log. Uses Debian's Python and packages only.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

DEPLOYMENT = Path("/var/lib/community-metrics/deployment.json")
API_SOCKET = "/run/community-metrics/api.sock"
HEALTH_PATH, READY_PATH = "/api/v1/health", "/api/v1/ready"
NGINX = ("127.0.0.1", 443)
READY, SERVER_ERRORS = "Ready", "ServerErrors"
WINDOW_S = 300  # the interval of the timer
TIMEOUT_S = 15  # longer than the API waits for storage
NO_TABLES = "storage-not-ready"


class _Connection(http.client.HTTPConnection):
    """An HTTP connection over a socket that is connected already."""

    def __init__(self, host: str, connected: socket.socket) -> None:
        super().__init__(host)
        self.sock = connected


def problems(api_host: str, api_socket: str = API_SOCKET, nginx: tuple[str, int] = NGINX) -> list[str]:
    """Return why this host cannot serve, one sentence for each part that fails; empty if it can."""
    found = [
        _problem(f"GET {READY_PATH} on {api_socket}", lambda: ask_api(READY_PATH, api_socket)),
        _problem(f"GET https://{api_host}{HEALTH_PATH} from this host", lambda: ask_nginx(api_host, nginx)),
    ]
    return [problem for problem in found if problem is not None]


def _problem(name: str, ask: Callable[[], tuple[int, bytes]]) -> str | None:
    try:
        status, body = ask()
    except (OSError, http.client.HTTPException) as error:
        return f"{name} failed: {error!r}"
    return None if status == http.client.OK else f"{name} returned {status}: {detail_of(body)}"


def has_no_tables(api_socket: str = API_SOCKET) -> bool:
    """Return whether storage answers that the tables do not exist, as in a new deployment."""
    try:
        status, body = ask_api(READY_PATH, api_socket)
    except (OSError, http.client.HTTPException):
        return False
    return status == http.client.SERVICE_UNAVAILABLE and f"#{NO_TABLES}".encode() in body


def ask_api(path: str, api_socket: str = API_SOCKET) -> tuple[int, bytes]:
    """Return the status and body of a GET on the API's socket.

    Raises:
        OSError, http.client.HTTPException: the API does not answer.
    """
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(TIMEOUT_S)
        client.connect(api_socket)
        return _get(client, "localhost", path)


def ask_nginx(api_host: str, nginx: tuple[str, int] = NGINX) -> tuple[int, bytes]:
    """Return the status and body of the health check through nginx and TLS, by the API's name.

    Raises:
        OSError, http.client.HTTPException: nginx does not answer, or has no certificate for the name.
    """
    # not verified: a new host has a placeholder, and one with an expired certificate needs the address to
    # renew it. nginx rejects the handshake for any other name.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(nginx, TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname=api_host) as secured,
    ):
        return _get(secured, api_host, HEALTH_PATH)


def _get(connected: socket.socket, host: str, path: str) -> tuple[int, bytes]:
    connection = _Connection(host, connected)
    connection.request("GET", path, headers={"Connection": "close"})
    response = connection.getresponse()
    return response.status, response.read()


def detail_of(body: bytes) -> str:
    """Return the title and detail of a problem document; the beginning of any other body."""
    try:
        problem = json.loads(body)
        return f"{problem['title']}. {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return body[:200].decode(errors="replace")


def server_errors(log: bytes) -> int:
    """Return how many lines of nginx's log are responses with a 5xx status."""
    return sum(_status_of(line) >= http.client.INTERNAL_SERVER_ERROR for line in log.split(b"\n"))


def _status_of(line: bytes) -> int:
    """Return the status in a line of nginx's access log; 0 for any other line."""
    try:
        entry = json.loads(line.decode(errors="replace"))
        return int(entry["status"]) if entry["event"] == "edge" else 0
    except (ValueError, KeyError, TypeError):
        return 0


def read_log() -> bytes:
    """Return the lines that nginx logged in the last 5 minutes."""
    since = f"--since=-{WINDOW_S}s"
    command = ["journalctl", "--quiet", "--no-pager", "--output=cat", "--unit=nginx.service", since]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


def publish(region: str, namespace: str, gauges: dict[str, float]) -> None:
    """Send the gauges to CloudWatch.

    Raises:
        BotoCoreError, ClientError: CloudWatch rejects them or cannot be reached.
    """
    config = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})
    data: list[Any] = [{"MetricName": name, "Value": value} for name, value in gauges.items()]
    client = boto3.client("cloudwatch", region_name=region, config=config)
    client.put_metric_data(Namespace=namespace, MetricData=data)


def main() -> int:
    """Measure, print and send both gauges; return 1 if they could not be sent."""
    facts = json.loads(DEPLOYMENT.read_text(encoding="utf-8"))
    found = problems(facts["api_host"])
    for problem in found:
        print(f"not ready: {problem}", flush=True)
    gauges = {READY: float(not found), SERVER_ERRORS: float(server_errors(read_log()))}
    print(json.dumps(gauges), flush=True)
    try:
        publish(facts["region"], facts["metric_namespace"], gauges)
    except (BotoCoreError, ClientError) as error:
        print(f"gauges not sent: {error}. Fix: allow the role cloudwatch:PutMetricData", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

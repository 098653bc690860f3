"""The instance metadata service (IMDSv2 only): tokens, the role's credentials, addresses."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.host.addresses import METADATA
from tests.host.services import Server

ROLE = "community-metrics-host"
_TOKEN_HEADER = "X-aws-ec2-metadata-token"
_LIFE_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"


@dataclass
class InstanceMetadata:
    """The metadata of every box; `public_address` is by private address.

    As on EC2, a token is valid only for the instance that requested it.
    """

    region: str
    public_address: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    """Client, path and status of each request."""
    tokens: dict[str, str] = field(default_factory=dict)
    life: timedelta = timedelta(hours=6)
    """The lifetime of the role's credentials; a box whose clock is ahead needs a longer one."""

    def answer(self, client: str, path: str) -> str | None:
        """Return the text at a metadata path."""
        base = "/latest/meta-data"
        texts = {
            f"{base}/": "iam/\ninstance-id\nlocal-ipv4\nplacement/\npublic-ipv4",
            f"{base}/iam/security-credentials/": ROLE,
            f"{base}/iam/security-credentials/{ROLE}": json.dumps(_credentials(self.life)),
            f"{base}/instance-id": instance_id(client),
            f"{base}/local-ipv4": client,
            f"{base}/public-ipv4": self.public_address.get(client, client),
            f"{base}/placement/region": self.region,
            f"{base}/placement/availability-zone": f"{self.region}a",
            "/latest/dynamic/instance-identity/document": json.dumps({"region": self.region}),
        }
        return texts.get(path, texts.get(f"{path}/"))

    def server(self, address: tuple[str, int] = (METADATA, 80)) -> Server:
        """Return the server, bound in the caller's network."""

        class Handler(_Handler):
            metadata = self

        return Server(address, Handler)


def instance_id(client: str) -> str:
    """Return the id of the instance with this private address."""
    return f"i-{int(client.rpartition('.')[2]):017x}"


def _credentials(life: timedelta) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "Code": "Success",
        "Type": "AWS-HMAC",
        "AccessKeyId": "ASIAREHEARSAL0000000",
        "SecretAccessKey": "secret-of-the-instance-role",
        "Token": "session-token-of-the-instance-role",
        "LastUpdated": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "Expiration": f"{now + life:%Y-%m-%dT%H:%M:%SZ}",
    }


class _Handler(BaseHTTPRequestHandler):
    metadata: InstanceMetadata
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        life = self.headers.get(_LIFE_HEADER, "")
        if self.path != "/latest/api/token" or not life.isdigit():
            self._send(400, "")
            return
        token = secrets.token_urlsafe(32)
        self.metadata.tokens[token] = self.client_address[0]
        self._send(200, token, {_LIFE_HEADER: life})

    def do_GET(self) -> None:
        client = self.client_address[0]
        if self.metadata.tokens.get(self.headers.get(_TOKEN_HEADER, "")) != client:
            self._send(401, "Unauthorized")
            return
        text = self.metadata.answer(client, self.path)
        self._send(404 if text is None else 200, text or "")

    def _send(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        self.metadata.requests.append((self.client_address[0], self.path, status))
        self.send_response_only(status)
        for name, value in {"Content-Type": "text/plain", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name in http.server
        """Do not log."""

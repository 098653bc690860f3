"""A proxy in front of moto's server that records the action and the resource of each request.

It answers `SignalResource` itself, which moto does not support, with the empty response of AWS. It rejects a
signal whose `UniqueId` is not the id of the sending instance, as CloudFormation does.
"""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tests.host.imds import instance_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_SIGNALLED = b"<SignalResourceResponse><ResponseMetadata/></SignalResourceResponse>"
_REJECTED = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>"
    "<Message>UniqueId is not the instance ID {expected}</Message></Error></ErrorResponse>"
)
_DENIED_JSON = b'{"__type": "AccessDeniedException", "Message": "not authorized"}'
_DENIED_S3 = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
_DENIED_QUERY = (
    b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
    b"<Message>not authorized</Message></Error></ErrorResponse>"
)
_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_SES_PATH = "/v2/email/outbound-emails"
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length"}
_THIS_NETWORK = nullcontext()


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as an IAM policy sees it: `s3:GetObject` on `arn:aws:s3:::bucket/key`."""

    action: str
    resource: str


@dataclass
class Recorder:
    """The recorded calls, and the accepted signals."""

    server_port: int
    port: int = 0
    calls: list[Call] = field(default_factory=list)
    signals: list[dict[str, str]] = field(default_factory=list)
    denials: dict[str, int] = field(default_factory=dict)
    """How many of the next calls of an action to deny, as AWS does while a new role is not effective yet."""

    @property
    def endpoint(self) -> str:
        """The URL of this AWS."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def recording(
    server_port: int,
    address: tuple[str, int] = ("127.0.0.1", 0),
    network: AbstractContextManager[object] = _THIS_NETWORK,
) -> Iterator[Recorder]:
    """Record the requests to the server, at this address of a network."""
    recorder = Recorder(server_port)

    class Handler(_Handler):
        pass

    Handler.recorder = recorder
    with network:
        proxy = ThreadingHTTPServer(address, Handler)
    with proxy:
        recorder.port = proxy.server_address[1]
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        yield recorder
        proxy.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    recorder: Recorder

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        call = self._call(body)
        self.recorder.calls.append(call)
        if self.recorder.denials.get(call.action, 0) > 0:
            self.recorder.denials[call.action] -= 1
            self._deny(call)
            return
        if call.action == "cloudformation:SignalResource":
            self._count({key: value[0] for key, value in parse_qs(body.decode()).items()})
            return
        self._forward(body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815  names of http.server

    def _deny(self, call: Call) -> None:
        is_json = "X-Amz-Target" in self.headers
        text = _DENIED_JSON if is_json else _DENIED_S3 if call.action.startswith("s3:") else _DENIED_QUERY
        kind = "application/x-amz-json-1.1" if is_json else "text/xml"
        self._send(400 if is_json else 403, [("Content-Type", kind)], text)

    def _count(self, signal: dict[str, str]) -> None:
        expected = instance_id(self.client_address[0])
        if signal.get("UniqueId") != expected:
            self._send(400, [("Content-Type", "text/xml")], _REJECTED.format(expected=expected).encode())
            return
        self.recorder.signals.append(signal)
        self._send(200, [("Content-Type", "text/xml")], _SIGNALLED)

    def _call(self, body: bytes) -> Call:
        scope = _SCOPE.search(self.headers.get("Authorization", ""))
        service = {"monitoring": "cloudwatch"}.get(scope[1], scope[1]) if scope else "unsigned"
        if service == "s3":
            return _s3_call(self.command, self.path, body)
        if service == "ses" and self.path == _SES_PATH:
            return Call("ses:SendEmail", f"identity/{json.loads(body)['FromEmailAddress']}")
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        action = target or parse_qs(body.decode()).get("Action", ["?"])[0]
        named = re.search(rb'"(?:SecretId|logGroupName)": ?"([^"]+)"', body)
        return Call(f"{service}:{action}", named[1].decode() if named else "")

    def _forward(self, body: bytes) -> None:
        upstream = HTTPConnection("127.0.0.1", self.recorder.server_port, timeout=60)
        headers = {key: value for key, value in self.headers.items() if key.lower() not in _HOP_BY_HOP}
        upstream.request(self.command, self.path, body, headers)
        answer = upstream.getresponse()
        content = answer.read()
        kept = [(key, value) for key, value in answer.getheaders() if key.lower() not in _HOP_BY_HOP]
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self._send(answer.status, kept, content, length)
        upstream.close()

    def _send(
        self, status: int, headers: list[tuple[str, str]], content: bytes, length: str | None = None
    ) -> None:
        self.send_response_only(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name in http.server
        """Do not log."""


def _s3_call(method: str, path: str, body: bytes) -> Call:
    parts = urlsplit(path)
    bucket, _, key = parts.path.lstrip("/").partition("/")
    query = parse_qs(parts.query, keep_blank_values=True)
    if "delete" in query:  # several objects with the same prefix: record the first
        first = re.search(rb"<Key>([^<]+)</Key>", body)
        return Call("s3:DeleteObject", f"arn:aws:s3:::{bucket}/{first[1].decode() if first else ''}")
    if not key:
        return Call("s3:ListBucket", f"arn:aws:s3:::{bucket}")
    actions = {"GET": "GetObject", "HEAD": "GetObject", "DELETE": "DeleteObject"}
    action = actions.get(method, "PutObject")
    if method == "DELETE" and "uploadId" in query:
        action = "AbortMultipartUpload"
    return Call(f"s3:{action}", f"arn:aws:s3:::{bucket}/{key}")

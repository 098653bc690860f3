"""One request to an ASGI application, without a server: what the application received and what it sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]


@dataclass
class Sent:
    """The messages of one response."""

    messages: list[Message] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The status; 0 if the response has not started."""
        return next((one["status"] for one in self.messages if one["type"] == "http.response.start"), 0)

    @property
    def headers(self) -> Headers:
        """The headers as sent, in order."""
        (start,) = (one for one in self.messages if one["type"] == "http.response.start")
        return list(start["headers"])

    def header(self, name: str) -> str | None:
        """Return a header; None if it is missing, an error if it is repeated."""
        values = [value.decode() for key, value in self.headers if key.lower() == name.encode()]
        assert len(values) < 2, f"{name} is repeated"
        return values[0] if values else None

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(one.get("body", b"") for one in self.messages if one["type"] == "http.response.body")


@dataclass
class Responds:
    """An application with one response; `scopes` and `received` are of the requests it received."""

    status: int = 200
    headers: Headers = field(default_factory=list)
    body: bytes = b"hello"
    scopes: list[Scope] = field(default_factory=list)
    received: list[Message] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        self.scopes.append(scope)
        self.received.append(await receive())
        await send({"type": "http.response.start", "status": self.status, "headers": list(self.headers)})
        await send({"type": "http.response.body", "body": self.body})


def http(path: str = "/x", *, method: str = "GET", **headers: str | None) -> dict[str, Any]:
    """Return the scope of a request; `if_none_match="x"` is the header `if-none-match`, None is no header."""
    given = [(name.replace("_", "-").encode(), value) for name, value in headers.items()]
    raw = [(name, value.encode()) for name, value in given if value is not None]
    return {"type": "http", "method": method, "path": path, "query_string": b"", "headers": raw}


async def requested(app: ASGIApp, scope: Scope, sent: Sent | None = None) -> Sent:
    """Return what the application sends; pass `sent` to see it although the application raises."""
    found = sent or Sent()
    received: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if not received:
            await asyncio.get_running_loop().create_future()  # the client stays
        return received.pop()

    async def send(message: Message) -> None:
        found.messages.append(message)

    await app(scope, receive, send)
    return found

"""A GET with exactly this path: httpx removes dots from one and refuses a long one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message


class RawResponse(NamedTuple):
    """Status, headers and complete body of a response."""

    status: int
    headers: dict[str, str]
    body: bytes


async def raw_get(app: ASGIApp, path: str, headers: dict[str, str] | None = None) -> RawResponse:
    """Return the response of an application to a GET of `path`, which may have a query."""
    name, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "server": ("api.test", 80),
        "root_path": "",
        "path": unquote(name),
        "raw_path": name.encode(),
        "query_string": query.encode(),
        "headers": [(key.encode(), value.encode()) for key, value in (headers or {}).items()],
    }
    messages: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()  # the client stays
        raise AssertionError

    async def send(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, send)
    start, *bodies = messages
    found = {key.decode(): value.decode() for key, value in start["headers"]}
    return RawResponse(start["status"], found, b"".join(message.get("body", b"") for message in bodies))

"""The API called as an ASGI application without bodies in memory, and what an early busy response is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from community_metrics.api.app import create_app
from community_metrics.api.cache.database import READ_TIMEOUT_S, ReadDatabase
from community_metrics.api.cache.store import BodyStore
from community_metrics.api.middleware.request_log import log_nothing
from community_metrics.config import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx
    from starlette.types import ASGIApp, Message

    from community_metrics.clock import Clock


def uncached_app(
    database: str, clock: Clock | None = None, *, read_timeout_s: float = READ_TIMEOUT_S
) -> ASGIApp:
    """Return our API over a database; it builds every body anew."""
    settings = Settings(_env_file=None, db_path=database)
    return create_app(
        settings,
        clock=clock,
        store=BodyStore(capacity_bytes=0),
        database=ReadDatabase(settings, read_timeout_s=read_timeout_s),
        log_request=log_nothing,
    )


async def answered(app: ASGIApp, path: str) -> None:
    """GET a path with its query; the response must be a 200."""
    status, body = await ask(app, path)
    assert status == 200, (status, body)


async def ask(app: ASGIApp, path: str) -> tuple[int, bytes]:
    """GET a path with its query; return the status and the body."""
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1")],
        "root_path": "",
    }
    sent: list[Message] = []
    await app(scope, _connected(), _collector(sent))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def is_busy(response: httpx.Response) -> bool:
    """Return whether a response is the 503 of an overload, which says when to try again."""
    is_problem = response.status_code == 503 and "retry-after" in response.headers
    return is_problem and str(response.json()["type"]).endswith("#busy")


def _connected() -> Callable[[], Awaitable[Message]]:
    """Return a `receive` of a client that sends its request once and then stays connected."""
    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop()

    return receive


def _collector(sent: list[Message]) -> Any:
    async def send(message: Message) -> None:
        sent.append(message)

    return send

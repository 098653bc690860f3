"""The outermost layer: one log line and one id for each request, and the headers of every answer."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Final

from community_metrics.api.middleware.answer_headers import completed
from community_metrics.api.middleware.state import Notes, header, put_notes
from community_metrics.api.middleware.request_log import RequestLine

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from community_metrics.clock import Clock

REQUEST_ID: Final = b"x-request-id"
_SANE_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")


class Edge:
    """Logs method, path, status, milliseconds and what the cache did; never a query, a header or a token.

    A request id that came in goes out again if it is of sane characters, so that one id spans proxies; any
    other request gets one. What is raised below and was not answered becomes a 500 that tells the id alone.
    """

    def __init__(
        self, app: ASGIApp, clock: Clock, write_line: Callable[[RequestLine, datetime], None]
    ) -> None:
        self._app = app
        self._clock = clock
        self._write_line = write_line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and write its line, also when the caller went away."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        notes = Notes(request_id=_request_id(scope))
        put_notes(scope, notes)
        began = self._clock.monotonic()

        # the only wrapper of `send` on the way of an answer from memory: each costs 2 % of a 304
        async def send_complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                notes.status = message["status"]
                headers = completed(tuple(message["headers"]))
                message["headers"] = [*headers, (REQUEST_ID, notes.request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_complete)
        finally:
            took_ms = round((self._clock.monotonic() - began) * 1000, 2)
            self._write_line(
                RequestLine(
                    notes.request_id, scope["method"], scope["path"], notes.status, took_ms, notes.cache
                ),
                self._clock.now(),
            )


def _request_id(scope: Scope) -> str:
    given = header(scope["headers"], REQUEST_ID)
    if given is not None and _SANE_ID.fullmatch(given):
        return given.decode()
    return f"{random.getrandbits(128):032x}"

"""HEAD wherever GET works: the same headers, `Content-Length` included, and no body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

WITHOUT_BODY: Final = "community_metrics.head"
"""Set in the scope of a HEAD request, for routes whose body is expensive to build, and for the log."""


class HeadAsGet:
    """Handles HEAD as GET and drops the body of the response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET", WITHOUT_BODY: True}, receive, send_head)

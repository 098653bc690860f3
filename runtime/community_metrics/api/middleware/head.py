"""HEAD wherever GET works: the same headers, the length among them, and no body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

WITHOUT_BODY: Final = "community_metrics.head"
"""Set in the scope of a HEAD request, for routes whose body would be dear to make for nobody."""


class HeadAsGet:
    """Asks the app below for GET and lets only the head of the answer through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        # a copy, so that the log still says HEAD
        await self._app({**scope, "method": "GET", WITHOUT_BODY: True}, receive, send_head)

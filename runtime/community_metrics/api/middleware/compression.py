"""gzip for a server without nginx in front of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class CompressionMiddleware:
    """Starlette's gzip, with the tags that RFC 9110 requires.

    A strong tag identifies the exact bytes, so a compressed body has a weak one; a 304 has the tag and the
    `Vary` of its 200.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._compressing = GZipMiddleware(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        accepts_gzip = scope["type"] == "http" and "gzip" in Headers(scope=scope).get("accept-encoding", "")

        async def send_tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_not_modified = message["status"] == HTTPStatus.NOT_MODIFIED
                if is_not_modified:
                    headers.add_vary_header("Accept-Encoding")
                is_compressed = "content-encoding" in headers or (is_not_modified and accepts_gzip)
                if is_compressed and headers.get("etag", "").startswith('"'):
                    headers["etag"] = f"W/{headers['etag']}"
            await send(message)

        await self._compressing(scope, receive, send_tagged)

"""gzip for a server without nginx in front of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from community_metrics.api.context import PARQUET, header
from community_metrics.api.middleware.head import HeadAsGet
from community_metrics.api.negotiation import accepts_gzip

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_COMPRESSED_ALREADY: Final = (*DEFAULT_EXCLUDED_CONTENT_TYPES, PARQUET)


class CompressionMiddleware:
    """Starlette's gzip, with the tags that RFC 9110 requires.

    A strong tag identifies the exact bytes, so a compressed body has a weak one; a 304 has the tag and the
    `Vary` of its 200.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._compressing = HeadAsGet(GZipMiddleware(app, exclude_content_types=_COMPRESSED_ALREADY))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._compressing(scope, receive, send)
            return
        is_accepted = accepts_gzip(header(scope["headers"], b"accept-encoding"))
        others = [item for item in scope["headers"] if item[0] != b"accept-encoding"]
        # Starlette looks for the word alone, which `gzip;q=0` has too
        wanted = [*others, (b"accept-encoding", b"gzip")] if is_accepted else others

        async def send_tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_not_modified = message["status"] == HTTPStatus.NOT_MODIFIED
                if is_not_modified:
                    headers.add_vary_header("Accept-Encoding")
                is_compressed = "content-encoding" in headers or (is_not_modified and is_accepted)
                if is_compressed and headers.get("etag", "").startswith('"'):
                    headers["etag"] = f"W/{headers['etag']}"
            await send(message)

        await self._compressing({**scope, "headers": wanted}, receive, send_tagged)

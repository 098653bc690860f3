"""Which pages may read the API: exactly the origins of `CM_CORS_ORIGINS`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from community_metrics.api.middleware.state import header
from community_metrics.api.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.datastructures import Headers
    from starlette.types import ASGIApp, Receive, Scope, Send

READABLE_HEADERS: Final = (
    "ETag",
    "Age",
    "Link",
    "Retry-After",
    "X-Data-Stale",
    "X-Request-ID",
    "Cache-Status",
)
"""What a page's script may see beside the body."""
_METHODS: Final = ("GET", "HEAD")
_HEADERS: Final = ("Authorization", "If-None-Match", "X-Request-ID")
_HEADERS_ASKED: Final = "access-control-request-headers"


class ExactOrigins(CORSMiddleware):
    """Starlette's CORS for GET and HEAD; a refused preflight has the shape of every other error."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=_METHODS,
            allow_headers=_HEADERS,
            expose_headers=READABLE_HEADERS,
            max_age=86_400,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; one that no page sent passes untouched."""
        if scope["type"] == "http" and header(scope["headers"], b"origin") is None:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a browser that asks whether a page may ask."""
        answer = super().preflight_response(request_headers)
        return answer if answer.status_code < 400 else _Refusal(self._refused(request_headers))  # noqa: PLR2004  the first error

    def _refused(self, asked: Headers) -> list[str]:
        """Return what of a preflight is refused, each with what is allowed."""
        refused = []
        origin, method = asked["origin"], asked["access-control-request-method"]
        if not self.is_allowed_origin(origin):
            refused.append(
                f"the origin {origin} (CM_CORS_ORIGINS of the service names those that may read it)"
            )
        if method not in _METHODS:
            refused.append(f"the method {method} (allowed: {', '.join(_METHODS)})")
        asked_headers = asked.get(_HEADERS_ASKED, _HEADERS[0])
        names = [name.strip().lower() for name in asked_headers.split(",")]
        if strange := [name or "without a name" for name in names if name not in self.allow_headers]:
            refused.append(f"the header {', '.join(strange)} (allowed: {', '.join(_HEADERS)})")
        if "access-control-request-private-network" in asked:
            refused.append("the way from a public page into a private network")
        return refused


class _Refusal(Response):
    """A refused preflight; only when it is sent is the path known that was asked for."""

    def __init__(self, refused: Sequence[str]) -> None:
        super().__init__()
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = Problem("preflight-refused", f"Refused: {'; '.join(self._refused)}.")
        await refusal.response(scope["path"])(scope, receive, send)

"""Which pages may read the API: exactly the origins of `CM_CORS_ORIGINS`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from community_metrics.api.middleware.notes import header
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


class ExactOrigins(CORSMiddleware):
    """Starlette's CORS for GET and HEAD; a refused preflight has the shape of every other error."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=("GET", "HEAD"),
            allow_headers=("Authorization", "If-None-Match", "X-Request-ID"),
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
        return answer if answer.status_code < 400 else _Refusal(bytes(answer.body))  # noqa: PLR2004  the first error


class _Refusal(Response):
    """A refused preflight; only when it is sent is the path known that was asked for."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = Problem(
            "preflight-refused",
            f"{bytes(self.body).decode()}. "
            "CM_CORS_ORIGINS of the service names the origins that may, with GET and HEAD.",
        )
        await refusal.response(scope["path"])(scope, receive, send)

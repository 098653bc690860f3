"""The built dashboard beside the API, for a laptop: `/api/` is the API's, everything else a file of the page.

Production does not come through here: there the page lives on Vercel and `create_app` serves the API alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse
from starlette.staticfiles import StaticFiles

from community_metrics.api.cache import PREFIX
from community_metrics.api.middleware.answer_headers import SECURITY_HEADERS

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_API_PATHS: Final = ("/api/", "/docs", "/openapi.json")
_FOREVER: Final = "public, max-age=31536000, immutable"
_ALWAYS_ASK: Final = "no-cache"


class WithPage:
    """The API, and beside it the files of `folder`; where that is None, `/` leads to the API's own page."""

    def __init__(self, api: ASGIApp, folder: Path | None) -> None:
        # compressed here because no nginx stands in front
        self._api = GZipMiddleware(api)
        # the policy of scripts and styles stands in the page itself, where the build knows their hashes
        self._files = GZipMiddleware(_files_of(folder)) if folder else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"].startswith(_API_PATHS):
            await self._api(scope, receive, send)
        elif self._files is not None:
            await self._files(scope, receive, _with_headers(scope["path"], send))
        elif scope["path"] == "/":
            await RedirectResponse(f"{PREFIX}docs")(scope, receive, send)
        else:
            await self._api(scope, receive, send)


def _files_of(folder: Path) -> ASGIApp:
    """Return the files, with a plain 404 for what is none of them."""
    return ExceptionMiddleware(StaticFiles(directory=folder, html=True))


def _with_headers(path: str, send: Send) -> Send:
    """Add the security headers, and let a browser keep what has its hash in its name."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.raw.extend(SECURITY_HEADERS)
            headers["content-security-policy"] = "frame-ancestors 'none'"
            headers["cache-control"] = _FOREVER if path.startswith("/assets/") else _ALWAYS_ASK
        await send(message)

    return send_with_headers

"""The built dashboard beside the API, for a laptop: `/api/` is the API's, everything else a file of the page.

Production does not come through here: there the page lives on Vercel and `create_app` serves the API alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from community_metrics.api.middleware.answer_headers import SECURITY_HEADERS

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_API_PATHS: Final = ("/api/", "/docs", "/openapi.json")
_FOREVER: Final = "public, max-age=31536000, immutable"
_ALWAYS_ASK: Final = "no-cache"
_NOT_MODIFIED: Final = 304


class WithPage:
    """The API, and beside it the files of `folder`; where that is None, every path is the API's."""

    def __init__(self, api: ASGIApp, folder: Path | None) -> None:
        # compressed here because no nginx stands in front
        self._api = _compressed(api)
        # the policy of scripts and styles stands in the page itself, where the build knows their hashes
        self._files = _compressed(_files_of(folder)) if folder else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._files is None or scope["type"] != "http" or scope["path"].startswith(_API_PATHS):
            await self._api(scope, receive, send)
        else:
            await self._files(scope, receive, _with_headers(scope["path"], send))


def _files_of(folder: Path) -> ASGIApp:
    """Return the files, with a plain 404 for what is none of them."""
    return ExceptionMiddleware(StaticFiles(directory=folder, html=True))


def _compressed(app: ASGIApp) -> ASGIApp:
    """Compress with gzip where the caller takes it, under a tag that says so.

    A strong tag stands for the very bytes, so the compressed ones may not have it: theirs is a weak one.
    """
    compressing = GZipMiddleware(app)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        takes_gzip = scope["type"] == "http" and "gzip" in Headers(scope=scope).get("accept-encoding", "")

        async def send_tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                _tag(MutableHeaders(scope=message), message["status"], takes_gzip=takes_gzip)
            await send(message)

        await compressing(scope, receive, send_tagged)

    return answer


def _tag(headers: MutableHeaders, status: int, *, takes_gzip: bool) -> None:
    """Correct the head of an answer: a 304 has the tag and the `Vary` that its 200 would have."""
    is_not_modified = status == _NOT_MODIFIED
    if is_not_modified:
        headers.add_vary_header("Accept-Encoding")
    is_other_bytes = "content-encoding" in headers or (is_not_modified and takes_gzip)
    if is_other_bytes and headers.get("etag", "").startswith('"'):
        headers["etag"] = f"W/{headers['etag']}"


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

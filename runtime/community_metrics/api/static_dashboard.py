"""The built dashboard on the API's own origin, for a laptop; in production it is on Vercel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

_API_PATHS: Final = ("/api/", "/docs", "/openapi.json")
_HASHED_PATHS: Final = "/assets/"
_FOREVER: Final = "public, max-age=31536000, immutable"
_REVALIDATE: Final = "no-cache"


class StaticDashboard:
    """Serves the files of `folder` on every path that is not the API's."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._files = ExceptionMiddleware(_DashboardFiles(directory=folder, html=True))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        is_for_api = scope["type"] != "http" or scope["path"].startswith(_API_PATHS)
        await (self._app if is_for_api else self._files)(scope, receive, send)


class _DashboardFiles(StaticFiles):
    """Static files with cache headers: a file under `/assets/` has a hash in its name and never changes."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return the response for a file that exists; it is sent as a 200, 206 or 304."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        is_hashed = scope["path"].startswith(_HASHED_PATHS)
        response.headers["cache-control"] = _FOREVER if is_hashed else _REVALIDATE
        # the build puts the policy for scripts and styles into the page; only a header can forbid frames
        response.headers["content-security-policy"] = "frame-ancestors 'none'"
        return response

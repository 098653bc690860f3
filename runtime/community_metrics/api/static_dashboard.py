"""The built dashboard on the API's own origin, for a laptop; in production it is on Vercel."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.responses import RedirectResponse
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send


class StaticDashboard:
    """Serves the files of `folder` on every path that is not the API's."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._files = ExceptionMiddleware(_DashboardFiles(directory=folder, html=True))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        is_for_api = scope["path"].startswith(("/api/", "/docs", "/openapi.json"))
        await (self._app if is_for_api else self._files)(scope, receive, send)


class _DashboardFiles(StaticFiles):
    """Static files with cache headers: a file under `/assets/` has a hash in its name and never changes."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the response for a path; a redirect stays on this host, whatever the header `Host` names."""
        response = await super().get_response(path, scope)
        if isinstance(response, RedirectResponse):
            last = scope["path"].rpartition("/")[2]
            return RedirectResponse(f"./{last}/")  # `./`, since a name such as `a:b` would be a scheme
        return response

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return the response for a file, or for the page of a 404, which no cache may keep."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        is_hashed = scope["path"].startswith("/assets/") and status_code != HTTPStatus.NOT_FOUND
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if is_hashed else "no-cache"
        # the build puts the policy for scripts and styles into the page; only a header can forbid frames
        response.headers["content-security-policy"] = "frame-ancestors 'none'"
        return response

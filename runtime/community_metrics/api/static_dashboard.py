"""The built dashboard on the API's own origin, for a laptop or a container; on AWS it is on Vercel.

`make page` builds it into the package, as data that is committed, so that no installation needs Node.
"""

from __future__ import annotations

from http import HTTPStatus
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from anyio import to_thread
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.staticfiles import StaticFiles

from community_metrics.api.cache.middleware import response_of
from community_metrics.api.context import PREFIX, header
from community_metrics.api.open_graph import (
    is_read_for_a_preview,
    link_query,
    origin_of,
    tags_of,
    with_tags,
)
from community_metrics.api.schemas.preview import Preview

if TYPE_CHECKING:
    import os

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

# the build puts the policy for scripts and styles into the page; only a header can forbid frames
_PAGE_HEADERS: Final = {"cache-control": "no-cache", "content-security-policy": "frame-ancestors 'none'"}


def packaged_dashboard(name: str = "dashboard") -> Path | None:
    """Return the folder of the dashboard in this package; None in the wheel of a host, which has none.

    `dashboard_static` is the one that needs no server.
    """
    folder = Path(str(files("community_metrics"))) / name
    return folder if (folder / "index.html").is_file() else None


class StaticDashboard:
    """Serves the files of `folder` on every path that is not the API's."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._page = folder / "index.html"
        self._files = ExceptionMiddleware(_DashboardFiles(directory=folder, html=True))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["path"].startswith(("/api/", "/docs", "/openapi.json", "/metrics")):
            await self._app(scope, receive, send)
        elif (described := await self._described(scope)) is not None:
            await described(scope, receive, send)
        else:
            await self._files(scope, receive, send)

    async def _described(self, scope: Scope) -> Response | None:
        """Return the page with the numbers of its link in its tags, for a program that shows links.

        None for everybody else, and where the API has none: the page's own tags then stay.
        """
        agent = (header(scope["headers"], b"user-agent") or b"").decode("latin-1")
        if scope["path"] != "/" or scope["method"] != "GET" or not is_read_for_a_preview(agent):
            return None
        query = link_query(scope["query_string"])
        asked = {**scope, "path": f"{PREFIX}preview", "raw_path": f"{PREFIX}preview".encode()}
        asked |= {"query_string": query.encode(), "headers": _who(scope)}
        answer = await response_of(self._app, asked)
        if answer.status != HTTPStatus.OK:
            return None
        tags = tags_of(Preview.model_validate_json(answer.body), origin_of(scope))
        page = await to_thread.run_sync(self._page.read_text, "utf-8")
        return HTMLResponse(with_tags(page, tags), headers=_PAGE_HEADERS)


def _who(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return the headers that say who asks; the others are about the page, such as `If-None-Match`."""
    return [(name, value) for name, value in scope["headers"] if name in {b"host", b"authorization"}]


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
        response.headers.update(_PAGE_HEADERS)
        if is_hashed:
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response

"""`/docs`: the OpenAPI file as a page, from installed files, so that it works without a CDN."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastapi.staticfiles import StaticFiles
from starlette.responses import RedirectResponse, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI
    from starlette.requests import Request

_FOLDER: Final = Path(__file__).parent
# Swagger UI sets style attributes and has icons in data: URLs; scripts come from this origin alone
_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {"content-security-policy": _CSP, "cache-control": "public, max-age=300"}


def add_docs(app: FastAPI, prefix: str) -> None:
    """Serve the page at `{prefix}/docs`, and redirect `/` and short addresses below `prefix`.

    `/metrics` is where Prometheus looks if nothing else is configured; it follows redirects with its token.
    """
    html, script = (_FOLDER / "docs.html").read_bytes(), (_FOLDER / "docs.js").read_bytes()

    async def page(_: Request) -> Response:
        return Response(html, media_type="text/html", headers=_HEADERS)

    async def start(_: Request) -> Response:
        return Response(script, media_type="text/javascript", headers=_HEADERS)

    # found, not imported: only the files of the package are needed
    assets = StaticFiles(packages=[("fastapi_offline", "static")])
    app.add_route(f"{prefix}/docs", page, include_in_schema=False)
    app.add_route(f"{prefix}/docs/start.js", start, include_in_schema=False)
    app.mount(f"{prefix}/docs/assets", assets, name="docs-assets")
    for name in ("docs", "openapi.json", "metrics"):
        app.add_route(
            f"/{name}", _redirect(f"{prefix}/{name}", HTTPStatus.PERMANENT_REDIRECT), include_in_schema=False
        )
    # temporary, because `/` is the dashboard's where one is served
    root = _redirect(f"{prefix}/docs", HTTPStatus.TEMPORARY_REDIRECT)
    app.add_route("/", root, include_in_schema=False)


def _redirect(path: str, status: int) -> Callable[[Request], Awaitable[Response]]:
    # relative, so that a prefix in the client's URL is kept, such as a Lambda stage
    location = path.lstrip("/")

    async def redirect(_: Request) -> Response:
        return RedirectResponse(location, status_code=status)

    return redirect

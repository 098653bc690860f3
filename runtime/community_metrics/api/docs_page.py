"""`/docs`: the OpenAPI file as a page, from installed files, so that it works without a CDN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi.staticfiles import StaticFiles
from starlette.responses import RedirectResponse, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI
    from starlette.requests import Request

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>community-metrics: the read API</title>
<link rel="stylesheet" href="docs/assets/swagger-ui.css">
<link rel="icon" href="docs/assets/favicon.png">
</head>
<body>
<div id="api"></div>
<noscript>This page needs JavaScript; the <a href="openapi.json">OpenAPI file</a> does not.</noscript>
<script src="docs/assets/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START: Final = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  layout: "BaseLayout",
});
"""
# Swagger UI sets style attributes and has icons in data: URLs; scripts come from this origin alone
_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PERMANENT: Final = 308
_TEMPORARY: Final = 307
"""For `/`, which is the dashboard's where one is served."""
_HEADERS: Final = {"content-security-policy": _CSP, "cache-control": "public, max-age=300"}


def add_docs(app: FastAPI, prefix: str) -> None:
    """Serve the page at `{prefix}/docs`, and redirect `/`, `/docs` and `/openapi.json` below `prefix`."""

    async def page(_: Request) -> Response:
        return Response(_PAGE, media_type="text/html", headers=_HEADERS)

    async def start(_: Request) -> Response:
        return Response(_START, media_type="text/javascript", headers=_HEADERS)

    # found, not imported: only the files of the package are needed
    assets = StaticFiles(packages=[("fastapi_offline", "static")])
    app.add_route(f"{prefix}/docs", page, include_in_schema=False)
    app.add_route(f"{prefix}/docs/start.js", start, include_in_schema=False)
    app.mount(f"{prefix}/docs/assets", assets, name="docs-assets")
    for name in ("docs", "openapi.json"):
        app.add_route(f"/{name}", _redirect(f"{prefix}/{name}", _PERMANENT), include_in_schema=False)
    app.add_route("/", _redirect(f"{prefix}/docs", _TEMPORARY), include_in_schema=False)


def _redirect(path: str, status: int) -> Callable[[Request], Awaitable[Response]]:
    # relative, so that a prefix in the client's URL is kept, such as a Lambda stage
    location = path.lstrip("/")

    async def redirect(_: Request) -> Response:
        return RedirectResponse(location, status_code=status)

    return redirect

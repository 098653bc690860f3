"""`/docs`: the OpenAPI file as a page, from files that are installed here: no CDN, no firewall in its way."""

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
# Swagger UI writes style attributes and draws its icons from data: addresses; scripts come from here alone
_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FOR_GOOD: Final = 308
_FOR_NOW: Final = 307
"""Of `/`, where a dashboard may stand tomorrow."""
_HEADERS: Final = {"content-security-policy": _CSP, "cache-control": "public, max-age=300"}


def add_docs(app: FastAPI, prefix: str) -> None:
    """Serve the page at `{prefix}/docs`, and lead `/`, `/docs` and `/openapi.json` to where they are."""

    async def page(_: Request) -> Response:
        return Response(_PAGE, media_type="text/html", headers=_HEADERS)

    async def start(_: Request) -> Response:
        return Response(_START, media_type="text/javascript", headers=_HEADERS)

    # the package is not imported: only its files are wanted
    assets = StaticFiles(packages=[("fastapi_offline", "static")])
    app.add_route(f"{prefix}/docs", page, include_in_schema=False)
    app.add_route(f"{prefix}/docs/start.js", start, include_in_schema=False)
    app.mount(f"{prefix}/docs/assets", assets, name="docs-assets")
    for name in ("docs", "openapi.json"):
        app.add_route(f"/{name}", _leads_to(f"{prefix}/{name}", _FOR_GOOD), include_in_schema=False)
    app.add_route("/", _leads_to(f"{prefix}/docs", _FOR_NOW), include_in_schema=False)


def _leads_to(path: str, status: int) -> Callable[[Request], Awaitable[Response]]:
    # relative to the root: what stands before it in the caller's address, a stage of Lambda's, stays
    location = path.lstrip("/")

    async def lead(_: Request) -> Response:
        return RedirectResponse(location, status_code=status)

    return lead

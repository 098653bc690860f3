"""The OpenAPI file: what FastAPI derives, and the few things that it cannot.

`python -m community_metrics.api` prints it; `docs/openapi.json` is the committed copy.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from fastapi.openapi.utils import get_openapi

from community_metrics.api.cache.keys import CACHED_ROUTES
from community_metrics.api.context import PREFIX
from community_metrics.api.problems import DOCUMENTATION, ProblemBody

if TYPE_CHECKING:
    from fastapi import FastAPI

_NOT_MODIFIED: Final[dict[str, Any]] = {
    "description": "The body with the tag in `If-None-Match` has not changed.",
    "headers": {
        name: {"description": description, "schema": {"type": "string"}}
        for name, description in (
            ("ETag", "The tag of that body."),
            ("Cache-Control", "How long a cache may keep it."),
            ("Vary", "Which request headers the response depends on."),
        )
    },
}


def install_openapi(app: FastAPI) -> None:
    """Make `app.openapi()` return the complete file, with problems as errors and bearer tokens."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the file


def text_of(app: FastAPI) -> str:
    """Return the file as it is committed: `docs/openapi.json`."""
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary="Downloads and stars of open-source packages, week by week. A number is never invented.",
        description=f"Errors are RFC 9457 problems, see {DOCUMENTATION}. HEAD works wherever GET does.",
        routes=app.routes,
    )
    schemas = document["components"]["schemas"]
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {}) | {"ProblemBody": problem}
    document["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "Required if the service sets `CM_API_TOKEN_HASHES`; for servers.",
        }
    }
    for path, operations in document["paths"].items():
        operation = operations["get"]
        if path.removeprefix(PREFIX).partition("/")[0] in CACHED_ROUTES:
            operation["responses"]["304"] = _NOT_MODIFIED
        if operation["operationId"] != "health":
            operation["security"] = [{}, {"token": []}]
    return document

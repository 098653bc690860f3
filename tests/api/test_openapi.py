"""The OpenAPI file is the served one, is committed, and explains everything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.api.app import create_app
from community_metrics.api.openapi import text_of
from community_metrics.api.params import allowed_values
from community_metrics.api.problems import TITLES
from community_metrics.config import Settings
from tests.support import api_docs

if TYPE_CHECKING:
    from tests.support.api import Api

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT: dict[str, Any] = json.loads((DOCS / "openapi.json").read_text())
OPERATIONS = {path: operations["get"] for path, operations in DOCUMENT["paths"].items()}
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


def test_the_committed_file_is_up_to_date() -> None:
    current = text_of(create_app(Settings(_env_file=None)).routes)
    assert (DOCS / "openapi.json").read_text() == current, "stale; run `make docs`"


async def test_the_served_file_is_the_committed_one(local_api: Api) -> None:
    assert (await local_api.get("openapi.json")).json() == DOCUMENT


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_field_has_a_description(name: str) -> None:
    schema = SCHEMAS[name]
    undescribed = [
        field for field, described in schema.get("properties", {}).items() if "description" not in described
    ]
    assert not undescribed
    assert schema["description"]
    assert "enum" in schema or schema["additionalProperties"] is False


@pytest.mark.parametrize("path", sorted(OPERATIONS))
def test_every_parameter_has_a_description_and_allowed_values(path: str) -> None:
    for parameter in OPERATIONS[path].get("parameters", []):
        assert parameter["description"]
        assert allowed_values(parameter["schema"]) or parameter["name"] in {"metric_id", "event_id"}


@pytest.mark.parametrize("path", sorted(OPERATIONS))
def test_every_error_is_a_problem(path: str) -> None:
    responses = OPERATIONS[path]["responses"]
    errors = {status: one for status, one in responses.items() if status not in {"200", "206", "304"}}

    assert errors
    for response in errors.values():
        assert list(response["content"]) == ["application/problem+json"]


@pytest.mark.parametrize("path", ["status", "dashboard/weekly", "history", "series/downloads:lance:python"])
async def test_a_304_has_the_headers_in_the_file(local_api: Api, path: str) -> None:
    etag = (await local_api.get(path)).headers["etag"]
    response = await local_api.get(path, headers={"if-none-match": etag})
    (promised,) = [
        operation["responses"]["304"]["headers"]
        for template, operation in OPERATIONS.items()
        if template.replace("{metric_id}", "downloads:lance:python") == f"/api/v1/{path}"
    ]
    assert response.status_code == 304
    assert {name.lower() for name in promised} <= set(response.headers)


@pytest.mark.parametrize("kind", sorted(TITLES))
def test_every_kind_of_problem_is_documented(kind: str) -> None:
    assert f"### {kind}\n" in (DOCS / "api.md").read_text()


@pytest.mark.parametrize("path", sorted(OPERATIONS))
def test_every_route_is_documented(path: str) -> None:
    assert f"`{path.removeprefix('/api/v1')}`" in (DOCS / "api.md").read_text()


def test_the_reference_in_the_page_is_that_of_the_file() -> None:
    page = api_docs.PAGE.read_text()
    assert api_docs.rendered(page) == page, "stale; run `make docs`"
    assert page.count("\n### GET ") == len(OPERATIONS)


@pytest.mark.parametrize("path", sorted(OPERATIONS))
def test_the_reference_has_every_parameter_of_a_route(path: str) -> None:
    section = api_docs.PAGE.read_text().partition(f"### GET {path.removeprefix('/api/v1')}\n")[2]
    section = section.partition("\n### ")[0]
    named = [parameter["name"] for parameter in OPERATIONS[path].get("parameters", [])]
    assert [name for name in named if f"\n| `{name}`" not in section] == []

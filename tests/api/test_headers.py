"""The headers of every response, content negotiation, request ids, and the log line of each request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import structlog

from community_metrics.api.middleware.request_log import LoggedRequest, request_logger
from community_metrics.config import Settings
from tests.support.api import PYTHON, require_security_headers
from tests.support.clock import NOON

if TYPE_CHECKING:
    from tests.support.api import Api

EVERY_KIND = ["health", "status", "nothing-here", "docs", "openapi.json", "export/metrics.csv", "badge/x.svg"]


@pytest.mark.parametrize("path", EVERY_KIND)
async def test_every_response_has_the_security_headers(local_api: Api, path: str) -> None:
    require_security_headers(await local_api.get(path))


async def test_only_the_docs_page_may_run_scripts_and_only_its_own(local_api: Api) -> None:
    page, body = await local_api.get("docs"), await local_api.get("status")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "http" not in page.text.replace("https://github.com", "")
    assert body.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("file", ["swagger-ui.css", "swagger-ui-bundle.js", "favicon.png"])
async def test_the_docs_page_needs_no_other_host(local_api: Api, file: str) -> None:
    assert (await local_api.get(f"docs/assets/{file}")).status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "target"),
    [("/docs", 308, "docs"), ("/openapi.json", 308, "openapi.json"), ("/", 307, "docs")],
)
async def test_common_paths_redirect_to_the_docs(local_api: Api, path: str, status: int, target: str) -> None:
    response = await local_api.client.get(path)
    # relative, so that a stage before the path is not lost
    assert (response.status_code, response.headers["location"]) == (status, f"api/v1/{target}")
    assert response.headers["x-request-id"]
    require_security_headers(response)


async def test_a_tag_on_a_second_line_of_the_header_is_matched(local_api: Api) -> None:
    etag = (await local_api.get("status")).headers["etag"]
    response = await local_api.get("status", headers=[("if-none-match", '"0123"'), ("if-none-match", etag)])
    assert response.status_code == 304


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (["application/json;q=0, */*"], "text/csv"),
        (["application/json;q=0", "*/*"], "text/csv"),
        (["text/html", "text/csv"], "text/csv"),
        (["text/csv;q=0", "text/*, */*;q=0.1"], "application/json"),
        (["text/html, application/xhtml+xml, */*;q=0.8"], "application/json"),
    ],
)
async def test_the_most_specific_media_type_decides_on_any_number_of_header_lines(
    local_api: Api, accept: list[str], media_type: str
) -> None:
    response = await local_api.get(f"series/{PYTHON}", headers=[("accept", line) for line in accept])
    assert response.headers["content-type"].startswith(media_type)


@pytest.mark.parametrize(
    ("given", "is_kept"), [("abc-1.2_3", True), ("a" * 129, False), ("a b", False), ("", False)]
)
async def test_a_valid_request_id_is_kept_and_any_other_is_replaced(
    local_api: Api, given: str, is_kept: bool
) -> None:
    response = await local_api.get("health", headers={"x-request-id": given})
    assert (response.headers["x-request-id"] == given) is is_kept
    assert response.headers["x-request-id"]


async def test_a_request_is_logged_without_its_query_or_token(guarded: tuple[Api, str]) -> None:
    api, token = guarded
    with structlog.testing.capture_logs() as lines:
        await api.get(
            f"dashboard/weekly?metric_id={PYTHON}",
            headers={"authorization": f"Bearer {token}", "x-request-id": "a-1"},
        )
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["request_id"], line["method"], line["status"], line["cache"]) == ("a-1", "GET", 200, "miss")
    assert line["path"] == "/api/v1/dashboard/weekly"
    assert token not in json.dumps(lines)
    assert PYTHON not in json.dumps(lines)


def test_a_json_log_line_has_the_fields_of_every_other_line(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(_env_file=None)
    request_logger(settings, is_terminal=False)(LoggedRequest("a-1", "GET", '/"\n', 200, 0.25, "hit"), NOON)
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line) == {
        "event": "request",
        "level": "info",
        "logger": "community_metrics.api",
        "timestamp": "2026-11-23T12:00:00Z",
        "request_id": "a-1",
        "method": "GET",
        "path": '/"\n',
        "status": 200,
        "ms": 0.25,
        "cache": "hit",
    }


def test_no_request_is_logged_above_level_info(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(_env_file=None, log_level="WARNING")
    request_logger(settings, is_terminal=False)(LoggedRequest("a-1", "GET", "/", 200, 0.25, "hit"), NOON)
    assert capsys.readouterr().err == ""

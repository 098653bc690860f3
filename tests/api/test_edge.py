"""What stands around every answer: origins, tokens, security headers, request ids, the shape of errors."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from typing import TYPE_CHECKING

import httpx
import pytest
import structlog

from community_metrics.api.app import create_app
from community_metrics.api.cache.database import ReadDatabase
from community_metrics.api.middleware.request_log import RequestLine, writer_for
from community_metrics.api.middleware.tokens import new_token, token_hash
from community_metrics.api.services import Services
from community_metrics.catalog import load_catalog
from community_metrics.config import Settings, StorageMode
from community_metrics.errors import ConfigurationError
from tests.support.api import PAGE_ORIGIN, PYTHON
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

EVERY_KIND = ["health", "status", "nothing-here", "docs", "openapi.json", "export/metrics.csv", "badge/x.svg"]


@pytest.mark.parametrize("path", EVERY_KIND)
async def test_security_headers_stand_on_every_answer(local_api: Api, path: str) -> None:
    require_security_headers(await local_api.get(path))


def require_security_headers(answer: httpx.Response) -> None:
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["vary"].startswith("Origin")


async def test_only_the_page_of_the_docs_may_run_scripts_and_only_ours(local_api: Api) -> None:
    page, body = await local_api.get("docs"), await local_api.get("status")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "http" not in page.text.replace("https://github.com", "")
    assert body.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("file", ["swagger-ui.css", "swagger-ui-bundle.js", "favicon.png"])
async def test_the_docs_need_no_other_host(local_api: Api, file: str) -> None:
    assert (await local_api.get(f"docs/assets/{file}")).status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "target"),
    [("/docs", 308, "docs"), ("/openapi.json", 308, "openapi.json"), ("/", 307, "docs")],
)
async def test_the_usual_addresses_lead_to_the_docs(
    local_api: Api, path: str, status: int, target: str
) -> None:
    answer = await local_api.client.get(path)
    # relative, so that a stage before the path is not lost
    assert (answer.status_code, answer.headers["location"]) == (status, f"api/v1/{target}")
    assert answer.headers["x-request-id"]
    require_security_headers(answer)


async def test_our_page_may_read_hits_and_304s_alike(local_api: Api) -> None:
    origin = {"origin": PAGE_ORIGIN}
    first = await local_api.get("status", headers=origin)
    again = await local_api.get("status", headers={**origin, "if-none-match": first.headers["etag"]})
    for answer in (first, again):
        assert answer.headers["access-control-allow-origin"] == PAGE_ORIGIN
        assert answer.headers["vary"] == "Origin"


async def test_a_tag_on_a_second_line_of_the_same_header_counts(local_api: Api) -> None:
    etag = (await local_api.get("status")).headers["etag"]
    answer = await local_api.get("status", headers=[("if-none-match", '"0123"'), ("if-none-match", etag)])
    assert answer.status_code == 304


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
async def test_the_exact_type_decides_however_many_lines_the_header_has(
    local_api: Api, accept: list[str], media_type: str
) -> None:
    answer = await local_api.get(f"series/{PYTHON}", headers=[("accept", line) for line in accept])
    assert answer.headers["content-type"].startswith(media_type)


async def test_another_page_may_not(local_api: Api) -> None:
    answer = await local_api.get("status", headers={"origin": "https://elsewhere.example"})
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"] == "Origin"


def preflight(origin: str, method: str) -> dict[str, str]:
    return {"origin": origin, "access-control-request-method": method}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_our_page_may_ask_to_get_and_head(local_api: Api, method: str) -> None:
    answer = await local_api.client.options("/api/v1/status", headers=preflight(PAGE_ORIGIN, method))
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("origin", "method", "headers", "refused"),
    [
        (PAGE_ORIGIN, "DELETE", None, ["the method DELETE (allowed: GET, HEAD)"]),
        ("https://elsewhere.example", "GET", None, ["the origin https://elsewhere.example"]),
        (PAGE_ORIGIN, "GET", "Authorization, X-Mine", ["the header x-mine (allowed: "]),
        (
            "https://elsewhere.example",
            "PUT",
            "x-a,x-b",
            ["the origin", "the method PUT", "x-a, x-b (allowed"],
        ),
    ],
)
async def test_a_refused_preflight_is_a_problem_that_names_what_was_refused(
    local_api: Api, origin: str, method: str, headers: str | None, refused: list[str]
) -> None:
    asked = preflight(origin, method)
    if headers is not None:
        asked["access-control-request-headers"] = headers
    answer = await local_api.client.options("/api/v1/status", headers=asked)
    body = answer.json()
    assert (answer.status_code, body["instance"]) == (400, "/api/v1/status")
    assert body["type"].endswith("#preflight-refused")
    assert all(part in body["detail"] for part in refused)
    assert ("CM_CORS_ORIGINS" in body["detail"]) is (origin != PAGE_ORIGIN)


async def test_a_page_may_not_reach_into_a_private_network(local_api: Api) -> None:
    asked = preflight(PAGE_ORIGIN, "GET") | {"access-control-request-private-network": "true"}
    answer = await local_api.client.options("/api/v1/status", headers=asked)
    assert (answer.status_code, "private network" in answer.json()["detail"]) == (400, True)


def test_enterprise_does_not_start_without_origins() -> None:
    settings = Settings(
        _env_file=None, storage_mode=StorageMode.ENTERPRISE, lancedb_uri="db://x", lancedb_api_key="k"
    )
    with pytest.raises(ConfigurationError, match="CM_CORS_ORIGINS"):
        create_app(settings)


@pytest.fixture
async def guarded(filled_local: Place, serve: Serve) -> AsyncIterator[tuple[Api, str]]:
    """The API behind two tokens, and one of them."""
    token = new_token()
    hashes = (token_hash("another"), token_hash(token))
    settings = filled_local.reading.model_copy(update={"api_token_hashes": hashes})
    async with serve(settings) as api:
        yield api, token


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Bearer", "Basic {token}", "Bearer {token}x", ""])
async def test_without_the_token_nothing_is_told(guarded: tuple[Api, str], given: str | None) -> None:
    api, token = guarded
    headers = {} if given is None else {"authorization": given.format(token=token)}
    for path in ("status", "ready", "docs", "openapi.json", "export/stats.csv", f"badge/{PYTHON}.svg"):
        answer = await api.get(path, headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (
            401,
            'Bearer realm="community-metrics"',
        )
        assert answer.headers["cache-control"] == "private, no-store"


async def test_with_the_token_the_answer_is_told_and_kept_by_nobody(guarded: tuple[Api, str]) -> None:
    api, token = guarded
    headers = {"authorization": f"Bearer {token}"}
    for _ in range(2):
        answer = await api.get("status", headers=headers)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
    again = await api.get("status", headers={**headers, "if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"]) == (304, "private, no-store")


@pytest.mark.parametrize(
    "path",
    [
        "ready",
        "docs",
        "docs/start.js",
        "docs/assets/favicon.png",
        "openapi.json",
        "export/metrics.csv",
        "nothing",
    ],
)
async def test_no_answer_to_a_token_is_kept_by_anybody(guarded: tuple[Api, str], path: str) -> None:
    answer = await guarded[0].get(path, headers={"authorization": f"Bearer {guarded[1]}"})
    assert answer.headers.get_list("cache-control") == ["private, no-store"]


async def test_health_asks_for_no_token(guarded: tuple[Api, str]) -> None:
    assert (await guarded[0].get("health")).status_code == 200


def test_a_token_is_new_each_time_and_hashes_as_the_setting_says() -> None:
    token = new_token()
    assert token != new_token()
    assert token_hash(token) == hashlib.sha256(token.encode()).hexdigest()


async def test_one_line_tells_a_request_without_its_query_or_its_token(guarded: tuple[Api, str]) -> None:
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


def test_a_line_of_json_has_the_fields_of_every_other_line(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(_env_file=None)
    writer_for(settings, is_terminal=False)(RequestLine("a-1", "GET", '/"\n', 200, 0.25, "hit"), NOON)
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


def test_a_level_above_information_wants_no_lines(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(_env_file=None, log_level="WARNING")
    writer_for(settings, is_terminal=False)(RequestLine("a-1", "GET", "/", 200, 0.25, "hit"), NOON)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("given", "is_kept"), [("abc-1.2_3", True), ("a" * 129, False), ("a b", False), ("", False)]
)
async def test_a_request_id_goes_out_as_it_came_in_if_it_is_sane(
    local_api: Api, given: str, is_kept: bool
) -> None:
    answer = await local_api.get("health", headers={"x-request-id": given})
    assert (answer.headers["x-request-id"] == given) is is_kept
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/api/v1/nothing", 404, "not-found"),
        ("GET", "/elsewhere", 404, "not-found"),
        ("GET", "/api/v1/dashboard/weekly/", 404, "not-found"),
        ("POST", "/api/v1/status", 405, "method-not-allowed"),
        ("GET", "/api/v1/series/downloads:lance:pyton", 404, "unknown-metric"),
        ("GET", "/api/v1/dashboard/weekly?product=lanse", 404, "unknown-product"),
        ("GET", "/api/v1/dashboard/weekly?weeks=0", 422, "invalid-parameter"),
        ("GET", "/api/v1/export/leases.csv", 422, "invalid-parameter"),
    ],
)
async def test_every_error_has_one_shape(
    local_api: Api, method: str, path: str, status: int, kind: str
) -> None:
    answer = await local_api.client.request(method, path)
    body = answer.json()
    assert (answer.status_code, body["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["type"].endswith(f"/docs/api.md#{kind}")
    assert body["instance"] == path.partition("?")[0]


async def test_an_unknown_metric_is_told_the_near_ones(local_api: Api) -> None:
    assert PYTHON in (await local_api.get("series/downloads:lance:pyton")).json()["near"]


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("DOWNLOADS:LANCE:PYTHON", PYTHON),
        ("pylance", PYTHON),
        ("PyLance", PYTHON),
        ("lance", PYTHON),
        ("python", PYTHON),
        ("pylan", PYTHON),
        ("graph", "stars:lance-graph:github"),
    ],
)
async def test_near_names_are_found_by_any_capitals_by_parts_and_by_package(
    local_api: Api, asked: str, near: str
) -> None:
    assert near in (await local_api.get(f"series/{asked}")).json()["near"]


async def test_what_looks_like_nothing_has_nothing_near(local_api: Api) -> None:
    answer = (await local_api.get("series/xyzzy")).json()
    assert "near" not in answer
    assert "GET /api/v1/definitions lists all." in answer["detail"]


async def test_an_unknown_product_is_told_the_near_ones_by_any_capitals(local_api: Api) -> None:
    answer = await local_api.get("dashboard/weekly?product=LANCEDB")
    assert (answer.status_code, answer.json()["near"][0]) == (404, "lancedb")


@pytest.mark.parametrize(
    ("query", "parameter", "allowed"),
    [
        ("dashboard/weekly?weeks=521", "weeks", "1 to 520"),
        ("dashboard/weekly?weeks=many", "weeks", "1 to 520"),
        ("dashboard/daily?week=3", "week", "days, product, metric_id"),
        ("dashboard/weekly?weeks=1&weeks=2", "weeks", "once"),
        (f"series/{PYTHON}?grain=year", "grain", "day, week, month"),
        (f"series/{PYTHON}?from=yesterday", "from", "a day such as 2026-11-22"),
        (f"series/{PYTHON}?from=0", "from", "a day such as 2026-11-22"),
        (f"series/{PYTHON}?from=2026-11-02&to=2026-11-01", "from", "up to 2026-11-01, the last day"),
        ("history?limit=0", "limit", "1 to 1000"),
        ("history?before=0.5", "before", "an instant such as 2026-11-22T00:00:00Z"),
        ("history?before=2026-11-01T00:00:00", "before", "an instant such as 2026-11-22T00:00:00Z"),
        ("export/stats.xlsx", "file_format", "csv, parquet"),
    ],
)
async def test_a_422_names_the_parameter_and_what_is_allowed(
    local_api: Api, query: str, parameter: str, allowed: str
) -> None:
    answer = await local_api.get(query)
    assert answer.status_code == 422
    assert [(fault["parameter"], fault["allowed"]) for fault in answer.json()["faults"]] == [
        (parameter, allowed)
    ]


async def test_an_answer_too_large_names_the_filter(local_api: Api) -> None:
    answer = await local_api.get(f"series/{PYTHON}?grain=day&from=0001-01-01")
    assert answer.json()["type"].endswith("#answer-too-large")
    assert "from=" in answer.json()["detail"]


async def test_more_points_than_memory_has_room_for_are_refused_with_the_filter_to_use(
    local_api: Api,
) -> None:
    answer = await local_api.get("dashboard/daily?days=3660")
    assert answer.json()["type"].endswith("#answer-too-large")
    assert "metric_id=" in answer.json()["detail"]
    assert (await local_api.get(f"dashboard/daily?days=3660&metric_id={PYTHON}")).status_code == 200


async def test_bodies_are_built_beside_the_loop_and_one_at_a_time(filled_local: Place) -> None:
    services = Services(ReadDatabase(filled_local.reading), load_catalog(None))
    may_end = threading.Event()
    running: list[int] = []

    def build() -> tuple[bool, int]:
        running.append(1)
        answer = may_end.wait(timeout=5), len(running)
        running.pop()
        return answer

    builds = [asyncio.create_task(services.built(build)) for _ in range(2)]
    await asyncio.sleep(0.05)
    may_end.set()
    assert await asyncio.gather(*builds) == [(True, 1), (True, 1)]


@pytest.mark.parametrize("path", ["status", "ready", "dashboard/weekly"])
async def test_a_mistake_of_ours_tells_an_id_and_nothing_else(filled_local: Place, path: str) -> None:
    app = create_app(filled_local.reading)
    del app.routes.state.services  # the first thing a route reaches for
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client:
        headers = {"x-request-id": "find-me", "origin": PAGE_ORIGIN}
        answer = await client.get(f"/api/v1/{path}", headers=headers)
    assert (answer.status_code, answer.json()["request_id"]) == (500, "find-me")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "services" not in answer.text
    require_security_headers(answer)
    assert answer.headers["access-control-allow-origin"] == PAGE_ORIGIN
    assert answer.headers["cache-control"] == "private, no-store"

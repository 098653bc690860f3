"""Every error is a problem in one format that names what is wrong and what is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from community_metrics.api.app import create_app
from tests.support.api import FALLBACK, PAGE_ORIGIN, PYTHON, RUST, STARS, require_security_headers
from tests.support.raw_get import raw_get

if TYPE_CHECKING:
    from tests.support.api import Api, Place


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
        ("GET", f"/api/v1/before-after?metric_id={RUST}&day=2026-11-08", 422, "days-missing"),
        (
            "GET",
            f"/api/v1/before-after?metric_id={FALLBACK}&day=2026-10-14",
            422,
            "not-comparable",
        ),
        (
            "GET",
            f"/api/v1/chart.svg?metric_id={STARS}&metric_id=stars_sampled:lance:github&total=true",
            422,
            "not-comparable",
        ),
        ("GET", "/api/v1/before-after?metric_id=downloads:lance:pyton&day=2026-10-14", 404, "unknown-metric"),
        ("GET", f"/api/v1/before-after?metric_id={PYTHON}&event_id=x", 404, "unknown-event"),
        ("GET", "/api/v1/export/leases.csv", 422, "invalid-parameter"),
    ],
)
async def test_every_error_has_the_same_format(
    local_api: Api, method: str, path: str, status: int, kind: str
) -> None:
    response = await local_api.client.request(method, path)
    body = response.json()
    assert (response.status_code, body["status"]) == (status, status)
    assert response.headers["content-type"] == "application/problem+json"
    assert body["type"].endswith(f"/docs/api.md#{kind}")
    assert body["instance"] == path.partition("?")[0]


LONG = "x" * 70_000
ONE_OF = "one of event_id and day, a day such as 2026-11-22"


@pytest.mark.parametrize(
    "path",
    [
        LONG,
        f"series/{LONG}",
        f"badge/{LONG}.svg",
        f"export/{LONG}.csv",
        f"dashboard/weekly?metric_id={LONG}",
        f"dashboard/weekly?product={LONG}",
        f"history?job={LONG}",
        f"status?{LONG}=1",
        f"history?status={LONG}",
        f"history?before={LONG}",
        f"series/{PYTHON}?from={LONG}",
        "status?" + "&".join(f"p{i}=1" for i in range(10_000)),
    ],
    ids=lambda path: path.replace(LONG, "LONG")[:40],
)
async def test_a_problem_is_short_however_long_the_request_is(local_api: Api, path: str) -> None:
    response = await raw_get(local_api.app, f"/api/v1/{path}")
    assert response.status in {404, 422}
    assert len(response.body) < 5_000


async def test_an_unknown_metric_comes_with_similar_ids(local_api: Api) -> None:
    assert PYTHON in (await local_api.get("series/downloads:lance:pyton")).json()["near"]


@pytest.mark.parametrize(
    ("requested", "near"),
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
async def test_similar_ids_are_found_by_any_case_by_part_and_by_package(
    local_api: Api, requested: str, near: str
) -> None:
    assert near in (await local_api.get(f"series/{requested}")).json()["near"]


async def test_an_id_similar_to_none_comes_with_no_similar_ids(local_api: Api) -> None:
    response = (await local_api.get("series/xyzzy")).json()
    assert "near" not in response
    assert "GET /api/v1/definitions lists all." in response["detail"]


async def test_an_unknown_product_comes_with_similar_ids_of_any_case(local_api: Api) -> None:
    response = await local_api.get("dashboard/weekly?product=LANCEDB")
    assert (response.status_code, response.json()["near"][0]) == (404, "lancedb")


@pytest.mark.parametrize(
    ("query", "parameter", "allowed"),
    [
        ("dashboard/weekly?weeks=521", "weeks", "1 to 520"),
        ("dashboard/weekly?weeks=many", "weeks", "1 to 520"),
        ("dashboard/weekly?weeks=1_0", "weeks", "1 to 520"),
        ("dashboard/weekly?weeks=4.0", "weeks", "1 to 520"),
        ("dashboard/weekly?weeks=%2B4", "weeks", "1 to 520"),
        ("dashboard/daily?days=%204", "days", "1 to 3660"),
        ("dashboard/monthly?months=1e1", "months", "1 to 120"),
        ("restatements?limit=٤", "limit", "1 to 1000"),
        ("insights?week=2026-W54", "week", "an ISO week from 1971 to 2199, such as 2026-W47"),
        ("insights?month=2026-W11", "month", "a month from 1971 to 2199, such as 2026-11"),
        ("insights?quarter=1970-Q1", "quarter", "a quarter from 1971 to 2199, such as 2026-Q4"),
        ("insights?week=2026-W48", "week", "up to 2026-W47"),
        ("overview?week=2026-W48", "week", "up to 2026-W47"),
        ("overview?week=47", "week", "an ISO week from 1971 to 2199, such as 2026-W47"),
        ("insights?quarter=2026-Q4", "quarter", "up to 2026-Q3"),
        (f"before-after?metric_id={PYTHON}", "day", ONE_OF),
        (f"before-after?metric_id={PYTHON}&day=2026-10-14&event_id=x", "day", ONE_OF),
        (f"before-after?metric_id={PYTHON}&day=2026-11-09", "day", "1972-01-01 to 2026-11-08"),
        (f"before-after?metric_id={PYTHON}&day=1971-12-31", "day", "1972-01-01 to 2026-11-08"),
        (f"before-after?metric_id={PYTHON}&day=2026-10-14&days=10", "days", "7 to 364 in steps of 7"),
        (f"before-after?metric_id={PYTHON}&day=2026-10-14&skip_missing=1x", "skip_missing", "true, false"),
        ("insights?week=2026-W47&month=2026-10", "month", "one of week, month and quarter"),
        (
            "history?job=nope",
            "job",
            (
                "seed_from_csv, daily_refresh, weekly_refresh, update_all, "
                "bootstrap_tables, import_file, replay, backfill, repair, event, digest, deliver, undo"
            ),
        ),
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
async def test_a_422_names_the_parameter_and_its_allowed_values(
    local_api: Api, query: str, parameter: str, allowed: str
) -> None:
    response = await local_api.get(query)
    assert response.status_code == 422
    assert [(error["parameter"], error["allowed"]) for error in response.json()["errors"]] == [
        (parameter, allowed)
    ]


async def test_a_response_with_too_many_periods_is_rejected_with_the_filter_to_use(local_api: Api) -> None:
    response = await local_api.get(f"series/{PYTHON}?grain=day&from=0001-01-01")
    assert response.json()["type"].endswith("#answer-too-large")
    assert "from=" in response.json()["detail"]


async def test_a_response_with_too_many_points_is_rejected_with_the_filter_to_use(
    local_api: Api,
) -> None:
    response = await local_api.get("dashboard/daily?days=3660")
    assert response.json()["type"].endswith("#answer-too-large")
    assert "metric_id=" in response.json()["detail"]
    assert (await local_api.get(f"dashboard/daily?days=3660&metric_id={PYTHON}")).status_code == 200


@pytest.mark.parametrize("path", ["status", "ready", "dashboard/weekly"])
async def test_an_internal_error_reveals_the_request_id_alone(filled_local: Place, path: str) -> None:
    app = create_app(filled_local.reading)
    del app.routes.state.services  # the first thing a route reaches for
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test") as client:
        headers = {"x-request-id": "find-me", "origin": PAGE_ORIGIN}
        response = await client.get(f"/api/v1/{path}", headers=headers)
    assert (response.status_code, response.json()["request_id"]) == (500, "find-me")
    assert response.headers["content-type"] == "application/problem+json"
    assert "services" not in response.text
    require_security_headers(response)
    assert response.headers["access-control-allow-origin"] == PAGE_ORIGIN
    assert response.headers["cache-control"] == "private, no-store"

"""The tools of MCP have the numbers of the routes, and every number has all that is needed to quote it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client

from community_metrics.mcp_server.reading import Readings
from community_metrics.mcp_server.server import ReadServer
from community_metrics.model import Visibility
from tests.support.api import PYTHON, RUST, STARS
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.api import Api, Place

DAY = "2026-10-14"
QUOTED = ("period", "completeness", "kind", "source", "read_at", "citation", "unit")


def figures(answer: Any) -> Iterator[dict[str, Any]]:
    if isinstance(answer, dict):
        if "citation" in answer and "value" in answer and "period" in answer:
            yield answer
        for value in answer.values():
            yield from figures(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from figures(value)


async def told(place: Place, tool: str, **arguments: Any) -> dict[str, Any]:
    """Return the answer of a tool; the client compares it with the schema of the tool."""
    readings = Readings.of(place.reading, FakeClock())
    async with Client(ReadServer(readings, Visibility.PUBLIC), cache=None) as client:
        result = await client.call_tool(tool, arguments)
    await readings.database.close()
    assert not result.is_error, result.content
    answer: dict[str, Any] | None = result.structured_content
    assert answer is not None
    return answer


@pytest.mark.parametrize("metric_id", [PYTHON, RUST, STARS])
@pytest.mark.parametrize("grain", ["day", "week", "month"])
async def test_a_series_is_that_of_the_route(
    local_api: Api, filled_local: Place, metric_id: str, grain: str
) -> None:
    days = {"from": "2026-10-05", "to": "2026-11-22"}
    body = (await local_api.get(f"series/{metric_id}", params={"grain": grain, **days})).json()
    asked = {"from_day": days["from"], "to_day": days["to"]}
    answer = await told(filled_local, "series", metric_ids=[metric_id], grain=grain, **asked)
    (own,) = answer["series"]
    same = ("value", "complete", "estimated", "status", "restated", "period_start", "period_end")
    assert [[one[name] for name in same] for one in own["figures"]] == [
        [one[name] for name in same] for one in body["points"]
    ]
    assert [one["read_at"] for one in own["figures"]] == [one["observed_at"] for one in body["points"]]
    assert own["metric"] == body["metric"]


async def test_a_sum_is_that_of_the_dashboard(local_api: Api, filled_local: Place) -> None:
    weeks = (await local_api.get("overview")).json()
    (lance,) = [one for one in weeks["products"] if one["product"] == "lance"]
    answer = await told(filled_local, "series", metric_ids=[PYTHON, RUST], total=True)
    assert [one["value"] for one in answer["total"]["figures"]] == lance["total"]["weeks"][-12:]


@pytest.mark.parametrize(
    ("tool", "path", "arguments"),
    [
        ("insights", "insights?week=2026-W46", {"period": "2026-W46"}),
        (
            "before_after",
            f"before-after?metric_id={PYTHON}&day=2026-10-14",
            {"metric_id": PYTHON, "day": "2026-10-14"},
        ),
        ("outages", "outages", {}),
        ("list_metrics", "definitions", {}),
    ],
)
async def test_every_field_of_the_route_is_in_the_answer(
    local_api: Api, filled_local: Place, tool: str, path: str, arguments: dict[str, Any]
) -> None:
    body = (await local_api.get(path)).json()
    answer = await told(filled_local, tool, **arguments)
    assert_within(body, answer)


def assert_within(body: Any, answer: Any) -> None:
    """Fail unless the answer has each value of the body, at the same place."""
    if isinstance(body, dict):
        for name in body.keys() - {"versions", "grain"}:
            assert_within(body[name], answer[name])
    elif isinstance(body, list):
        assert len(body) == len(answer)
        for one, other in zip(body, answer, strict=True):
            assert_within(one, other)
    else:
        assert body == answer


async def test_the_report_has_the_numbers_of_the_first_screen(local_api: Api, filled_local: Place) -> None:
    body = (await local_api.get("overview")).json()
    weekly = (await local_api.get("dashboard/weekly?weeks=12")).json()
    answer = await told(filled_local, "report")
    assert answer["headline"]["sentence"] == body["headline"]["sentence"]
    totals = {one["product"]: (one["total"] or {}).get("value") for one in body["products"]}
    assert {one["product"]: (one["total"] or {}).get("value") for one in answer["products"]} == totals
    complete = {
        one["metric_id"]: one["latest_complete"]["value"]
        for product in weekly["products"]
        for one in product["metrics"]
        if one["metric_id"] in {PYTHON, RUST}
    }
    newest = {one["metric"]["metric_id"]: one["newest"] for p in answer["products"] for one in p["metrics"]}
    assert {name: newest[name]["value"] for name in complete} == complete


async def test_every_number_can_be_quoted(filled_local: Place) -> None:
    answers = [
        await told(filled_local, "report"),
        await told(filled_local, "series", metric_ids=[PYTHON, RUST], total=True),
        await told(filled_local, "explain_metric", metric_id=STARS),
    ]
    found = [figure for answer in answers for figure in figures(answer)]
    assert len(found) > 30
    for figure in found:
        assert figure.keys() >= set(QUOTED)
        if figure["value"] is not None:
            assert f"{figure['value']:,} {figure['unit']}" in figure["citation"]
            assert figure["read_at"]
        assert figure["source"].partition(",")[0] in figure["citation"]


async def test_every_change_of_a_report_can_be_quoted(filled_local: Place) -> None:
    answer = await told(filled_local, "report")
    rows = [row for product in answer["products"] for row in (product, *product["metrics"])]
    changes = [row["change"] for row in rows if row["change"] is not None]
    assert len(changes) > 3
    for change in changes:
        assert change.keys() >= set(QUOTED)
        assert f"{change['absolute']:+,} {change['unit']}" in change["citation"]
        assert change["period"] in change["citation"]
        assert f" before, {change['completeness']}" in change["citation"]
        assert f"read {change['read_at'][:10]}" in change["citation"]

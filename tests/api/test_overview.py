"""What `/overview` says of known numbers, over both kinds of storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.api import PYTHON, RUST

if TYPE_CHECKING:
    from tests.support.api import Api


async def overview_of(api: Api, path: str = "overview") -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the body and its product `lance`."""
    body: dict[str, Any] = (await api.get(path)).json()
    (product,) = [one for one in body["products"] if one["product"] == "lance"]
    return body, product


async def test_a_total_is_the_sum_of_what_the_dashboard_says_of_the_same_week(api: Api) -> None:
    body, product = await overview_of(api)
    board = (await api.get("dashboard/weekly?weeks=1&product=lance")).json()
    metrics = [one for one in board["products"][0]["metrics"] if one["metric_id"] in {PYTHON, RUST}]
    total = product["total"]
    assert {one["latest_complete"]["week"] for one in metrics} == {total["week"]} == {body["week"]}
    assert total["value"] == total["weeks"][-1] == sum(one["latest_complete"]["value"] for one in metrics)
    assert total["change"]["absolute"] == sum(one["change"]["absolute"] for one in metrics)
    assert {one["sdk"]: one["share"] for one in total["sdks"]} == {
        one["sdk"]: one["share"] for one in metrics
    }


async def test_the_headline_is_that_of_the_insights(api: Api) -> None:
    body, _ = await overview_of(api)
    told = (await api.get(f"insights?week={body['week']}")).json()["insights"]
    assert body["headline"]["numbers"] == told[0]["numbers"]


async def test_an_earlier_week_is_shown_as_it_was_and_names_its_neighbours(api: Api) -> None:
    body, product = await overview_of(api, "overview?week=2026-W45")
    assert (body["previous"], body["week"], body["next"]) == ("2026-W44", "2026-W45", "2026-W46")
    # Rust lacks the 4th of November
    assert product["total"]["week"] == "2026-W44"
    assert product["total"]["waits_for"] == [RUST]
    assert product["total"]["weeks"][-1] is None
    assert body["complete"] < body["series"]


async def test_the_newest_week_has_no_week_after_it(api: Api) -> None:
    body, _ = await overview_of(api)
    assert body["next"] is None
    assert len(body["weeks"]) == 52
    assert body["weeks"][-1] == body["week"]

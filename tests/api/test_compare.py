"""What `/compare` says of known numbers, and what a watched metric is in."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.catalog.catalog import PACKAGED_CATALOG
from tests.support import api as support
from tests.support.api import FALLBACK, FIRST_DAY, PYTHON, RUST, STARS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.api import Place

SINCE_ONE_WAY = f"compare?metric_id={PYTHON}&metric_id={RUST}&from=2026-01-01"
"""From a day on which crates.io counted as it does now."""
SERVING = asynccontextmanager(support.serving)


@pytest.fixture
def watching(tmp_path: Path) -> Path:
    """The packaged catalogue, in which the Rust package and the stars are somebody else's."""
    text = PACKAGED_CATALOG.read_text(encoding="utf-8")
    for metric_id in (RUST, STARS):
        entry = f'id = "{metric_id}"'
        assert entry in text
        text = text.replace(entry, f"{entry}\nwatch = true", 1)
    file = tmp_path / "watching.toml"
    file.write_text(text, encoding="utf-8")
    return file


async def body_of(place: Place, path: str, **changes: Any) -> dict[str, Any]:
    async with SERVING(place.reading.model_copy(update=changes)) as api:
        response = await api.get(path)
    body: dict[str, Any] = response.json()
    return body | {"http": response.status_code}


def ids_of(dashboard: dict[str, Any]) -> list[str]:
    return [metric["metric_id"] for product in dashboard["products"] for metric in product["metrics"]]


async def test_alike_metrics_share_a_chart_and_others_are_refused(filled_local: Place) -> None:
    path = (
        f"compare?metric_id={PYTHON}&metric_id={RUST}&metric_id={STARS}&metric_id={FALLBACK}&from=2026-01-01"
    )
    body = await body_of(filled_local, path)
    assert [one["metric_id"] for one in body["metrics"]] == [PYTHON, RUST]
    assert body["axes"] == [{"unit": "downloads", "metric_ids": [PYTHON, RUST]}]
    assert [one["metric_id"] for one in body["refused"]] == [STARS, FALLBACK]
    assert "is a level, but" in body["refused"][0]["sentence"]
    assert "is a rolling total of 30 days, but" in body["refused"][1]["sentence"]
    assert [one["first_day"] for one in body["metrics"]] == [str(FIRST_DAY)] * 2


async def test_a_metric_is_refused_across_a_change_of_counting_by_its_source(filled_local: Place) -> None:
    body = await body_of(filled_local, f"compare?metric_id={PYTHON}&metric_id={RUST}")
    assert (body["period_start"], body["refused"][0]["metric_id"]) == (str(FIRST_DAY), RUST)
    assert body["refused"][0]["sentence"].endswith("Choose days from 2025-10-27 on.")


async def test_the_parts_have_of_each_metric_what_a_comparison_says_of_it(filled_local: Place) -> None:
    parts = await body_of(filled_local, "compare/parts")
    by_id = {one["metric_id"]: one for one in parts["metrics"]}
    compared = await body_of(filled_local, SINCE_ONE_WAY)
    for one in compared["metrics"]:
        assert {name: by_id[one["metric_id"]][name] for name in one} == one
    assert parts["period_end"] == compared["period_end"]
    refused = (await body_of(filled_local, f"compare?metric_id={PYTHON}&metric_id={RUST}"))["refused"]
    assert by_id[RUST]["changes"] == [{"day": "2025-10-27", "sentence": refused[0]["sentence"]}]
    assert (by_id[STARS]["measure"], by_id[STARS]["way"]) == ("a level", "no option")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("compare", 422),
        (f"compare?metric_id={PYTHON}&from=2026-11-20&to=2026-11-01", 422),
        (f"compare?metric_id={PYTHON[:-1]}", 404),
    ],
)
async def test_a_comparison_of_nothing_is_an_error(filled_local: Place, path: str, status: int) -> None:
    assert (await body_of(filled_local, path))["http"] == status


async def test_a_watched_metric_is_in_no_total_table_or_insight(filled_local: Place, watching: Path) -> None:
    ours = await body_of(filled_local, "overview")
    overview = await body_of(filled_local, "overview", catalog=watching)
    own, before = (
        next(product for product in body["products"] if product["product"] == "lance")
        for body in (overview, ours)
    )
    assert before["stars"] is not None
    assert own["stars"] is None
    assert [part["sdk"] for part in own["total"]["sdks"]] == ["python"]
    assert overview["series"] == ours["series"] - 1
    weekly = await body_of(filled_local, "dashboard/weekly?weeks=1", catalog=watching)
    assert PYTHON in ids_of(weekly)
    assert not {RUST, STARS} & set(ids_of(weekly))
    assert STARS not in [reading["metric_id"] for reading in weekly["stars"]["readings"]]
    insights = await body_of(filled_local, "insights", catalog=watching)
    assert RUST not in str(insights["insights"])


async def test_a_watched_metric_is_still_read_compared_and_named(filled_local: Place, watching: Path) -> None:
    named = await body_of(filled_local, f"dashboard/weekly?weeks=1&metric_id={RUST}", catalog=watching)
    assert ids_of(named) == [RUST]
    assert named["products"][0]["metrics"][0]["share"] is None
    compared = await body_of(
        filled_local, f"compare?metric_id={PYTHON}&metric_id={RUST}&from=2026-01-01", catalog=watching
    )
    assert [one["watch"] for one in compared["metrics"]] == [False, True]
    definitions = await body_of(filled_local, "definitions", catalog=watching)
    assert {one["metric_id"] for one in definitions["metrics"] if one["watch"]} == {RUST, STARS}
    status = await body_of(filled_local, "status", catalog=watching)
    assert RUST in [metric["metric_id"] for metric in status["metrics"]]


async def test_the_average_of_seven_days_is_missing_where_a_day_is(filled_local: Place) -> None:
    body = await body_of(filled_local, f"dashboard/daily?days=30&metric_id={PYTHON}&metric_id={RUST}")
    for product in body["products"]:
        for metric in product["metrics"]:
            values, complete = metric["points"]["value"], metric["points"]["complete"]
            whole = complete if isinstance(complete, list) else [complete] * len(values)
            assert len(metric["average_7d"]) == 30
            for at in range(6, 30):
                expected = round(sum(values[at - 6 : at + 1]) / 7, 1) if all(whole[at - 6 : at + 1]) else None
                assert metric["average_7d"][at] == expected
    rust = next(m for p in body["products"] for m in p["metrics"] if m["metric_id"] == RUST)
    assert None in rust["average_7d"][6:]

"""What each kind of number is on every face: dashboard, series, CSV, badge, report."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow.parquet
import pytest

from community_metrics.catalog import load_catalog
from community_metrics.cli.render.report import render_report
from community_metrics.cli.render.style import UNICODE, PlainConsole
from community_metrics.model import Observation, SourceWindow
from community_metrics.periods import days_between, midnight
from community_metrics.storage import LanceDBReader, LanceDBStore
from community_metrics.views.report import load_report
from tests.support import api as support
from tests.support.clock import NOON
from tests.support.columns import points_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from community_metrics.catalog import Catalog
    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

METRIC = """
[[metric]]
id = "{id}"
source = "seed"
subject = "{id}"
window = "{window}"
display_name = "{id}"
{more}
"""
PULLS, GEMS, INSTALLS = "pulls:p:docker", "downloads:p:gems", "installs:p:homebrew"
VIEWS, VISITORS, FORKS = "views:p:github", "views:p:visitors", "forks:p:github"
METRICS = {
    PULLS: ("instant", 'kind = "counter"'),
    GEMS: ("instant", 'kind = "counter"'),
    INSTALLS: ("30d", ""),
    VIEWS: ("1d", ""),
    VISITORS: ("1d", 'unit = "uniques"'),
    FORKS: ("instant", ""),
}
FIRST, TODAY = date(2026, 8, 3), NOON.date()


def observed(metric_id: str, day: date, value: int) -> Observation:
    window = SourceWindow(METRICS[metric_id][0])
    start = day - timedelta(days=(window.days or 1) - 1)
    at = midnight(day) + timedelta(hours=3) + (window is not SourceWindow.INSTANT) * timedelta(days=1)
    return Observation(metric_id, start, day, value, window, at, "https://registry.example/numbers")


def known_numbers() -> Iterator[Observation]:
    """Yield a reading of every day; the gems are reset on the Thursday of week 47."""
    for number, day in enumerate(days_between(FIRST, TODAY)):
        yield observed(PULLS, day, 1_000_000 + 100 * number)
        yield observed(GEMS, day, 5_000 + number if day < date(2026, 11, 19) else number)
        yield observed(FORKS, day, 300 + number)
        if day < TODAY:
            yield observed(INSTALLS, day, 9_000 + number)
            yield observed(VIEWS, day, 50)
            yield observed(VISITORS, day, 7)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    file = tmp_path / "catalog.toml"
    entries = [METRIC.format(id=name, window=window, more=more) for name, (window, more) in METRICS.items()]
    file.write_text('[[product]]\nid = "p"\nname = "P"\n' + "".join(entries), encoding="utf-8")
    return load_catalog(file)


@pytest.fixture
async def place(tmp_path: Path, catalog: Catalog) -> Place:
    place = support.local_place(tmp_path)
    settings = replace_catalog(place, catalog)
    async with LanceDBStore.open(settings.writing) as store:
        await store.create_tables()
        await store.upsert_metrics([metric.definition(midnight(FIRST)) for metric in catalog.metrics])
        await support.write(store, list(known_numbers()))
    return settings


def replace_catalog(place: Place, catalog: Catalog) -> Place:
    settings = place.writing.model_copy(update={"catalog": catalog.path})
    return replace(place, writing=settings, reading=settings)


@pytest.fixture
async def kinds_api(place: Place, serve: Serve) -> AsyncIterator[Api]:
    async with serve(place.reading) as api:
        yield api


async def body(api: Api, path: str) -> Any:
    response = await api.get(path)
    assert response.status_code == 200, response.text
    return response.json()


def metric_of(board: dict[str, Any], metric_id: str) -> dict[str, Any]:
    (found,) = (m for product in board["products"] for m in product["metrics"] if m["metric_id"] == metric_id)
    return dict(found)


async def test_every_family_is_on_the_dashboard_with_its_kind_and_unit(kinds_api: Api) -> None:
    board = await body(kinds_api, "dashboard/weekly?weeks=4")
    found = {m["metric_id"]: (m["value_kind"], m["unit"]) for p in board["products"] for m in p["metrics"]}
    assert found == {
        PULLS: ("counter", "pulls"),
        GEMS: ("counter", "downloads"),
        INSTALLS: ("rolling", "installs"),
        VIEWS: ("flow", "views"),
        VISITORS: ("flow", "uniques"),
        FORKS: ("level", "forks"),
    }


async def test_a_counter_is_a_flow_and_has_its_total_as_its_reading(kinds_api: Api) -> None:
    metric = metric_of(await body(kinds_api, "dashboard/weekly?weeks=4"), PULLS)
    assert metric["latest_complete"]["value"] == 700
    assert metric["change"] == {"absolute": 0, "fraction": 0.0}
    assert metric["latest_reading"]["value"] == 1_000_000 + 100 * (TODAY - FIRST).days
    assert metric["latest_reading"]["period_end"] == TODAY.isoformat()


async def test_a_counter_that_is_reset_has_no_value_and_says_so(kinds_api: Api) -> None:
    board = await body(kinds_api, "dashboard/weekly?weeks=2")
    assert [(p["value"], p["reset"], p["complete"]) for p in points_of(board, GEMS)] == [
        (7, False, True),
        (None, True, False),
    ]
    days = (await body(kinds_api, f"series/{GEMS}?grain=day&from=2026-11-16"))["points"]
    assert [(p["day"], p["value"]) for p in days if p["reset"]] == [("2026-11-18", None)]


@pytest.mark.parametrize("grain", ["day", "week", "month"])
async def test_a_counter_in_the_family_downloads_enters_no_total_of_days(kinds_api: Api, grain: str) -> None:
    route = {"day": "daily", "week": "weekly", "month": "monthly"}[grain]
    (product,) = (await body(kinds_api, f"dashboard/{route}"))["products"]
    assert product["downloads_30d"] is None
    assert {metric["share"] for metric in product["metrics"]} == {None}


async def test_a_rolling_total_is_compared_with_a_window_earlier_and_with_nothing_else(
    kinds_api: Api,
) -> None:
    for route in ("daily", "weekly", "monthly"):
        metric = metric_of(await body(kinds_api, f"dashboard/{route}"), INSTALLS)
        assert metric["change"]["absolute"] == 30
        assert (metric["four_period_change"], metric["year_on_year_change"]) == (None, None)
        newest = 9_000 + (TODAY - FIRST).days - 1
        assert metric["latest_reading"]["value"] == newest
        assert metric["latest_complete"]["value"] <= newest


@pytest.mark.parametrize(
    "path",
    [
        f"series/{VISITORS}",
        f"series/{VISITORS}?grain=month",
        f"series/{VISITORS}?format=csv",
        f"dashboard/weekly?metric_id={VISITORS}",
        f"dashboard/monthly?metric_id={VIEWS}&metric_id={VISITORS}",
    ],
)
async def test_a_sum_of_uniques_is_refused_with_its_reason(kinds_api: Api, path: str) -> None:
    response = await kinds_api.get(path)
    assert (response.status_code, response.json()["title"]) == (422, "Values do not add up")
    assert response.json()["type"].endswith("#not-additive")
    assert f"{VISITORS} counts uniques, which do not add up" in response.json()["detail"]
    assert "Fix: request it by day" in response.json()["detail"]


async def test_uniques_are_known_by_day_and_are_null_beside_the_weeks_of_others(kinds_api: Api) -> None:
    daily = await body(kinds_api, f"dashboard/daily?days=7&metric_id={VISITORS}")
    weekly = metric_of(await body(kinds_api, "dashboard/weekly?weeks=4"), VISITORS)
    days = (await body(kinds_api, f"series/{VISITORS}?grain=day&from=2026-11-20"))["points"]

    assert {point["value"] for point in (*points_of(daily, VISITORS), *days)} == {7}
    assert metric_of(daily, VISITORS)["four_period_change"] is None
    assert (weekly["points"]["value"], weekly["latest_complete"]) == ([None] * 4, None)
    assert (weekly["latest_reading"]["value"], weekly["latest_reading"]["period_end"]) == (7, "2026-11-22")


@pytest.mark.parametrize(
    ("metric_id", "value"),
    [
        (PULLS, "700/week, 2026-W47"),
        (GEMS, "7/week, 2026-W46"),
        (INSTALLS, "9.11k/30 days, 2026-11-22"),
        (VIEWS, "350/week, 2026-W47"),
        (VISITORS, "7/day, 2026-11-22"),
        (FORKS, "412, 2026-11-23"),
    ],
)
async def test_a_badge_says_what_its_number_covers(kinds_api: Api, metric_id: str, value: str) -> None:
    text = (await kinds_api.get(f"badge/{metric_id}.svg")).text
    assert f">{value}<" in text
    assert (await kinds_api.get(f"sparkline/{metric_id}.svg")).status_code == 200


async def test_the_csv_of_a_series_has_its_unit(kinds_api: Api) -> None:
    header, first, *_ = (await kinds_api.get(f"series/{PULLS}?format=csv")).text.splitlines()
    assert header.startswith("metric_id,unit,week,")
    assert first.startswith(f"{PULLS},pulls,")


async def test_each_row_of_an_export_has_its_unit_and_kind(kinds_api: Api) -> None:
    lines = list(csv.DictReader(io.StringIO((await kinds_api.get("export/stats.csv")).text)))
    content = (await kinds_api.get("export/stats.parquet")).content
    table = pyarrow.parquet.read_table(io.BytesIO(content))

    names = ("metric_id", "unit", "value_kind")
    assert {tuple(row[name] for name in names) for row in lines} == {
        (PULLS, "pulls", "counter"),
        (GEMS, "downloads", "counter"),
        (INSTALLS, "installs", "rolling"),
        (VIEWS, "views", "flow"),
        (VISITORS, "uniques", "flow"),
        (FORKS, "forks", "level"),
    }
    found = zip(*(table.column(name).to_pylist() for name in names), strict=True)
    assert set(found) == {tuple(row[name] for name in names) for row in lines}


@pytest.mark.parametrize("width", [80, 200])
async def test_the_report_has_every_family_with_its_unit(place: Place, catalog: Catalog, width: int) -> None:
    async with LanceDBReader.open(place.reading) as reader:
        report = await load_report(reader, catalog, NOON, weeks=8)
    console = PlainConsole(width=width, file=io.StringIO(), force_terminal=False)
    console.print(render_report(report, UNICODE, width))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()

    for words in (
        "700  pulls",
        "7  downloads",
        f"{9_000 + (TODAY - FIRST).days - 1:,}  installs/30 days",
        "350  views",
        "7  uniques/day",
        "412  forks",
    ):
        assert words in text
    assert f"The counter {GEMS} fell in 2026-W47: the registry reset it" in " ".join(text.split())

"""docs/grafana/infinity.json: each query asks the API, and finds every column that it names.

Grafana comes from no package index and not from Debian, so what it would ask is asked here.
"""

from __future__ import annotations

import asyncio
import json
import re
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support import api as support
from tests.support import mcp_world
from tests.support.api import MISSING_DAY, PYTHON, RUST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.api import Api, Place

DASHBOARD: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "docs/grafana/infinity.json").read_text(encoding="utf-8")
)
VARIABLES: Final = {
    "${metric:percentencode}": RUST.replace(":", "%3A"),
    "${__from:date:YYYY-MM-DD}": "2026-10-05",
    "${__to:date:YYYY-MM-DD}": "2026-11-23",
}
SOURCE: Final = "yesoreyeram-infinity-datasource"
FIELDS: Final = {
    *("refId", "type", "source", "parser", "format", "url", "url_options", "root_selector", "columns"),
    "filters",
}
"""What a query of the Infinity data source has, besides its `datasource`."""
KINDS: Final[dict[str, tuple[type, ...]]] = {"string": (str,), "number": (int, float), "boolean": (bool,)}


def queries() -> dict[str, dict[str, Any]]:
    """Return every query of the dashboard, by the title of its panel or the name of its variable."""
    found = {panel["title"]: panel["targets"][0] for panel in DASHBOARD["panels"]}
    variables = DASHBOARD["templating"]["list"]
    return found | {one["name"]: one["query"]["infinityQuery"] for one in variables if one["type"] == "query"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = support.local_place(tmp_path_factory.mktemp("grafana"))
    asyncio.run(mcp_world.fill(made.writing))
    return made


@pytest.fixture
async def api(world: Place) -> AsyncIterator[Api]:
    async for served in support.serving(world.reading):
        yield served


def at(path: str, value: Any) -> Any:
    """Return what a path of names finds; None below a null."""
    for name in filter(None, path.split(".")):
        value = None if value is None else value[name]
    return value


def rows_at(selector: str, body: Any) -> list[Any]:
    """Return the rows that a root selector finds: a path of names, and `[name]` for rows where it is true."""
    path, condition = re.fullmatch(r"([a-z_.]*)(?:\[([a-z_]+)\])?", selector).groups()  # type: ignore[union-attr]  # else the test fails
    found = at(path, body)
    rows = found if isinstance(found, list) else [found]
    return [row for row in rows if condition is None or row[condition] is True]


async def asked(api: Api, query: dict[str, Any]) -> list[Any]:
    """Return the rows that Grafana would show: the base address of the data source is that of the API."""
    path, params = query["url"], {}
    for name, value in VARIABLES.items():
        path = path.replace(name, value)
    for one in query["url_options"]["params"]:
        params[one["key"]] = VARIABLES.get(one["value"], one["value"])
    assert "$" not in path + "".join(params.values())
    answer = await api.get(path.removeprefix("/"), params=params)
    assert answer.status_code == 200, answer.text
    return rows_at(query["root_selector"], answer.json())


@pytest.mark.parametrize("title", queries())
async def test_a_query_finds_every_column_that_it_names(api: Api, title: str) -> None:
    query = queries()[title]
    rows = await asked(api, query)
    assert rows
    for column in query["columns"]:
        values = [value for row in rows if (value := at(column["selector"], row)) is not None]
        assert values, column
        if column["type"] == "timestamp":
            assert all(date.fromisoformat(value) for value in values)
        else:
            assert all(isinstance(value, KINDS[column["type"]]) for value in values), column


async def test_a_week_that_is_not_whole_is_a_gap_and_not_a_fall(api: Api) -> None:
    query = queries()["$metric by week"]
    weeks = [date.fromisoformat(row["period_start"]) for row in await asked(api, query)]
    (gap,) = [(a, b) for a, b in pairwise(weeks) if (b - a).days != 7]
    assert gap[0] < MISSING_DAY < gap[1]
    (panel,) = [one for one in DASHBOARD["panels"] if one["type"] == "timeseries"]
    custom = panel["fieldConfig"]["defaults"]["custom"]
    assert (
        7 * 86_400_000 < custom["insertNulls"] < 14 * 86_400_000
    )  # milliseconds: longer gaps break the line


async def test_the_metrics_to_choose_from_are_those_of_the_catalogue(api: Api) -> None:
    chosen = {row["metric_id"] for row in await asked(api, queries()["metric"])}
    assert {PYTHON, RUST} <= chosen
    assert "clones:lance:github" not in chosen  # no longer collected


@pytest.mark.parametrize("title", queries())
def test_a_query_has_the_fields_of_the_data_source(title: str) -> None:
    query = queries()[title]
    assert query.keys() - {"datasource"} == FIELDS
    assert (query["type"], query["source"], query["parser"]) == ("json", "url", "backend")
    assert query["format"] in {"table", "timeseries"}
    assert query["url"].startswith("/")
    assert query["url_options"]["method"] == "GET"


def test_panels_have_places_and_the_data_source_that_is_chosen() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert {panel["datasource"]["type"], panel["targets"][0]["datasource"]["type"]} == {SOURCE}
    (choice,) = [one for one in DASHBOARD["templating"]["list"] if one["type"] == "datasource"]
    assert choice["query"] == SOURCE

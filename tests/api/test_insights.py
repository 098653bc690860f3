"""What `/insights` says of known numbers, over both kinds of storage."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from community_metrics.catalog import load_catalog
from community_metrics.cli.render.report import INSIGHTS_SHOWN, render_report
from community_metrics.cli.render.style import glyphs_of
from community_metrics.model import Observation, SourceWindow, ValueMark
from community_metrics.storage import LanceDBReader, LanceDBStore
from community_metrics.views.report import load_report
from tests.support import rows
from tests.support.api import LAST_DAY, PYTHON, RUST, STARS, python_value, write
from tests.support.clock import NOON, FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

WEDNESDAY = LAST_DAY - timedelta(days=4)


async def insights_of(api: Api, path: str = "insights", *kinds: str) -> list[dict[str, Any]]:
    body = (await api.get(path)).json()
    found: list[dict[str, Any]] = body["insights"]
    return [one for one in found if not kinds or one["kind"] in kinds]


async def test_the_headline_is_the_total_and_the_change_of_the_dashboard(api: Api) -> None:
    board = (await api.get("dashboard/weekly?weeks=1&product=lance")).json()
    downloads = [
        metric for metric in board["products"][0]["metrics"] if metric["metric_id"] in {PYTHON, RUST}
    ]
    (headline,) = await insights_of(api, "insights?product=lance", "headline")
    numbers = headline["numbers"]
    assert numbers["total"] == sum(metric["latest_complete"]["value"] for metric in downloads)
    assert numbers["change"]["absolute"] == sum(metric["change"]["absolute"] for metric in downloads)
    assert numbers["complete"] == [PYTHON, RUST]


async def test_the_report_has_the_sentences_of_the_api_above_its_tables(
    filled_local: Place, local_api: Api
) -> None:
    told = [one["sentence"] for one in await insights_of(local_api)][:INSIGHTS_SHOWN]
    async with LanceDBReader.open(filled_local.reading) as reader:
        report = await load_report(reader, load_catalog(None), NOON, weeks=2)
    console = Console(width=1_000, record=True, file=io.StringIO())
    console.print(render_report(report, glyphs_of(console), 1_000))
    lines = console.export_text().splitlines()
    first_table = next(
        number for number, line in enumerate(lines) if line.startswith(report.products[0].display_name)
    )
    above = "\n".join(lines[:first_table])
    assert told
    assert [sentence for sentence in told if sentence not in above] == []


async def test_a_restated_day_is_told_and_is_no_spike_below_the_least_factor(api: Api) -> None:
    found = {one["kind"]: one for one in await insights_of(api) if PYTHON in one["metric_ids"]}
    friday = LAST_DAY - timedelta(days=2)
    assert "spike" not in found
    assert found["restated"]["numbers"] | {"type": ""} == {
        "type": "",
        "days": 1,
        "first": str(friday),
        "last": str(friday),
        "difference": 999 - python_value(LAST_DAY),
        "largest": 999 - python_value(LAST_DAY),
        "has_more": False,
    }


async def test_a_missing_day_is_told_in_its_week(api: Api) -> None:
    (missing,) = [
        one
        for one in await insights_of(api, "insights?week=2026-W45", "missing")
        if RUST in one["metric_ids"]
    ]
    assert missing["numbers"] == {"type": "missing", "days": ["2026-11-04"], "reason": "days"}


@pytest.mark.parametrize(
    ("is_read", "sentence"),
    [
        (True, "pypistats has published no value of ours for 2026-11-23 to 2026-11-29 yet."),
        (False, "pypistats was not read since 2026-11-23: nothing is known of 2026-11-23 to 2026-11-29."),
    ],
)
async def test_only_a_run_that_read_a_metric_shows_that_its_source_has_published_nothing(
    folder: Place, serve: Serve, is_read: bool, sentence: str
) -> None:
    monday = NOON + timedelta(days=7)
    async with LanceDBStore.open(folder.writing) as store:
        await store.record_run(rows.run(monday, run_id="monday"))
        ended = rows.fetched if is_read else partial(rows.failed, message="it returned 503")
        await store.record_outcomes([ended("monday", PYTHON)])
    async with serve(folder.reading, clock=FakeClock(monday + timedelta(hours=1))) as api:
        missing = await insights_of(api, "insights", "missing")
    assert sentence in [one["sentence"] for one in missing if one["metric_ids"] == [PYTHON]]


def searched(insight: dict[str, Any], query: str) -> list[str]:
    """Return the days that an insight names, else its other numbers, else its metrics.

    The numbers of a quarter are shown by its months.
    """
    if "quarter" in query and "grain=month" in insight["link"]:
        return re.findall(r"\d{4}-\d\d(?=-\d\d)", insight["link"])
    numbers = json.dumps(insight["numbers"])
    days = re.findall(r"\d{4}-\d\d-\d\d", numbers)
    return days or re.findall(r"\d+", numbers) or insight["metric_ids"]


@pytest.mark.parametrize("query", ["", "?week=2026-W45", "?month=2026-10", "?quarter=2026-Q3"])
async def test_every_link_leads_to_numbers(api: Api, query: str) -> None:
    for insight in await insights_of(api, f"insights{query}"):
        answer = await api.get(insight["link"].removeprefix("/api/v1/"))
        assert answer.status_code == 200, insight["link"]
        shown = [one for one in searched(insight, query) if re.search(rf"\b{one}\b", answer.text)]
        assert shown, insight["link"]


async def test_a_product_narrows_the_insights(api: Api) -> None:
    ids = {name for one in await insights_of(api, "insights?product=lancedb") for name in one["metric_ids"]}
    assert ids
    assert {name.split(":")[1] for name in ids} == {"lancedb"}
    assert (await api.get("insights?product=nope")).status_code == 404


async def test_a_level_that_was_not_read_at_the_end_of_the_week_is_missing(api: Api) -> None:
    found = [one for one in await insights_of(api) if STARS in one["metric_ids"]]
    assert [one["numbers"] for one in found] == [{"type": "missing", "days": [], "reason": "reading"}]


async def test_a_day_that_is_marked_as_low_for_everybody_is_the_registrys(
    folder: Place, serve: Serve
) -> None:
    ref = "https://registry.example/downloads"
    low = Observation(
        PYTHON,
        WEDNESDAY,
        WEDNESDAY,
        10,
        SourceWindow.DAY,
        NOON + timedelta(hours=1),
        ref,
        mark=ValueMark.LOW_FOR_EVERYBODY,
    )
    async with LanceDBStore.open(folder.writing) as store:
        await write(store, [low])
    async with serve(folder.reading) as api:
        (gap,) = await insights_of(api, "insights", "registry_gap")
        (dip,) = await insights_of(api, "insights", "dip")
    assert gap["numbers"]["low"] == [str(WEDNESDAY)]
    assert dip["numbers"]["cause"] == "registry"


async def test_a_body_is_tagged_and_served_from_memory(local_api: Api) -> None:
    first = await local_api.get("insights")
    again = await local_api.get("insights", headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)


async def test_the_first_of_the_insights_are_positions_of_other_kinds_than_the_headline(api: Api) -> None:
    body = (await api.get("insights")).json()
    first = [body["insights"][at]["kind"] for at in body["foremost"]]
    assert 0 < len(first) <= 4
    assert "headline" not in first

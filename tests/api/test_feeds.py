"""The Atom feeds of insights and of restated values: what they say, and that their ids stay."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.support.api import LAST_DAY, PYTHON, STARS, python_value

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

ATOM = "{http://www.w3.org/2005/Atom}"
FEEDS = ["insights", "restatements", "outages", "digests"]


async def feed_of(api: Api, path: str) -> ET.Element:
    answer = await api.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/atom+xml")
    return ET.fromstring(answer.content)  # noqa: S314  our own bytes


def ids_of(feed: ET.Element) -> list[str]:
    return [entry.findtext(f"{ATOM}id", "") for entry in feed.iter(f"{ATOM}entry")]


def titles_of(feed: ET.Element) -> list[str]:
    return [entry.findtext(f"{ATOM}title", "") for entry in feed.iter(f"{ATOM}entry")]


@pytest.mark.parametrize("route", FEEDS)
async def test_each_feed_has_an_id_a_date_and_entries_that_lead_to_an_answer(
    local_api: Api, route: str
) -> None:
    feed = await feed_of(local_api, f"{route}?format=atom")
    assert feed.findtext(f"{ATOM}id", "").endswith(f"/{route}")
    assert feed.findtext(f"{ATOM}updated", "").endswith("Z")
    for link in feed.iter(f"{ATOM}link"):
        path = link.attrib["href"].removeprefix("/api/v1/")
        assert (await local_api.get(path)).status_code == 200


async def test_the_feed_of_insights_has_the_sentences_of_the_week_but_those_of_missing_days(api: Api) -> None:
    told = (await api.get("insights")).json()["insights"]
    feed = await feed_of(api, "insights?format=atom")
    assert sorted(titles_of(feed)) == sorted(one["sentence"] for one in told if one["kind"] != "missing")
    assert len(set(ids_of(feed))) == len(ids_of(feed)) > 1
    assert {entry.findtext(f"{ATOM}updated") for entry in feed.iter(f"{ATOM}entry")} == {
        "2026-11-23T00:00:00Z"
    }


async def test_an_insight_is_the_same_entry_in_the_feed_of_a_product_which_is_another_feed(
    local_api: Api,
) -> None:
    every = await feed_of(local_api, "insights?format=atom&week=2026-W47")
    some = await feed_of(local_api, "insights?format=atom&week=2026-W47&product=lance")
    assert set(ids_of(some)) & set(ids_of(every))
    assert some.findtext(f"{ATOM}id") == f"{every.findtext(f'{ATOM}id')}&product=lance"


async def test_one_sentence_of_two_deployments_is_two_entries_and_of_one_stays_one(
    filled_local: Place, serve: Serve
) -> None:
    async def ids_at(route: str, address: str | None) -> set[str]:
        settings = filled_local.reading.model_copy(update={"api_url": address})
        async with serve(settings) as api:
            feed = await feed_of(api, f"{route}?format=atom")
        return {feed.findtext(f"{ATOM}id", ""), *ids_of(feed)}

    for route in FEEDS:
        one = await ids_at(route, "https://metrics.example.org")
        assert one == await ids_at(route, "http://metrics.example.org")  # before it had TLS
        assert one.isdisjoint(await ids_at(route, "https://metrics.example.com"))
        assert one.isdisjoint(await ids_at(route, None))


async def test_the_feed_of_restatements_says_both_values_and_when_the_change_was_seen(api: Api) -> None:
    feed = await feed_of(api, f"restatements?format=atom&metric_id={PYTHON}")
    (row,) = (await api.get(f"restatements?metric_id={PYTHON}")).json()["restatements"]
    assert titles_of(feed) == [f"{PYTHON}, {row['period_end']}: 999 instead of {python_value(LAST_DAY):,}."]
    (entry,) = feed.iter(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}updated") == row["revised_at"]
    assert ids_of(feed)[0].endswith(f"/restatements/{PYTHON}/{row['period_end']}/1")


async def test_without_a_restatement_the_feed_is_empty(local_api: Api) -> None:
    assert ids_of(await feed_of(local_api, f"restatements?format=atom&metric_id={STARS}")) == []

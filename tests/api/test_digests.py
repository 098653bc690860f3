"""`/digests`: the stored digests, in three formats that never change, and as a feed."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.digest.formats import Format, rendered
from community_metrics.digest.slides import slides_of
from community_metrics.model import InsightKind, SourceWindow
from community_metrics.model.digest_content import Correction, Digest, Finding, SinceLast
from community_metrics.periods import Grain, period_named
from community_metrics.storage import LanceDBReader, LanceDBStore
from community_metrics.views.digest import DigestScope
from community_metrics.views.digests import made_digest
from tests.support.api import LAST_DAY, PYTHON, fill, local_place, observed, refresh, serving
from tests.support.clock import NOON
from tests.support.digests import OTHER, RUST, WEEK, a_stored_digest, digest_of, steady

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from tests.support.api import Api, Place

ATOM = "{http://www.w3.org/2005/Atom}"
VALUES = {name: steady(100, WEEK.end) for name in ("downloads:p:python", RUST, OTHER)}
PASSED = Finding.model_validate(
    {
        "kind": InsightKind.MILESTONE,
        "rule": "round-number",
        "importance": 5_000,
        "unit": "stars",
        "product": "p",
        "metric_ids": ("stars:p:github",),
        "sentence": "P stars passed 5,000 stars.",
        "numbers": {"mark": 5_000, "value": 5_012},
        "link": "/api/v1/insights",
    }
)
DIGEST = digest_of(VALUES).model_copy(update={"findings": (PASSED,)})
MEDIA_TYPES = {"html": "text/html", "md": "text/markdown", "json": "application/json"}


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    """A database with two digests, of which the later one says the same milestone again."""
    made = local_place(tmp_path)
    await fill(made.writing)
    later = {"digest_id": "2026-11", "period": "2026-11", "made_at": NOON + timedelta(days=9)}
    async with LanceDBStore.open(made.writing) as store:
        await store.write_digest(a_stored_digest(content=DIGEST.model_dump_json()))
        await store.write_digest(a_stored_digest(content=DIGEST.model_dump_json(), **later))
    return made


@pytest.fixture
async def stored_digests(place: Place) -> AsyncIterator[Api]:
    """The API over that database."""
    async for served in serving(place.reading):
        yield served


async def body_of(api: Api, path: str) -> httpx.Response:
    answer = await api.get(path)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.fixture
async def digest(filled_local: Place) -> Digest:
    """The digest of the last week of the numbers that `local_api` serves."""
    async with LanceDBReader.open(filled_local.reading) as reader:
        return await made_digest(reader, load_catalog(None), NOON, scope=DigestScope(WEEK))


@pytest.mark.parametrize(
    ("kind", "form"), [("html", Format.HTML), ("md", Format.MARKDOWN), ("json", Format.JSON)]
)
async def test_a_digest_is_what_the_command_prints(stored_digests: Api, kind: str, form: Format) -> None:
    answer = await body_of(stored_digests, f"digests/2026-W47.{kind}")
    assert answer.text == rendered(DIGEST, form)
    assert answer.headers["content-type"].partition(";")[0] == MEDIA_TYPES[kind]


async def test_a_digest_is_the_same_after_a_registry_changed_a_number(place: Place) -> None:
    async for api in serving(place.reading):
        before = (await body_of(api, "digests/2026-W47.json")).content
    async with LanceDBStore.open(place.writing) as store:
        at = NOON + timedelta(days=9)
        await refresh(store, [observed(PYTHON, LAST_DAY, LAST_DAY, 99_999, SourceWindow.DAY, at)])
    async for api in serving(place.reading):
        assert (await body_of(api, "digests/2026-W47.json")).content == before


async def test_slides_may_run_no_script(stored_digests: Api) -> None:
    policy = (await body_of(stored_digests, "digests/2026-W47.html")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


async def test_the_list_has_what_is_needed_to_choose(stored_digests: Api) -> None:
    body = (await body_of(stored_digests, "digests")).json()
    assert [one["digest_id"] for one in body["digests"]] == ["2026-11", "2026-W47"]
    assert (body["digests"][1]["title"], body["has_more"]) == ("Week 2026-W47: complete", False)


async def test_the_feed_has_digests_and_each_milestone_once(stored_digests: Api) -> None:
    answer = await body_of(stored_digests, "digests?format=atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = ET.fromstring(answer.content)  # noqa: S314  our own bytes
    titles = [one.findtext(f"{ATOM}title") for one in feed.iter(f"{ATOM}entry")]
    assert sorted(map(str, titles)) == [PASSED.sentence, *2 * ["Week 2026-W47: complete"]]
    links = {one.attrib["href"] for one in feed.iter(f"{ATOM}link") if one.attrib["rel"] == "alternate"}
    assert links == {"/api/v1/digests/2026-W47.html", "/api/v1/digests/2026-11.html"}


async def test_the_feed_leaves_out_a_milestone_that_a_later_digest_corrects(place: Place) -> None:
    withdrawn = Correction(
        metric_id="stars:p:github", mark=5_000, said=5_012, now=4_990, sentence="No longer.", link="/api/v1/x"
    )
    since = SinceLast(
        digest_id="2026-W47", period="2026-W47", corrections=(withdrawn,), rules=(), unchecked=0
    )
    content = DIGEST.model_copy(update={"findings": (), "since_last": since}).model_dump_json()
    later = {"digest_id": "2026-W48", "period": "2026-W48", "made_at": NOON + timedelta(days=10)}
    async with LanceDBStore.open(place.writing) as store:
        await store.write_digest(a_stored_digest(content=content, **later))
    async for api in serving(place.reading):
        text = (await body_of(api, "digests?format=atom")).text
    assert "2026-W48.html" in text
    assert PASSED.sentence not in text


async def test_an_id_that_is_not_stored_is_a_404_with_similar_ids(stored_digests: Api) -> None:
    answer = await stored_digests.get("digests/2026-W46.json")
    assert answer.status_code == 404
    assert answer.json()["type"].endswith("#unknown-digest")
    assert "2026-W47" in answer.json()["near"]


async def test_a_digest_has_the_values_of_the_page(local_api: Api, digest: Digest) -> None:
    overview = (await local_api.get("overview?week=2026-W47")).json()
    shown = {one["product"]: one["total"] for one in overview["products"] if one["total"]}
    known = [score for score in digest.scores if score.value is not None]
    assert known
    for score in known:
        total = shown[str(score.product)]
        assert (total["week"], total["value"]) == ("2026-W47", score.value)
        if score.is_complete:
            assert score.change is not None
            assert score.change.model_dump() == total["change"]


async def test_a_digest_has_the_total_of_the_insights(local_api: Api, digest: Digest) -> None:
    insights = (await local_api.get("insights?week=2026-W47")).json()["insights"]
    headline = next(one for one in insights if one["kind"] == "headline")
    assert digest.total is not None
    assert digest.total.value == headline["numbers"]["total"]
    sentences = {one["sentence"] for one in insights}
    assert digest.findings
    assert {one.sentence for one in (*digest.findings, *digest.restated)} <= sentences


async def test_a_digest_has_the_values_of_the_csv(local_api: Api, digest: Digest) -> None:
    known = [value for value in digest.values if value.value is not None]
    assert {value.metric_id for value in known} >= {PYTHON}
    for value in known:
        path = f"series/{value.metric_id}?grain=week&from=2026-11-16&to=2026-11-22&format=csv"
        [row] = csv.DictReader(io.StringIO((await local_api.get(path)).text))
        assert (row["week"], row["value"]) == ("2026-W47", str(value.value))


async def values_of(api: Api, metric_id: str, periods: tuple[str, ...]) -> list[int | None]:
    """Return the complete values of a series in some weeks, as the API has them."""
    first = period_named(periods[0], Grain.WEEK)
    assert first is not None
    path = f"series/{metric_id}?grain=week&from={first.start}&to=2026-11-22"
    points = (await body_of(api, path)).json()["points"]
    assert [point["week"] for point in points] == list(periods)
    return [point["value"] if point["complete"] else None for point in points]


async def test_the_charts_of_a_digest_have_the_values_of_the_series(local_api: Api, digest: Digest) -> None:
    assert {chart.about for chart in digest.charts} == {"product", "stars"}
    for chart in digest.charts:
        for line in chart.lines:
            own = [await values_of(local_api, name, chart.periods) for name in line.metric_ids]
            weeks = zip(*own, strict=True)
            assert list(line.values) == [None if None in week else sum(map(int, week)) for week in weeks]


async def test_the_chart_of_a_digest_says_what_the_picture_of_the_api_says(
    local_api: Api, digest: Digest
) -> None:
    [chart] = [one for one in digest.charts if one.about == "product"]
    names = "&".join(f"metric_id={name}" for name in chart.lines[0].metric_ids)
    first = period_named(chart.periods[0], Grain.WEEK)
    assert first is not None
    days = f"{first.start}..2026-11-22"
    drawn = (await body_of(local_api, f"chart.svg?{names}&total=true&by=week&range={days}")).text
    [stored_digests] = re.findall(r"<desc[^>]*>.*?: (\d.*?)\. ?[^.]*</desc>", drawn)
    [slide] = [one for one in slides_of(digest).slides if one.chart and "downloads" in one.heading]
    assert slide.chart is not None
    # a digest does not store which values may still change: it would have new editions without another number
    assert stored_digests.replace(" (may still change)", "") in slide.chart.description

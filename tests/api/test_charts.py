"""Charts for a README: what is drawn, what is said of it, and what is refused."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.model import SourceWindow
from community_metrics.periods import midnight
from community_metrics.storage import LanceDBStore
from tests.support import api as support
from tests.support import rows
from tests.support.api import LAST_DAY, PYTHON, RUST, STARS, days_of, observed, write
from tests.support.clock import NOON
from tests.support.events import note, release

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from datetime import date, datetime
    from pathlib import Path

    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

SVG = "{http://www.w3.org/2000/svg}"
OTHER_STARS = "stars:lancedb:github"


def texts(drawn: str) -> list[str]:
    return ["".join(text.itertext()) for text in parsed(drawn).iter(f"{SVG}text")]


def parsed(drawn: str) -> ET.Element:
    return ET.fromstring(drawn)  # noqa: S314  our own API drew it


def description(drawn: str) -> str:
    return parsed(drawn).findtext(f"{SVG}desc") or ""


async def drawn(api: Api, path: str) -> str:
    answer = await api.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/svg+xml"
    assert len(answer.content) <= 20_000
    return answer.text


async def test_a_chart_has_the_numbers_of_the_series_in_words(api: Api) -> None:
    points = (await api.get(f"series/{PYTHON}?from=2025-11-24&to=2026-11-22")).json()["points"]
    chart = await drawn(api, f"chart/{PYTHON}.svg")
    first, last = points[0]["value"], points[-1]["value"]
    provisional = " (may still change)"
    words = f"{first:,} in 2025-W48{provisional}, then {last:,} in 2026-W47{provisional}; highest {last:,}"
    assert words in description(chart)
    assert "downloads per week · 2025-W48 to 2026-W47 · 52 of 52 weeks complete" in texts(chart)
    assert "Source: pypistats. Newest data: 2026-11-22. Downloads are not users." in texts(chart)


async def test_a_week_with_a_missing_day_is_marked_and_joined_to_nothing(local_api: Api) -> None:
    chart = await drawn(local_api, f"chart/{RUST}.svg?range=12w")
    assert "11 of 12 weeks complete" in " ".join(texts(chart))
    assert any("days missing" in text for text in texts(chart))


@pytest.mark.parametrize(
    ("query", "span"),
    [
        ("range=12w", "2026-W36 to 2026-W47"),
        ("range=all", "2025-W31 to 2026-W47"),
        ("by=month&range=1y", "2025-11 to 2026-10"),
        ("by=day&range=12w", "2026-08-31 to 2026-11-22"),
        ("range=2026-02-04..2026-02-10", "2026-W06 to 2026-W07"),
        ("by=day&range=2026-02-04..2026-02-10", "2026-02-04 to 2026-02-10"),
    ],
)
async def test_a_range_is_drawn_in_whole_periods_that_are_over(local_api: Api, query: str, span: str) -> None:
    assert f"· {span} ·" in " ".join(texts(await drawn(local_api, f"chart/{PYTHON}.svg?{query}")))


async def test_an_estimate_is_dashed_and_explained(local_api: Api) -> None:
    chart = await drawn(local_api, f"chart/{PYTHON}.svg?range=2025-06-30..2025-09-28")
    assert any("estimated" in text for text in texts(chart))
    assert "gap: no data" in " ".join(texts(chart))


async def test_a_chart_of_a_product_has_a_line_for_each_package(local_api: Api) -> None:
    chart = await drawn(local_api, "chart.svg?product=lance")
    assert "Lance: downloads" in texts(chart)
    names = [text for text in texts(chart) if text[:2] in {"A ", "B ", "C "}]
    assert len(names) >= 2


async def test_a_picture_of_its_own_runs_nothing_and_has_a_tag(api: Api) -> None:
    path = f"chart/{PYTHON}.svg?theme=dark"
    answer = await api.get(path)
    support.require_security_headers(answer)
    assert answer.headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'unsafe-inline'"
    )
    assert "public, max-age=60" in answer.headers["cache-control"]
    again = await api.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_stale_data_say_their_date(local_api: Api) -> None:
    local_api.clock.advance(timedelta(days=40).total_seconds())
    chart = await drawn(local_api, f"chart/{PYTHON}.svg")
    assert f"Stale: the newest numbers from pypistats are of {LAST_DAY}." in texts(chart)
    assert f"Stale: the newest numbers from pypistats are of {LAST_DAY}." in description(chart)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("chart/downloads:lance:pyton.svg", 404, "Near: downloads:lance:python"),
        ("chart.svg?product=lanse", 404, "No product 'lanse' is stored"),
        (f"chart.svg?metric_id={PYTHON}&metric_id={STARS}", 422, "one chart has one axis"),
        ("chart.svg?family=nothing", 422, "none of the chosen metrics is of the family nothing"),
        (f"chart/{PYTHON}.svg?range=2026-13-01..2026-12-02", 422, "two days in their order"),
        (f"chart/{PYTHON}.svg?range=2026-02-02..2026-02-01", 422, "two days in their order"),
        (f"chart/{PYTHON}.svg?range=2027-01-01..2027-02-01", 422, "range: 2027-01-01 is after 2026-11-22"),
        (f"chart/{PYTHON}.svg?by=hour", 422, "day, week, month"),
        (f"chart/{PYTHON}.svg?colour=red", 422, "is not a parameter of this route"),
    ],
)
async def test_what_cannot_be_drawn_is_a_problem(local_api: Api, path: str, status: int, said: str) -> None:
    answer = await local_api.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


CATALOG = "".join(f'[[product]]\nid = "p{at}"\nname = "Project {at}"\n' for at in range(9)) + "".join(
    f"""
[[metric]]
id = "{family}:p{at}:{part}"
source = "{source}"
subject = "{subject}"
window = "{window}"
display_name = "Project {at}"
"""
    for at in range(9)
    for family, part, source, subject, window in (
        ("downloads", "rust", "crates", f"project-{at}", "1d"),
        ("stars", "github", "github", f"organisation/project-{at}", "instant"),
    )
)


def edge(day: date) -> datetime:
    """Return an instant near the end of a day."""
    return midnight(day) + timedelta(hours=23)


@pytest.fixture
async def many(tmp_path: Path, serve: Serve) -> AsyncIterator[Api]:
    """Nine projects; the stars of the last two were not read since a week ago, and since October."""
    file = tmp_path / "catalog.toml"
    file.write_text(CATALOG)
    place = support.local_place(tmp_path)
    async with LanceDBStore.open(place.writing) as store:
        await store.create_tables()
        await store.upsert_metrics([metric.definition(NOON) for metric in load_catalog(file).metrics])
        for at in range(9):
            first = LAST_DAY - timedelta(days=3_650 if at == 0 else 30)
            await write(store, days_of(f"downloads:p{at}:rust", first, plus=5_000))
            last = LAST_DAY - timedelta(days={8: 30, 7: 7}.get(at, 0))
            stars = [
                observed(f"stars:p{at}:github", day, day, 100 * (at + 1), SourceWindow.INSTANT, edge(day))
                for day in (last - timedelta(days=back) for back in range(40))
            ]
            await write(store, stars)
        await store.record_run(rows.run(NOON, run_id="good"))
    async with serve(place.reading.model_copy(update={"catalog": file})) as api:
        yield api


async def test_more_lines_than_can_be_told_apart_are_refused(many: Api) -> None:
    answer = await many.get("chart.svg")
    assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (422, "answer-too-large")
    assert (
        "9 metrics; at most 8 fit. Fix: name fewer with metric_id= or product=, or add total=true"
        in answer.text
    )


async def test_stars_of_several_repositories_are_summed_over_weeks_that_all_have(many: Api) -> None:
    chart = await drawn(many, "chart.svg?family=stars&total=true")
    assert "Stars of 8 repositories" in texts(chart)
    assert f"{sum(100 * (at + 1) for at in range(8)):,} in 2026-W46" in description(chart)
    said = " ".join(texts(chart))
    assert "Sum of Project 0, Project 1" in said
    assert (
        "stars:p8:github is in no sum: it has had no value since 2026-10-23, for more than two weeks." in said
    )


async def test_a_sum_of_all_that_is_stored_begins_with_its_youngest_part(many: Api) -> None:
    two = "metric_id=downloads:p0:rust&metric_id=downloads:p1:rust"
    chart = await drawn(many, f"chart.svg?{two}&total=true&range=all")
    assert "2026-W44 to 2026-W47 · 4 of 4 weeks complete" in " ".join(texts(chart))


async def test_a_sum_waits_for_what_is_not_complete(many: Api) -> None:
    chart = await drawn(many, "chart.svg?metric_id=stars:p0:github&metric_id=stars:p7:github&total=true")
    assert "The last week waits for stars:p7:github." in texts(chart)
    assert "gap: no data" in texts(chart)
    assert "2026-W47" not in description(chart).partition("Sum of ")[2]


async def test_ten_years_of_weeks_are_drawn_as_weeks_and_of_days_as_wider_periods(many: Api) -> None:
    weeks = await drawn(many, "chart/downloads:p0:rust.svg?range=all")
    assert "522 weeks" in " ".join(texts(weeks))
    days = await drawn(many, "chart/downloads:p0:rust.svg?range=all&by=day")
    assert "Drawn by week, because the picture has no room for 3,651 days." in texts(days)
    assert "downloads per week" in " ".join(texts(days))


async def test_events_of_the_product_are_marked_with_their_authors(folder: Place, serve: Serve) -> None:
    events = [
        note(at=NOON - timedelta(days=20), day=(NOON - timedelta(days=20)).date()),
        release("crates:lance@1", NOON - timedelta(days=9)),
        release("crates:other@1", NOON - timedelta(days=9), product="other", title="of another product"),
        release("crates:lance@2", NOON - timedelta(days=900), title="long before"),
    ]
    async with LanceDBStore.open(folder.writing) as store:
        await store.upsert_events(events)
    async with serve(folder.reading) as api:
        said = texts(await drawn(api, f"chart/{PYTHON}.svg"))
    assert "1 2026-11-03 Lance-DuckDB posts (says Prashanth)" in said
    assert "2 2026-11-14 lance 0.38.1 (crates.io)" in said
    assert not any("of another product" in text or "long before" in text for text in said)


async def test_the_badge_of_shields_says_what_the_drawn_badge_says(api: Api) -> None:
    answer = await api.get(f"badge/{PYTHON}.json")
    assert answer.json() == {
        "schemaVersion": 1,
        "label": "pylance downloads",
        "message": "5.37k/week, 2026-W47",
        "color": "blue",
        "isError": False,
        "cacheSeconds": 3_600,
    }
    badge = (await api.get(f"badge/{PYTHON}.svg")).text
    assert all(f">{answer.json()[part]}</text>" in badge for part in ("label", "message"))


async def test_the_badge_of_shields_is_an_error_without_a_value_and_yellow_when_old(local_api: Api) -> None:
    none = (await local_api.get("badge/stars:lance-context:github.json")).json()
    assert (none["message"], none["isError"], none["color"]) == ("no data", True, "inactive")
    local_api.clock.advance(timedelta(days=30).total_seconds())
    old = (await local_api.get(f"badge/{PYTHON}.json")).json()
    assert (old["color"], old["isError"]) == ("yellow", False)
    assert re.fullmatch(r".* \(old\)", old["message"])

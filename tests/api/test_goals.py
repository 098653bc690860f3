"""What `/goals` says of known numbers, and to whom."""

from __future__ import annotations

import io
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from community_metrics.api.middleware.tokens import token_hash
from community_metrics.catalog import load_catalog
from community_metrics.catalog.catalog import PACKAGED_CATALOG
from community_metrics.cli.render.goals import render_goals
from community_metrics.cli.render.report import render_report
from community_metrics.cli.render.style import glyphs_of
from community_metrics.model import Visibility
from community_metrics.periods import Grain, days_between, period_of
from community_metrics.storage import LanceDBStore
from community_metrics.storage.reader import LanceDBReader
from community_metrics.storage.schemas import STATS
from community_metrics.views.digest import DigestScope
from community_metrics.views.digests import made_digest
from community_metrics.views.goals import load_goals
from community_metrics.views.report import load_report
from tests.support import api as support
from tests.support.api import LAST_DAY, MISSING_DAY, PYTHON, RUST, STARS, python_value
from tests.support.clock import NOON
from tests.support.worlds import raw_table

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.api import Place

TOKEN = "cmt_of-the-team"
GOALS = f"""
[[goal]]
metric = "{PYTHON}"
value = 100_000
since = 2026-11-01
date = 2026-12-20

[[goal]]
metric = "{STARS}"
value = 5_060
date = 2026-12-31
name = "Many stars"

[[goal]]
product = "lance"
value = 10_000_000
since = 2026-11-01
date = 2027-12-31

[[goal]]
metric = "{PYTHON}"
value = 77_777
date = 2027-12-31
visibility = "team"
"""
SERVING = asynccontextmanager(support.serving)


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """The packaged catalogue, with goals."""
    file = tmp_path / "goals.toml"
    write_goals(file, GOALS)
    return file


def write_goals(file: Path, goals: str) -> None:
    file.write_text(PACKAGED_CATALOG.read_text(encoding="utf-8") + goals, encoding="utf-8")


def keep_for_the_team(catalog: Path, metric_id: str) -> None:
    text, entry = catalog.read_text(encoding="utf-8"), f'id = "{metric_id}"'
    catalog.write_text(text.replace(entry, f'{entry}\nvisibility = "team"', 1), encoding="utf-8")


async def goals_of(place: Place, *, token: str | None = None, **changes: Any) -> list[dict[str, Any]]:
    settings = place.reading.model_copy(
        update={"api_token_hashes": (token_hash(TOKEN),), "public_read": True, **changes}
    )
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with SERVING(settings) as api:
        found: list[dict[str, Any]] = (await api.get("goals", headers=headers)).json()["goals"]
    return found


async def test_a_goal_has_what_is_stored_and_what_each_week_needs(filled_local: Place, catalog: Path) -> None:
    python, stars, product = await goals_of(filled_local, catalog=catalog)
    restated = 999 - python_value(LAST_DAY)
    first = LAST_DAY - timedelta(days=21)
    total = sum(map(python_value, days_between(first, LAST_DAY))) + restated
    assert (python["current"], python["since"], python["as_of"]) == (total, str(first), str(LAST_DAY))
    assert (python["weeks_left"], python["needed_per_week"]) == (4, -(-(100_000 - total) // 4))
    assert python["progress"] == "behind"
    assert python["forecast"]["hits"] <= python["forecast"]["tests"]
    assert (stars["name"], stars["current"], stars["recent_per_week"]) == ("Many stars", 5_052, 7)
    assert stars["progress"] == "on_track"
    assert (product["name"], product["metric_id"], product["series"]) == (
        "Lance downloads",
        None,
        [PYTHON, RUST],
    )
    assert product["missing_days"] == [str(MISSING_DAY)]
    assert (product["progress"], product["forecast"]) == ("unknown", None)


async def test_a_goal_for_the_team_is_shown_only_with_a_token(filled_local: Place, catalog: Path) -> None:
    public = await goals_of(filled_local, catalog=catalog)
    team = await goals_of(filled_local, catalog=catalog, token=TOKEN)
    assert [goal["value"] for goal in team if goal not in public] == [77_777]


@pytest.mark.parametrize("place_of_secret", ["catalogue", "storage"])
async def test_a_goal_on_a_metric_of_the_team_is_invisible_to_the_public(
    folder: Place, catalog: Path, place_of_secret: str
) -> None:
    if place_of_secret == "catalogue":
        keep_for_the_team(catalog, STARS)
    else:
        async with LanceDBStore.open(folder.writing) as store:
            (stars,) = [one for one in await store.metrics() if one.metric_id == STARS]
            await store.upsert_metrics([replace(stars, visibility=Visibility.TEAM)])
    public = await goals_of(folder, catalog=catalog)
    assert STARS not in {goal["metric_id"] for goal in public}
    assert "Many stars" not in str(public)
    team = await goals_of(folder, catalog=catalog, token=TOKEN)
    assert STARS in {goal["metric_id"] for goal in team}


async def test_the_link_of_a_goal_leads_to_its_weeks(filled_local: Place, catalog: Path) -> None:
    links = {goal["link"] for goal in await goals_of(filled_local, catalog=catalog)}
    async with SERVING(filled_local.reading) as api:
        for link in links:
            assert (await api.get(link.removeprefix("/api/v1/"))).status_code == 200


async def test_the_report_has_the_sentences_of_the_api(filled_local: Place, catalog: Path) -> None:
    told = [goal["sentence"] for goal in await goals_of(filled_local, catalog=catalog, token=TOKEN)]
    async with LanceDBReader.open(filled_local.reading) as reader:
        report = await load_report(reader, load_catalog(catalog), NOON, weeks=2)
    console = Console(width=1_000, record=True, file=io.StringIO())
    console.print(render_report(report, glyphs_of(console), 1_000))
    text = console.export_text()
    assert [sentence in text for sentence in told] == [True] * 4


async def test_a_goal_on_a_metric_that_no_run_has_stored_is_told_on_the_terminal(
    folder: Place, catalog: Path
) -> None:
    async with LanceDBReader.open(folder.reading) as reader:
        stored = load_catalog(catalog)
        unknown = stored.goals[0].model_copy(update={"metric_id": "downloads:lance:elsewhere"})
        view = await load_goals(reader, replace(stored, goals=(unknown,)), NOON)
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(render_goals(view, glyphs_of(console)))
    assert "Nothing is stored yet of downloads:lance:elsewhere" in console.export_text()


async def test_a_digest_of_an_earlier_week_has_the_goals_of_its_end(
    filled_local: Place, catalog: Path
) -> None:
    settings, stored = filled_local.reading, load_catalog(catalog)
    week = period_of(date(2026, 11, 11), Grain.WEEK)
    async with LanceDBReader.open(settings) as reader:
        then = await load_goals(reader, stored, NOON, period=week)
        first_known = await load_goals(reader, stored, week.end_instant)
        now = await load_goals(reader, stored, NOON)
        scope = DigestScope(week, visibility=Visibility.TEAM)
        digest = await made_digest(reader, stored, NOON, scope=scope)
    python, stars, product, _ = then.goals
    days = list(days_between(date(2026, 11, 1), date(2026, 11, 15)))
    assert (python.counted.as_of, python.counted.value) == (days[-1], sum(map(python_value, days)))
    assert (stars.counted.as_of, product.counted.as_of) == (days[-1], days[-1])
    assert "2026-11-15" in python.sentence
    assert [one.sentence for one in digest.goals] == [one.sentence for one in then.goals]
    # Monday's days are stored too, and are not of the week
    assert first_known.goals[0].counted.as_of == days[-1] + timedelta(days=1)
    assert now.goals[0].counted.as_of == LAST_DAY


async def filled_without(folder: Path, where: str) -> Place:
    """Return a filled database of its own without some rows."""
    place = support.local_place(folder)
    await support.fill(place.writing)
    async with LanceDBStore.open(place.writing) as store:
        await (await raw_table(store, STATS)).delete(where)
    return place


async def test_a_goal_of_an_ended_month_counts_what_had_not_failed_at_its_end(
    tmp_path: Path, catalog: Path
) -> None:
    """One source is days late by now, and the month ended weeks ago: both had their days then."""
    write_goals(catalog, GOALS.replace("since = 2026-11-01", "since = 2026-10-01"))
    place = await filled_without(tmp_path, f"metric_id = '{RUST}' AND period_end > date '2026-11-12'")
    month = period_of(date(2026, 10, 5), Grain.MONTH)
    async with LanceDBReader.open(place.reading) as reader:
        product = (await load_goals(reader, load_catalog(catalog), NOON, period=month)).goals[2]
    assert (set(product.series), product.left_out) == ({PYTHON, RUST}, ())
    assert product.counted.as_of == month.end


async def test_a_series_that_began_later_takes_no_number_from_the_goal_of_an_earlier_week(
    tmp_path: Path, catalog: Path
) -> None:
    week = period_of(date(2026, 11, 11), Grain.WEEK)
    stored = load_catalog(catalog)
    place = await filled_without(tmp_path, f"metric_id = '{RUST}' AND period_end < date '2026-11-18'")
    async with LanceDBReader.open(place.reading) as reader:
        product = (await load_goals(reader, stored, NOON, period=week)).goals[2]
        now = (await load_goals(reader, stored, NOON)).goals[2]
    assert (product.series, product.counted.as_of) == ((PYTHON,), week.end)
    assert set(now.series) == {PYTHON, RUST}


@pytest.mark.parametrize("subject", [f'metric = "{PYTHON}"', 'product = "lance"'])
async def test_a_digest_of_a_week_before_a_goal_says_only_that_it_begins(
    filled_local: Place, catalog: Path, subject: str
) -> None:
    entry = f"\n[[goal]]\n{subject}\nvalue = 100_000\nsince = 2026-11-18\ndate = 2026-12-31\nname = 'It'\n"
    write_goals(catalog, entry)
    scope = DigestScope(period_of(date(2026, 11, 11), Grain.WEEK))
    async with LanceDBReader.open(filled_local.reading) as reader:
        digest = await made_digest(reader, load_catalog(catalog), NOON, scope=scope)
    (goal,) = digest.goals
    assert (goal.progress, goal.sentence) == (
        "unknown",
        "It: 100,000 downloads by 2026-12-31; it begins on 2026-11-18.",
    )


async def test_a_goal_that_begins_later_has_no_value_and_no_forecast(
    filled_local: Place, catalog: Path
) -> None:
    write_goals(catalog, GOALS.replace("since = 2026-11-01", "since = 2026-12-02"))
    python, _, product = await goals_of(filled_local, catalog=catalog)
    for goal in (python, product):
        assert (goal["since"], goal["progress"]) == ("2026-12-02", "unknown")
        assert goal["reason"] == goal["forecast_reason"] == "it begins on 2026-12-02"
        empty = ("current", "as_of", "remaining", "needed_per_week", "forecast")
        assert [goal[name] for name in empty] == [None] * len(empty)
        assert (goal["waits_for"], goal["missing_days"]) == ([], [])
        async with SERVING(filled_local.reading) as api:
            assert (await api.get(goal["link"].removeprefix("/api/v1/"))).status_code == 200


async def test_a_digest_of_a_week_that_is_not_over_has_the_goals_of_now(
    filled_local: Place, catalog: Path
) -> None:
    stored = load_catalog(catalog)
    async with LanceDBReader.open(filled_local.reading) as reader:
        running = await load_goals(reader, stored, NOON, period=period_of(NOON.date(), Grain.WEEK))
        assert running.goals == (await load_goals(reader, stored, NOON)).goals


async def test_without_a_goal_there_is_none(filled_local: Place) -> None:
    assert await goals_of(filled_local) == []

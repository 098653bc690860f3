"""What a refresh does with days before the first stored one, and with rows whose subject may have changed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import lancedb
import pytest

from community_metrics.model import RunStatus, Status
from community_metrics.periods import ONE_DAY, days_between
from community_metrics.runs.registry import DailyRefresh, SeedFromCsv, WeeklyRefresh
from community_metrics.series.freshness import missing_days
from tests.integration.test_jobs_etiquette import catalog_of
from tests.support.clock import NOON
from tests.support.registries.platforms import DOCKER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.jobs import Rig
    from tests.support.registry import Registry

YESTERDAY = NOON.date() - ONE_DAY
LONG_AGO = date(2024, 9, 1)
SUBJECTS = {
    "downloads:lance:python": ("pypistats", "pylance", 181),
    "downloads:lance:rust": ("crates", "lance", 89),
    "downloads:lancedb:nodejs": ("npm", "@lancedb/lancedb", 548),
}
NODEJS = "downloads:lancedb:nodejs"
COUNT, HISTORY = "stars:lance:github", "stars_retained:lance:github"
REPOSITORY = "lance-format/lance"


def registry_of(rig: Rig) -> Registry:
    assert rig.replay.registry is not None
    return rig.replay.registry


def pass_time(rig: Rig, span: timedelta) -> None:
    rig.now += span
    registry_of(rig).today = rig.now.date()


async def stored(rig: Rig, metric_id: str) -> dict[date, int]:
    return {row.period_end: row.value for row in await rig.stats() if row.metric_id == metric_id}


@pytest.mark.parametrize("metric_id", SUBJECTS)
async def test_a_first_answer_that_held_only_fourteen_days_is_completed(rig: Rig, metric_id: str) -> None:
    registry = registry_of(rig)
    source, subject, held = SUBJECTS[metric_id]
    registry.first_day = YESTERDAY - timedelta(days=13)
    await rig.run(WeeklyRefresh(only=(metric_id,)))
    assert len(await stored(rig, metric_id)) == 14

    registry.first_day = LONG_AGO
    pass_time(rig, timedelta(days=7))
    await rig.run(WeeklyRefresh(only=(metric_id,)))
    found = await stored(rig, metric_id)
    oldest = rig.now.date() - timedelta(days=held)
    assert set(days_between(oldest, rig.now.date() - ONE_DAY)) <= set(found)
    assert all(value == registry.value(source, subject, day) for day, value in found.items())
    assert missing_days(min(found), found, min(found), max(found)) == ()


@pytest.mark.parametrize("metric_id", SUBJECTS)
async def test_a_launch_during_an_outage_is_stored_when_its_days_are_published(
    rig: Rig, metric_id: str
) -> None:
    registry = registry_of(rig)
    source, subject, _ = SUBJECTS[metric_id]
    sentinel = {"pypistats": "__all__", "crates": "serde", "npm": "registry total"}[source]
    launch, landed = YESTERDAY - timedelta(days=9), YESTERDAY - timedelta(days=4)
    before = dict.fromkeys(((source, subject, day) for day in days_between(LONG_AGO, launch - ONE_DAY)), None)
    outage = {
        (source, name, day): None
        for name in (subject, sentinel)
        for day in days_between(launch, landed - ONE_DAY)
    }
    registry.overrides = before | outage
    await rig.run(WeeklyRefresh(only=(metric_id,)))
    pass_time(rig, timedelta(weeks=1))
    await rig.run(WeeklyRefresh(only=(metric_id,)))
    assert min(await stored(rig, metric_id)) == landed

    registry.overrides = before
    pass_time(rig, timedelta(weeks=5))  # by now every look-back begins after the launch
    await rig.run(WeeklyRefresh(only=(metric_id,)))
    found = await stored(rig, metric_id)
    assert min(found) == launch
    assert all(found[day] == registry.value(source, subject, day) for day in days_between(launch, landed))


async def test_npm_is_asked_for_what_came_before_until_two_answers_a_day_apart_knew_of_nothing(
    rig: Rig,
) -> None:
    registry_of(rig).first_day = YESTERDAY - timedelta(weeks=20)
    asked = []
    for wait in (timedelta(), timedelta(hours=1), timedelta(days=1), timedelta(days=1)):
        pass_time(rig, wait)
        rig.replay.requests.clear()
        await rig.run(WeeklyRefresh(only=(NODEJS,)))
        asked.append(len([path for path in rig.replay.paths if "lancedb" in path]))
    assert asked == [2, 1, 2, 1]
    assert min(await stored(rig, NODEJS)) == YESTERDAY - timedelta(weeks=20)


@pytest.mark.parametrize(("metric_id", "requests"), [(NODEJS, [4, 4, 2]), (HISTORY, [4, 4, 1])])
async def test_a_backfill_is_read_a_second_time_and_is_final_then(
    rig: Rig, metric_id: str, requests: list[int]
) -> None:
    asked = []
    for _ in range(3):
        rig.replay.requests.clear()
        await rig.run(WeeklyRefresh(only=(metric_id,)))
        asked.append(len([path for path in rig.replay.paths if "per_page" in path or "range" in path]))
        pass_time(rig, timedelta(hours=25))
    assert asked == requests
    oldest = YESTERDAY - timedelta(days=547) + ONE_DAY  # what left npm's window cannot be read again
    rows = [row for row in await rig.stats() if oldest <= row.period_end <= YESTERDAY - timedelta(days=3)]
    assert len(rows) >= 544
    assert {row.status for row in rows} == {Status.FINAL}


async def test_a_past_day_that_the_second_reading_restates_is_not_read_a_third_time(rig: Rig) -> None:
    await rig.run(WeeklyRefresh(only=(HISTORY,)))
    registry_of(rig).overrides["github-history", REPOSITORY, LONG_AGO + timedelta(days=9)] = 0
    for _ in range(2):
        pass_time(rig, timedelta(hours=25))
        rig.replay.requests.clear()
        await rig.run(WeeklyRefresh(only=(HISTORY,)))
    assert len([path for path in rig.replay.paths if "per_page" in path]) == 1


async def test_growth_of_the_days_that_settle_marks_no_week_as_restated(rig: Rig) -> None:
    registry, rust = registry_of(rig), "downloads:lance:rust"
    for day in days_between(YESTERDAY - timedelta(days=1), YESTERDAY):
        registry.overrides["crates", "lance", day] = 700
    await rig.run(WeeklyRefresh(only=(rust,)))
    for day in days_between(YESTERDAY - timedelta(days=1), YESTERDAY):
        registry.overrides["crates", "lance", day] = 900
    pass_time(rig, timedelta(weeks=1))
    await rig.run(WeeklyRefresh(only=(rust,)))
    assert {row.revision for row in await rig.stats()} == {0}
    assert (await stored(rig, rust))[YESTERDAY] == 900


async def test_a_cut_star_history_is_completed_and_then_read_no_further_than_its_window(rig: Rig) -> None:
    registry = registry_of(rig)
    registry.first_day = YESTERDAY - timedelta(weeks=20)
    await rig.run(WeeklyRefresh(only=(HISTORY,)))
    registry.first_day = LONG_AGO
    asked = []
    for _ in range(3):
        pass_time(rig, timedelta(hours=25))
        rig.replay.requests.clear()
        await rig.run(WeeklyRefresh(only=(HISTORY,)))
        asked.append(len(rig.replay.requests))
    assert min(await stored(rig, HISTORY)) == LONG_AGO
    assert asked == [4, 4, 1]


def take_over(rig: Rig) -> None:
    """Let somebody else register the repository's name: three weeks of stars, another number."""
    registry_of(rig).numbers[REPOSITORY] = 7
    registry_of(rig).first_day = YESTERDAY - timedelta(weeks=3)


async def forget_numbers(rig: Rig, metric_id: str) -> None:
    """Store the rows of a metric as they are when GitHub does not state the repository's number."""
    connection = await lancedb.connect_async(rig.folder)
    table = await connection.open_table("stats")
    await table.update(updates_sql={"subject_id": "NULL"}, where=f"metric_id = '{metric_id}'")


@pytest.mark.parametrize("token", [None, "ghp_x"])
@pytest.mark.parametrize("weeks", [5, 100])
async def test_stars_of_a_stranger_who_took_the_name_over_are_not_stored(
    rig: Rig, token: str | None, weeks: int
) -> None:
    rig.settings_overrides["github_token"] = token
    registry_of(rig).first_day = YESTERDAY - timedelta(weeks=weeks)
    await rig.run(WeeklyRefresh(only=(COUNT, HISTORY)))
    rows = await rig.stats()
    take_over(rig)
    pass_time(rig, timedelta(days=7))
    report = await rig.run(WeeklyRefresh(only=(COUNT, HISTORY)))
    assert report.run.status is RunStatus.FAILED
    messages = [str(outcome.message) for outcome in report.outcomes]
    assert ["now belongs to another repository (id 7" in message for message in messages] == [True, True]
    assert await rig.stats() == rows


async def test_a_reading_from_a_seed_file_does_not_let_a_stranger_in(rig: Rig, tmp_path: Path) -> None:
    await rig.run(WeeklyRefresh(only=(COUNT,)))
    pass_time(rig, timedelta(days=2))
    day, seed = rig.now.date() - ONE_DAY, tmp_path / "mine.csv"
    header = "metric_id,period_start,period_end,value,observed_at,source_ref,assumed,suspect,note"
    seed.write_text(f"{header}\n{COUNT},{day},{day},7,,notes,,,\n")
    await rig.run(SeedFromCsv(path=seed))
    take_over(rig)
    report = await rig.run(WeeklyRefresh(only=(COUNT,)))
    assert "now belongs to another repository" in (report.run.error_summary or "")


async def test_rows_without_a_number_are_confirmed_by_the_other_series_of_their_repository(rig: Rig) -> None:
    await rig.run(WeeklyRefresh(only=(COUNT, HISTORY)))
    await forget_numbers(rig, HISTORY)
    pass_time(rig, timedelta(days=1))
    confirmed = await rig.run(WeeklyRefresh(only=(HISTORY,)))
    assert confirmed.run.status is RunStatus.SUCCESS
    await forget_numbers(rig, HISTORY)
    take_over(rig)
    refused = await rig.run(WeeklyRefresh(only=(HISTORY,)))
    assert "now belongs to another repository" in (refused.run.error_summary or "")


@pytest.mark.parametrize("later", [False, True])
async def test_rows_without_a_number_that_nothing_confirms_fail_their_metric(rig: Rig, later: bool) -> None:
    await rig.run(WeeklyRefresh(only=(HISTORY,)))
    await forget_numbers(rig, HISTORY)
    rows = await rig.stats()
    pass_time(rig, timedelta(days=1))
    if later:  # who held the name when the rows were stored, a reading of a later day does not show
        await rig.run(WeeklyRefresh(only=(COUNT,)))
    report = await rig.run(WeeklyRefresh(only=(HISTORY,)))
    assert "stored without the repository's number" in (report.run.error_summary or "")
    assert [row for row in await rig.stats() if row.metric_id == HISTORY] == rows


async def test_a_counter_of_0_is_stored_each_day_until_it_is_above_0(rig: Rig, tmp_path: Path) -> None:
    metric_id, registry, first = "pulls:p:docker", registry_of(rig), NOON.date()
    rig.settings_overrides["catalog"] = catalog_of(tmp_path, (metric_id, "docker", "lancedb/new", "instant"))
    for ahead, total in enumerate((0, 0, 5, 0)):  # the last one is wrong: a total only grows
        registry.overrides[DOCKER, "lancedb/new", first + ahead * ONE_DAY] = total
        report = await rig.run(DailyRefresh())
        pass_time(rig, ONE_DAY)
    assert list((await stored(rig, metric_id)).values()) == [0, 0, 5]
    assert [note for _, note in report.metric_notes] == [
        "2026-11-26 left open: the total is 0, but a total of 5 is stored, and it only grows"
    ]

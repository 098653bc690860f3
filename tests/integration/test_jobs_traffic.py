"""Traffic through whole runs: 14 days and today's lists are stored, and an outage leaves gaps, not zeros."""

from __future__ import annotations

import zlib
from datetime import date, timedelta
from typing import TYPE_CHECKING

import lancedb
import pytest

from community_metrics.catalog import load_catalog
from community_metrics.catalog.edit import plan_addition
from community_metrics.catalog.files import init_catalog
from community_metrics.cli.doctor import examine
from community_metrics.errors import UnknownName
from community_metrics.model import OutcomeStatus, RunStatus
from community_metrics.periods import days_between
from community_metrics.runs.registry import DailyRefresh, Replay, WeeklyRefresh
from community_metrics.storage import LanceDBReader
from community_metrics.views.selection import StoredMetrics
from community_metrics.views.traffic import listed_places
from tests.support.clock import FakeClock
from tests.support.registries.github import VIEWS, paths, referrers

if TYPE_CHECKING:
    from pathlib import Path

    from community_metrics.model import StatRow, StoredTrafficSet
    from community_metrics.views.traffic import ListedPlaces
    from tests.support.jobs import Rig
    from tests.support.registry import Registry

TODAY = date(2026, 11, 23)
REPOSITORY = "encode/httpx"
SOURCES = ("github-traffic", "github-referrers", "github-paths", "github-repo", "github-releases")
RIGHT = f"Administration: read on {REPOSITORY}"


@pytest.fixture
def traffic(rig: Rig, tmp_path: Path) -> Rig:
    """Count all that GitHub says about one repository, with a token that may read it."""
    file = tmp_path / "catalog.toml"
    init_catalog(file)
    plan_addition(file, [f"{source}:{REPOSITORY}" for source in SOURCES], "httpx", name="HTTPX").write()
    rig.settings_overrides |= {"catalog": file, "github_token": "ghp_x"}
    return rig


def pass_days(rig: Rig, registry: Registry, days: int) -> None:
    rig.now += timedelta(days=days)
    registry.today += timedelta(days=days)


async def shown(rig: Rig, metric_id: str, day: date | None = None) -> ListedPlaces | None:
    async with LanceDBReader.open(rig.settings) as reader:
        stored = StoredMetrics(await reader.metrics(), load_catalog(rig.settings.catalog))
        return await listed_places(reader, stored, metric_id, day)


async def test_a_run_stores_every_series_and_the_lists_of_its_day(traffic: Rig, registry: Registry) -> None:
    report = await traffic.run(WeeklyRefresh())
    assert report.run.status is RunStatus.SUCCESS
    assert report.run.rows_inserted == 4 * 14 + 4 + 1 + 2
    sites, pages = await shown(traffic, "referrers:httpx:github"), await shown(traffic, "paths:httpx:github")
    assert sites is not None
    assert pages is not None
    assert [(place.name, place.count) for place in sites.places] == [
        (row["referrer"], row["count"]) for row in referrers(registry, REPOSITORY)
    ]
    assert [(place.name, place.title) for place in pages.places] == [
        (row["path"], None) for row in paths(registry, REPOSITORY)
    ]


async def test_a_rerun_at_once_writes_nothing(traffic: Rig) -> None:
    first = await traffic.run(WeeklyRefresh())
    async with LanceDBReader.open(traffic.settings) as reader:
        before = await reader.table_versions()
    again = await traffic.run(WeeklyRefresh())
    async with LanceDBReader.open(traffic.settings) as reader:
        after = await reader.table_versions()
    assert (again.run.rows_inserted, again.run.rows_updated) == (0, 0)
    assert again.run.rows_unchanged == first.run.rows_inserted
    for table in ("metrics", "stats", "traffic_items"):
        assert after[table] == before[table]


async def test_each_day_keeps_its_own_lists(traffic: Rig, registry: Registry) -> None:
    await traffic.run(WeeklyRefresh())
    expected = [row["referrer"] for row in referrers(registry, REPOSITORY)]
    pass_days(traffic, registry, 1)
    await traffic.run(WeeklyRefresh())
    yesterday, newest = [await shown(traffic, "referrers:httpx:github", day) for day in (TODAY, None)]
    assert yesterday is not None
    assert newest is not None
    assert [place.name for place in yesterday.places] == expected
    assert newest.day == TODAY + timedelta(days=1)
    assert await shown(traffic, "referrers:httpx:github", TODAY - timedelta(days=1)) is None


async def stored(rig: Rig) -> tuple[list[StatRow], list[StoredTrafficSet]]:
    async with LanceDBReader.open(rig.settings) as reader:
        lists = [await reader.traffic_sets(f"{family}:httpx:github") for family in ("referrers", "paths")]
    return await rig.stats(), [one for each in lists for one in each]


async def delete_day(rig: Rig, day: date) -> None:
    connection = await lancedb.connect_async(rig.folder)
    for name, column in (("stats", "period_end"), ("traffic_items", "day")):
        await (await connection.open_table(name)).delete(f"{column} = date '{day}'")


async def test_every_value_and_list_of_a_day_comes_back_from_kept_answers(
    traffic: Rig, registry: Registry
) -> None:
    await traffic.run(DailyRefresh())
    pass_days(traffic, registry, 1)
    await traffic.run(DailyRefresh())
    before = await stored(traffic)
    traffic.replay.stop()
    for day in (TODAY, TODAY - timedelta(days=1)):
        await delete_day(traffic, day)
        assert await stored(traffic) != before
        report = await traffic.run(Replay(day))
        assert report.run.status is RunStatus.SUCCESS
        assert await stored(traffic) == before


async def test_a_list_that_was_read_wrongly_is_replaced_and_one_of_another_run_is_left_alone(
    traffic: Rig,
) -> None:
    await traffic.run(DailyRefresh(only=("referrers:*", "paths:*")))
    rows, (sites, pages) = await stored(traffic)
    connection = await lancedb.connect_async(traffic.folder)
    table = await connection.open_table("traffic_items")
    await table.update({"source_ref": "wrong"})
    await table.update({"ingestion_run_id": "another"}, where=f"item_key = '{pages.item_key}'")
    report = await traffic.run(Replay(TODAY))
    again, (sites_now, pages_now) = await stored(traffic)
    assert (again, sites_now) == (rows, sites)
    assert (pages_now.source_ref, pages_now.ingestion_run_id) == ("wrong", "another")
    notes = [(metric_id, "of the run another" in note) for metric_id, note in report.metric_notes]
    assert notes == [(pages.metric_id, True)]


async def test_no_author_and_no_uploader_of_a_release_is_kept(traffic: Rig) -> None:
    await traffic.run(DailyRefresh(only=("release_downloads:*",)))
    noon = traffic.now
    async with LanceDBReader.open(traffic.settings) as reader:
        kept = await reader.answers(noon - timedelta(days=1), noon + timedelta(days=1))
    text = "".join(zlib.decompress(row.content).decode() for row in kept)
    assert "download_count" in text
    assert not [word for word in ("author", "uploader", "someone", "ghp_x") if f'{word}\\"' in text]


async def test_an_outage_of_fifteen_days_loses_one_day_and_makes_no_zero(
    traffic: Rig, registry: Registry
) -> None:
    await traffic.run(WeeklyRefresh())
    pass_days(traffic, registry, 15)
    await traffic.run(WeeklyRefresh())
    rows = [row for row in await traffic.stats() if row.metric_id == "views:httpx:github"]
    first, last = TODAY - timedelta(days=14), registry.today - timedelta(days=1)
    found = {row.period_end: row.value for row in rows}
    assert set(days_between(first, last)) - found.keys() == {TODAY}
    assert all(value == registry.value(VIEWS, REPOSITORY, day) for day, value in found.items())


async def test_a_dry_run_stores_no_list(traffic: Rig) -> None:
    await traffic.run(WeeklyRefresh(), dry_run=True)
    traffic.now += timedelta(minutes=1)
    await traffic.run(WeeklyRefresh(only=("forks:*",)))
    async with LanceDBReader.open(traffic.settings) as reader:
        assert await reader.traffic_sets("referrers:httpx:github") == []


async def test_a_list_of_an_unknown_metric_is_an_error(traffic: Rig) -> None:
    await traffic.run(WeeklyRefresh())
    with pytest.raises(UnknownName, match="No metric 'referrers:x:github' is stored"):
        await shown(traffic, "referrers:x:github")


async def test_without_the_right_only_traffic_fails_and_its_outcome_names_the_right(
    traffic: Rig, registry: Registry
) -> None:
    registry.hidden_traffic.add(REPOSITORY)
    report = await traffic.run(WeeklyRefresh())
    failed = [outcome for outcome in report.outcomes if outcome.status is OutcomeStatus.FAILED]
    assert {outcome.metric_id.partition(":")[0] for outcome in failed} == {
        *("views", "view_uniques", "clones", "clone_uniques", "referrers", "paths")
    }
    assert all(RIGHT in str(outcome.message) for outcome in failed)
    assert report.run.status is RunStatus.PARTIAL


@pytest.mark.parametrize(
    ("token", "hidden", "verdict", "text"),
    [
        (None, False, "fail", RIGHT),
        ("ghp_x", True, "fail", RIGHT),
        ("ghp_x", False, "ok", f"may read the traffic of {REPOSITORY}"),
    ],
)
async def test_doctor_says_whether_the_token_may_read_the_traffic(  # noqa: PLR0917  a table
    token: str | None, hidden: bool, verdict: str, text: str, traffic: Rig, registry: Registry
) -> None:
    traffic.settings_overrides["github_token"] = token
    if hidden:
        registry.hidden_traffic.add(REPOSITORY)
    (check,) = [check for check in await examine(traffic.settings, FakeClock()) if check.area == "traffic"]
    assert check.verdict == verdict
    assert text in check.detail + check.fix

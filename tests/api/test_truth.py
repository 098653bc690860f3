"""What views state about their own data: stale sources, what totals cover, wait for and leave out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.model import RunStatus, SourceWindow
from community_metrics.storage import LanceDBStore
from tests.support import rows
from tests.support.api import (
    LAST_DAY,
    MISSING_DAY,
    PYTHON,
    RUST,
    STARS,
    days_of,
    fill,
    observed,
    write,
)
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

WEEKLY = "dashboard/weekly?weeks=4"


@pytest.fixture
async def place(empty: Place) -> Place:
    """A database with known numbers that a test may change."""
    await fill(empty.writing)
    return empty


async def body_of(api: Api, path: str) -> Any:
    answer = await api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def lance_of(board: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in board["products"] if one["product"] == "lance")
    return found


def metric_of(board: dict[str, Any], metric_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in lance_of(board)["metrics"] if one["metric_id"] == metric_id)
    return found


async def store_more(place: Place, metric_id: str, days: int) -> None:
    """Store the days after the last known one."""
    first = LAST_DAY + timedelta(days=1)
    async with LanceDBStore.open(place.writing) as store:
        await write(store, days_of(metric_id, first, first + timedelta(days=days - 1)))


class TestTotals:
    async def test_a_total_names_the_days_that_it_lacks(self, api: Api) -> None:
        total = lance_of(await body_of(api, WEEKLY))["downloads_30d"]
        assert (total["days_present"], total["missing_days"]) == (29, [str(MISSING_DAY)])
        assert (total["waits_for"], total["left_out"]) == ([], [])

    async def test_a_total_names_the_metric_that_it_waits_for(self, place: Place, serve: Serve) -> None:
        await store_more(place, PYTHON, 14)
        async with serve(place.reading) as api:
            api.clock.advance(timedelta(days=15).total_seconds())
            total = lance_of(await body_of(api, WEEKLY))["downloads_30d"]
        assert (total["period_end"], total["waits_for"], total["left_out"]) == (str(LAST_DAY), [RUST], [])

    @pytest.mark.parametrize(
        "path", ["weekly?weeks=4", f"weekly?metric_id={PYTHON}", "daily?days=2", f"monthly?metric_id={RUST}"]
    )
    @pytest.mark.parametrize("weeks", [3, 20])
    async def test_what_failed_for_more_than_two_weeks_leaves_totals_and_shares(
        self, place: Place, serve: Serve, path: str, weeks: int
    ) -> None:
        await store_more(place, PYTHON, 7 * weeks)
        newest = str(LAST_DAY + timedelta(days=7 * weeks))
        async with serve(place.reading) as api:
            api.clock.advance(timedelta(days=7 * weeks).total_seconds())
            board = await body_of(api, f"dashboard/{path}")
        total = lance_of(board)["downloads_30d"]
        assert (total["metric_ids"], total["period_end"], total["waits_for"]) == ([PYTHON], newest, [])
        assert total["left_out"] == [{"metric_id": RUST, "newest_day": str(LAST_DAY)}]
        shares = {one["metric_id"]: one["share"] for one in lance_of(board)["metrics"]}
        assert shares.get(PYTHON, 1.0) == 1.0
        assert shares.get(RUST) is None


class TestFreshness:
    async def test_a_source_is_stale_by_its_newest_day_and_not_by_failed_runs(
        self, place: Place, serve: Serve
    ) -> None:
        await store_more(place, PYTHON, 13)
        async with LanceDBStore.open(place.writing) as store:
            await store.record_run(rows.run(NOON + timedelta(days=13), RunStatus.PARTIAL, run_id="later"))
        async with serve(place.reading) as api:
            api.clock.advance(timedelta(days=14).total_seconds())
            freshness = (await body_of(api, WEEKLY))["freshness"]
        stale = {one["source"]: one["stale_from"] for one in freshness["sources"] if one["is_stale"]}
        assert stale == {"crates": "2026-12-03T00:00:00Z", "github": "2026-12-03T00:00:00Z"}
        assert freshness["last_success_at"] == "2026-11-23T10:01:00Z"

    async def test_values_without_a_whole_run_are_fresh(self, empty: Place, serve: Serve) -> None:
        async with LanceDBStore.open(empty.writing) as store:
            await fill(empty.writing)
            for run_id in ("good", "lost"):
                await store.record_run(rows.run(NOON, RunStatus.PARTIAL, run_id=run_id))
        async with serve(empty.reading) as api:
            freshness = (await body_of(api, "status"))["freshness"]
        assert (freshness["last_success_at"], freshness["is_stale"]) == (None, False)

    async def test_the_newest_day_of_a_source_is_found_at_any_age(self, local_api: Api) -> None:
        local_api.clock.advance(timedelta(days=900).total_seconds())
        sources = (await body_of(local_api, "definitions"))["freshness"]["sources"]
        days = {one["source"]: one["newest_day"] for one in sources if one["newest_day"]}
        assert days == dict.fromkeys(("crates", "github", "pypistats"), str(LAST_DAY))


class TestClockAhead:
    async def test_what_is_dated_after_today_is_ignored(self, place: Place, serve: Serve) -> None:
        paths = [
            WEEKLY,
            "dashboard/daily?days=3",
            "status",
            "history",
            f"series/{STARS}",
            f"badge/{STARS}.svg",
        ]
        async with serve(place.reading) as api:
            before = [(await api.get(path)).text for path in paths]
        ahead = NOON + timedelta(days=400)
        async with LanceDBStore.open(place.writing) as store:
            day = ahead.date()
            await write(store, [observed(STARS, day, day, 1, SourceWindow.INSTANT, ahead)])
            await store.record_run(rows.run(ahead, run_id="ahead"))
        async with serve(place.reading) as api:
            after = [(await api.get(path)).text for path in paths]
            versions = (await body_of(api, WEEKLY))["freshness"]["versions"]
            assert [_without_versions(text) for text in after] == [_without_versions(text) for text in before]
            assert versions["stats"] > 1
            api.clock.advance(timedelta(days=400).total_seconds())
            assert (await body_of(api, WEEKLY))["stars"]["value"] == 1

    async def test_runs_from_the_future_do_not_keep_the_api_from_newer_data(
        self, place: Place, serve: Serve
    ) -> None:
        async with LanceDBStore.open(place.writing) as store:
            for index in range(9):
                ahead = NOON + timedelta(days=400, hours=index)
                await store.record_run(rows.run(ahead, run_id=f"ahead-{index}"))
        async with serve(place.reading) as api:
            await body_of(api, WEEKLY)
            async with LanceDBStore.open(place.writing) as store:
                day = NOON.date()
                await write(store, [observed(STARS, day, day, 6_000, SourceWindow.INSTANT, NOON)])
                await store.record_run(rows.run(NOON, run_id="newer"))
            api.clock.advance(5)
            assert metric_of(await body_of(api, WEEKLY), STARS)["latest_reading"]["value"] == 6_000

    async def test_a_run_that_started_later_today_is_a_clock_that_is_a_little_ahead(
        self, place: Place, serve: Serve
    ) -> None:
        async with LanceDBStore.open(place.writing) as store:
            await store.record_run(rows.run(NOON + timedelta(minutes=5), run_id="a-little"))
        async with serve(place.reading) as api:
            assert (await body_of(api, "history"))["runs"][0]["run_id"] == "a-little"


def _without_versions(text: str) -> str:
    return text.partition('"versions":')[0]


class TestLevels:
    async def test_the_value_of_a_level_is_its_latest_reading(self, place: Place, serve: Serve) -> None:
        async with LanceDBStore.open(place.writing) as store:
            day, minute_ago = NOON.date(), NOON - timedelta(minutes=1)
            await write(store, [observed(STARS, day, day, 6_000, SourceWindow.INSTANT, minute_ago)])
        async with serve(place.reading) as api:
            metric = metric_of(await body_of(api, WEEKLY), STARS)
            badge = (await api.get(f"badge/{STARS}.svg")).text
            api.clock.advance(timedelta(days=11).total_seconds())
            old = (await api.get(f"badge/{STARS}.svg")).text
        assert metric["latest_reading"] == {
            "metric_id": STARS,
            "value": 6_000,
            "period_end": "2026-11-23",
            "observed_at": "2026-11-23T11:59:00Z",
        }
        assert ">6.00k, 2026-11-23<" in badge
        assert ">6.00k, 2026-11-23 (old)<" in old

    async def test_a_flow_has_no_latest_reading(self, api: Api) -> None:
        assert metric_of(await body_of(api, WEEKLY), PYTHON)["latest_reading"] is None


@pytest.mark.parametrize(
    ("days", "value"), [(0, ", 2026-W47<"), (10, ", 2026-W47 (old)<"), (300, "no data<")]
)
async def test_a_badge_shows_its_week_and_whether_it_is_old(local_api: Api, days: int, value: str) -> None:
    local_api.clock.advance(timedelta(days=days).total_seconds())
    assert value in (await local_api.get(f"badge/{PYTHON}.svg")).text


@pytest.mark.parametrize(
    ("path", "days"),
    [("weekly?weeks=1", 90), ("weekly?weeks=104", 200), ("daily?days=1", 84), ("monthly?months=1", 120)],
)
async def test_a_late_newest_period_is_compared_with_a_year_earlier(
    local_api: Api, path: str, days: int
) -> None:
    local_api.clock.advance(timedelta(days=days).total_seconds())
    metric = metric_of(await body_of(local_api, f"dashboard/{path}"), PYTHON)
    assert metric["latest_complete"]["period_end"] <= str(LAST_DAY)
    assert metric["year_on_year_change"] is not None

"""What the routes say about known numbers, over both kinds of storage."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow.parquet
import pytest

from community_metrics.api.cache.database import ReadDatabase
from community_metrics.model import SourceWindow
from community_metrics.storage import LanceDBReader, LanceDBStore
from community_metrics.storage.schemas import STATS
from tests.support.api import (
    FALLBACK,
    FIRST_DAY,
    LAST_DAY,
    MISSING_DAY,
    PYTHON,
    RUST,
    STARS,
    fill,
    observed,
    python_value,
    write,
)
from tests.support.columns import points_of
from tests.support.worlds import raw_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from community_metrics.readings import Readings
    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

QUIET_STARS = "stars:lance-context:github"
"""A repository that the filled database has no reading of."""

THIS_WEEK = 7 * python_value(LAST_DAY) + 999 - python_value(LAST_DAY)
"""Downloads of `PYTHON` in 2026-W47, one day of which was restated to 999."""


async def metric_of(api: Api, path: str, metric_id: str) -> dict[str, Any]:
    """Return a metric of a dashboard, with its points as rows."""
    body = (await api.get(path)).json()
    metrics = [metric for product in body["products"] for metric in product["metrics"]]
    found: dict[str, Any] = next(metric for metric in metrics if metric["metric_id"] == metric_id)
    return {**found, "points": points_of(body, metric_id)}


async def test_health_is_exactly_ok(api: Api) -> None:
    answer = await api.get("health")
    assert answer.content == b'{"status":"ok"}'
    assert answer.headers["cache-control"] == "no-store"


async def test_ready_says_that_storage_answers(api: Api) -> None:
    assert (await api.get("ready")).json() == {"status": "ready"}


async def test_a_week_is_the_sum_of_its_days(api: Api) -> None:
    metric = await metric_of(api, "dashboard/weekly?weeks=2", PYTHON)
    assert [point["week"] for point in metric["points"]] == ["2026-W46", "2026-W47"]
    assert [point["value"] for point in metric["points"]] == [7 * (python_value(LAST_DAY) - 10), THIS_WEEK]
    assert metric["points"][1]["restated"]


async def test_a_missing_day_makes_its_week_incomplete_and_is_in_no_share(api: Api) -> None:
    rust = await metric_of(api, "dashboard/weekly?weeks=3", RUST)
    week = next(point for point in rust["points"] if point["week"] == "2026-W45")
    assert (week["days_present"], week["complete"]) == (6, False)
    assert rust["four_period_change"] is None


async def test_changes_and_share_come_from_complete_weeks(api: Api) -> None:
    metric = await metric_of(api, "dashboard/weekly?weeks=1", PYTHON)
    before, rust = 7 * (python_value(LAST_DAY) - 10), 7 * (python_value(LAST_DAY) + 50)
    assert metric["change"]["absolute"] == THIS_WEEK - before
    assert metric["year_on_year_change"]["absolute"] == THIS_WEEK - 7 * (python_value(LAST_DAY) - 520)
    assert metric["share"] == pytest.approx(THIS_WEEK / (THIS_WEEK + rust))


async def test_the_running_week_stands_apart_and_says_partial(api: Api) -> None:
    running = (await metric_of(api, "dashboard/weekly?weeks=1", PYTHON))["running"]
    assert (running["week"], running["value"], running["partial"]) == ("2026-W48", None, True)


async def test_totals_are_told_whatever_the_filter(api: Api) -> None:
    body = (await api.get("dashboard/weekly", params={"metric_id": PYTHON, "weeks": 1})).json()
    total = body["products"][0]["downloads_30d"]
    assert [len(product["metrics"]) for product in body["products"]] == [1]
    assert (total["days_present"], total["days_expected"]) == (29, 30)
    assert body["stars"]["value"] == 5_052


@pytest.mark.parametrize("path", ["daily?days=1", "weekly?weeks=1", "weekly?weeks=104", "monthly?months=1"])
async def test_totals_do_not_depend_on_how_much_is_shown(folder: Place, serve: Serve, path: str) -> None:
    last_read = datetime(2025, 10, 5, 6, tzinfo=UTC)
    day = last_read.date()
    async with LanceDBStore.open(folder.writing) as store:
        await write(store, [observed(QUIET_STARS, day, day, 777, SourceWindow.INSTANT, last_read)])
    async with serve(folder.reading) as api:
        body = (await api.get(f"dashboard/{path}")).json()
    assert body["stars"]["value"] == 5_052
    assert body["stars"]["left_out"] == [{"metric_id": QUIET_STARS, "newest_day": str(day)}]
    assert QUIET_STARS not in body["stars"]["missing"]
    assert body["products"][0]["downloads_30d"]["days_present"] == 29


@pytest.mark.parametrize("weeks", [1, 2, 104])
async def test_changes_do_not_depend_on_how_much_is_shown(local_api: Api, weeks: int) -> None:
    local_api.clock.advance(timedelta(days=7).total_seconds())  # the newest week is not in yet
    metric = await metric_of(local_api, f"dashboard/weekly?weeks={weeks}", PYTHON)
    assert metric["latest_complete"]["week"] == "2026-W47"
    assert metric["year_on_year_change"]["absolute"] == THIS_WEEK - 7 * (python_value(LAST_DAY) - 520)


async def test_a_day_has_its_own_name_and_a_month_too(api: Api) -> None:
    day = (await metric_of(api, "dashboard/daily?days=1", PYTHON))["points"][0]
    month = (await metric_of(api, "dashboard/monthly?months=1", PYTHON))["points"][0]
    assert (day["day"], day["value"]) == (str(LAST_DAY), python_value(LAST_DAY))
    assert (month["month"], month["days_present"]) == ("2026-10", 31)


async def test_freshness_carries_instants_and_versions(api: Api) -> None:
    freshness = (await api.get("dashboard/weekly")).json()["freshness"]
    assert freshness["last_success_at"] == "2026-11-23T10:01:00Z"
    assert (freshness["is_stale"], freshness["storage_reachable"]) == (False, True)
    assert set(freshness["versions"]) == {"metrics", "stats", "history", "run_outcomes"}
    sources = {one.pop("source"): one for one in freshness["sources"]}
    assert sources["crates"] == {
        "newest_day": str(LAST_DAY),
        "is_stale": False,
        "stale_from": "2026-12-03T00:00:00Z",
    }
    assert sources["npm"] == {"newest_day": None, "is_stale": False, "stale_from": None}
    assert "seed" not in sources


async def test_a_series_reaches_from_its_first_day_to_yesterday(api: Api) -> None:
    points = (await api.get(f"series/{PYTHON}?grain=day&from={FIRST_DAY}")).json()["points"]
    assert (points[0]["day"], points[-1]["day"]) == (str(FIRST_DAY), str(LAST_DAY))
    assert len(points) == (LAST_DAY - FIRST_DAY).days + 1


async def test_a_series_never_reaches_beyond_today(api: Api) -> None:
    points = (await api.get(f"series/{PYTHON}?grain=day&from=2026-11-22&to=2030-01-01")).json()["points"]
    assert [(point["day"], point["complete"]) for point in points] == [
        ("2026-11-22", True),
        ("2026-11-23", False),
    ]


@pytest.mark.parametrize(
    "instant", ["0001-01-01T00:00:00+14:00", "0089-09-17T12:45:31Z", "9999-12-31T23:59:59Z"]
)
async def test_an_instant_far_away_is_an_ordinary_one(api: Api, instant: str) -> None:
    assert (await api.get("history", params={"before": instant})).status_code == 200
    assert (await api.get("restatements", params={"since": instant})).status_code == 200


async def test_a_week_that_only_a_fallback_covers_is_marked_estimated(api: Api) -> None:
    points = (await api.get(f"series/{PYTHON}?from=2025-07-07&to=2025-07-13")).json()["points"]
    assert [(point["value"], point["fallback_id"]) for point in points] == [(700, FALLBACK)]
    assert points[0]["estimated"]
    assert not points[0]["complete"]


async def test_a_missing_day_stays_empty_in_csv(api: Api) -> None:
    answer = await api.get(f"series/{RUST}?grain=day&from={MISSING_DAY}&to={MISSING_DAY}&format=csv")
    cells = next(csv.DictReader(io.StringIO(answer.text)))
    assert (cells["metric_id"], cells["day"], cells["value"]) == (RUST, str(MISSING_DAY), "")


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/csv;q=0.2, application/json", "application/json"),
        ("text/html", "application/json"),
    ],
)
async def test_accept_chooses_the_form_of_a_series(local_api: Api, accept: str, media_type: str) -> None:
    answer = await local_api.get(f"series/{PYTHON}", headers={"accept": accept})
    assert answer.headers["content-type"] == media_type
    assert set(answer.headers["vary"].split(", ")) == {"Origin", "Accept"}


async def test_definitions_are_the_catalogue_as_stored(api: Api) -> None:
    metrics = {metric["metric_id"]: metric for metric in (await api.get("definitions")).json()["metrics"]}
    assert metrics[PYTHON]["fallbacks"] == [FALLBACK, "downloads_month:lance:python"]
    assert metrics[STARS]["value_kind"] == "level"


async def test_status_names_the_gap_and_the_error(api: Api) -> None:
    body = (await api.get("status")).json()
    metrics = {metric["metric_id"]: metric for metric in body["metrics"]}
    assert metrics[RUST]["missing_days"] == [str(MISSING_DAY)]
    assert metrics[RUST]["published_through"] == str(LAST_DAY)
    assert body["last_success_at"] == "2026-11-23T10:01:00Z"
    assert body["is_stale"] is False


async def test_status_says_what_is_lost_next_the_first_loss_first(api: Api) -> None:
    losses = (await api.get("status")).json()["losses"]
    assert [one["vanishes_at"] for one in losses] == sorted(one["vanishes_at"] for one in losses)
    assert {one["metric_id"]: one for one in losses}[RUST] == {
        "metric_id": RUST,
        "unread_day": "2026-11-23",  # crates.io was asked for the missing day, so that it is no loss
        "lost_on": "2027-02-20",
        "vanishes_at": "2027-02-21T00:00:00Z",
        "lost_days": [],
    }


async def test_history_tells_partial_runs_with_their_summary_and_lost_ones_as_abandoned(api: Api) -> None:
    runs = (await api.get("history")).json()["runs"]
    assert [(run["run_id"], run["state"]) for run in runs] == [
        ("good", "success"),
        ("half", "partial"),
        ("lost", "abandoned"),
    ]
    assert runs[1]["error_summary"] == f"{RUST}: crates.io returned 503"
    assert [(failure["cause"], failure["metric_ids"]) for failure in runs[1]["failures"]] == [
        ("crates.io returned 503", [RUST])
    ]
    assert (runs[0]["failures"], runs[2]["failures"]) == ([], [])


async def test_history_is_paged_to_its_end_without_a_run_twice(api: Api) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await api.get("history", params={"limit": 1, **cursor})).json()
        seen += [run["run_id"] for run in page["runs"]]
        if page["next_before"] is None:
            break
        cursor = {"before": page["next_before"]}
    assert seen == ["good", "half", "lost"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("status=abandoned", ["lost"]),
        ("status=running", []),
        ("status=partial", ["half"]),
        ("job=update_all", []),
    ],
)
async def test_history_is_filtered(local_api: Api, query: str, ids: list[str]) -> None:
    assert [run["run_id"] for run in (await local_api.get(f"history?{query}")).json()["runs"]] == ids


async def test_a_restatement_tells_the_first_value_and_the_one_now(api: Api) -> None:
    found = (await api.get("restatements", params={"metric_id": PYTHON})).json()
    assert [(row["first_value"], row["value"], row["revision"]) for row in found["restatements"]] == [
        (python_value(LAST_DAY), 999, 1)
    ]
    assert not found["has_more"]


@pytest.fixture
async def doubled(empty: Place) -> Place:
    """A filled database that holds the newest day of `PYTHON` a second time, with 5 downloads more."""
    await fill(empty.writing)
    async with LanceDBStore.open(empty.writing) as store:
        (row,) = await store.stats([PYTHON], since=LAST_DAY)
        newer = replace(row, value=row.value + 5, observed_at=row.observed_at + timedelta(hours=1))
        await (await raw_table(store, STATS)).add(STATS.to_arrow([newer]))
    return empty


async def test_a_day_that_is_stored_twice_counts_once_as_last_read_and_is_marked(
    doubled: Place, serve: Serve
) -> None:
    async with serve(doubled.reading) as api:
        points = (await metric_of(api, "dashboard/weekly?weeks=2", PYTHON))["points"]
        text = (await api.get(f"series/{PYTHON}?grain=day&from=2026-11-21&to=2026-11-22&format=csv")).text
        status = (await api.get("status")).json()
    assert [point["duplicated"] for point in points] == [False, True]
    assert (points[1]["value"], points[1]["days_present"]) == (THIS_WEEK + 5, 7)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["day"], row["duplicated"]) for row in rows] == [
        ("2026-11-21", "false"),
        ("2026-11-22", "true"),
    ]
    (python,) = (metric for metric in status["metrics"] if metric["metric_id"] == PYTHON)
    assert python["observed_at"] == "2026-11-23T13:00:00Z"


async def test_csv_and_parquet_hold_the_same_rows(api: Api) -> None:
    lines = list(csv.DictReader(io.StringIO((await api.get("export/stats.csv")).text)))
    table = pyarrow.parquet.read_table(io.BytesIO((await api.get("export/stats.parquet")).content))
    assert sorted(row["stat_key"] for row in lines) == sorted(table.column("stat_key").to_pylist())
    assert sum(int(row["value"]) for row in lines) == sum(table.column("value").to_pylist())


async def test_text_that_looks_like_a_formula_is_harmless_in_csv_and_exact_in_parquet(local_api: Api) -> None:
    text = (await local_api.get("export/metrics.csv")).text
    table = pyarrow.parquet.read_table(io.BytesIO((await local_api.get("export/metrics.parquet")).content))
    assert ",'@lancedb/lancedb," in text
    assert "@lancedb/lancedb" in table.column("subject").to_pylist()


@pytest.mark.parametrize("path", ["export/metrics.csv?", f"series/{PYTHON}?format=csv&"])
async def test_a_csv_for_excel_is_the_same_after_a_byte_order_mark(local_api: Api, path: str) -> None:
    plain, marked = await local_api.get(path.rstrip("?&")), await local_api.get(f"{path}excel=true")
    assert marked.content == b"\xef\xbb\xbf" + plain.content
    assert plain.content.startswith(b"metric_id,")


@pytest.mark.parametrize("path", ["export/metrics.parquet", f"series/{PYTHON}"])
async def test_only_a_csv_is_made_for_excel(local_api: Api, path: str) -> None:
    answer = await local_api.get(f"{path}?excel=true")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "excel")


class RememberingReader(LanceDBReader):
    """Remembers the days of the rows that it read."""

    days: ClassVar[list[date]] = []

    async def readings(self, metric_ids: Sequence[str], **options: Any) -> Readings:
        found = await super().readings(metric_ids, **options)
        self.days.extend(day for metric_id in found.found() for day in found.days(metric_id))
        return found


async def test_a_series_reads_no_further_than_a_reading_of_its_last_period_may_reach(
    filled_local: Place, serve: Serve
) -> None:
    RememberingReader.days.clear()
    database = ReadDatabase(filled_local.reading, reader_type=RememberingReader)
    async with serve(filled_local.reading, database=database) as api:
        await api.get(f"series/{PYTHON}?grain=day&from=2025-10-01&to=2025-10-02")
    days = RememberingReader.days
    assert (min(days), max(days)) == (date(2025, 9, 30), date(2025, 11, 2))


@pytest.mark.parametrize(("first", "last"), [("2025-06-30", "2025-07-06"), ("2025-07-07", "2025-07-13")])
async def test_an_estimate_does_not_depend_on_where_the_series_ends(api: Api, first: str, last: str) -> None:
    short = (await api.get(f"series/{PYTHON}?from={first}&to={last}")).json()["points"]
    whole = (await api.get(f"series/{PYTHON}?from={first}")).json()["points"]
    assert short == whole[: len(short)]
    assert short[-1]["estimated"] is (first == "2025-07-07")


async def test_a_year_has_four_digits(local_api: Api) -> None:
    points = (await local_api.get(f"series/{PYTHON}?to=0001-01-01")).json()["points"]
    assert [point["week"] for point in points] == ["0001-W01"]
    points = (await local_api.get(f"series/{PYTHON}?grain=month&to=0001-01-01")).json()["points"]
    assert [point["month"] for point in points] == ["0001-01"]


async def test_a_badge_shows_the_number_of_the_newest_complete_week(api: Api) -> None:
    downloads, stars = [(await api.get(f"badge/{name}.svg")).text for name in (PYTHON, STARS)]
    assert THIS_WEEK == 5_379
    assert ">pylance downloads</text>" in downloads
    assert ">5.37k/week, 2026-W47</text>" in downloads
    assert ">lancedb/lance stars</text>" in stars or ">lance-format/lance stars</text>" in stars
    assert ">5.05k, 2026-11-22</text>" in stars


async def test_a_sparkline_has_a_gap_where_a_week_is_incomplete(api: Api) -> None:
    whole, broken = [(await api.get(f"sparkline/{name}.svg")).text for name in (PYTHON, RUST)]
    assert (whole.count("<path"), broken.count("<path")) == (1, 2)


@pytest.mark.parametrize("picture", ["badge", "sparkline"])
async def test_a_picture_that_is_opened_by_itself_has_its_colours_and_runs_nothing(
    local_api: Api, picture: str
) -> None:
    policy = (await local_api.get(f"{picture}/{PYTHON}.svg")).headers["content-security-policy"]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


async def test_a_badge_tells_the_newest_complete_week_in_words_too(api: Api) -> None:
    answer = await api.get(f"badge/{PYTHON}.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert f"{THIS_WEEK:,} in 2026-W47" in answer.text


async def test_a_metric_without_data_says_so_in_both_pictures(api: Api) -> None:
    for picture in ("badge", "sparkline"):
        assert "no data</" in (await api.get(f"{picture}/stars:lance-context:github.svg")).text

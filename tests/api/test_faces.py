"""One read model: a number that two faces show is one number, whatever is stored.

The faces are the dashboards, the series, its CSV, the badge, the report as JSON and as text, and the status.
"""

from __future__ import annotations

import asyncio
import csv
import io
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from community_metrics.api.cache.store import BodyStore
from community_metrics.api.mappers import dashboard_body
from community_metrics.api.middleware.request_log import log_nothing
from community_metrics.catalog import load_catalog
from community_metrics.cli.render.report import render_report
from community_metrics.cli.render.style import UNICODE, PlainConsole
from community_metrics.model import RunStatus, SourceWindow, Status
from community_metrics.periods import midnight
from community_metrics.storage import LanceDBReader, LanceDBStore
from community_metrics.storage.schemas import HISTORY, STATS
from community_metrics.views.report import load_report
from tests.support import api as support
from tests.support.clock import NOON
from tests.support.columns import points_of
from tests.support.rows import level, run, wide
from tests.support.worlds import raw_table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from community_metrics.catalog import Catalog
    from community_metrics.config import Settings
    from community_metrics.model import Run, StatRow
    from community_metrics.series.grid import Point as SeriesPoint
    from tests.support.api import Api

CATALOG = """
[[product]]
id = "p"
name = "P"

[[product]]
id = "q"
name = "Q"

[[metric]]
id = "downloads:p:python"
source = "pypistats"
subject = "p"
window = "1d"
display_name = "P for Python"
fallbacks = ["downloads_30d:p:python"]

[[metric]]
id = "downloads:p:rust"
source = "crates"
subject = "p"
window = "1d"
display_name = "P for Rust"

[[metric]]
id = "downloads:q:python"
source = "pypistats"
subject = "q"
window = "1d"
display_name = "Q for Snakes"

[[metric]]
id = "downloads_30d:p:python"
source = "seed"
subject = "p"
window = "30d"
display_name = "P for Python, 30 days"

[[metric]]
id = "downloads_30d:p:conda"
source = "seed"
subject = "conda-forge p"
window = "30d"
display_name = "P on conda-forge, 30 days"

[[metric]]
id = "stars:p:github"
source = "github"
subject = "p/p"
window = "instant"
display_name = "P stars"
"""
DAILY = ("downloads:p:python", "downloads:p:rust", "downloads:q:python")
WIDE = ("downloads_30d:p:python", "downloads_30d:p:conda")
STARS = "stars:p:github"
SHOWN = (*DAILY, WIDE[1], STARS)
REACH = 400
"""Days before today in which rows lie: a year and a month."""
GRAINS = {"day": ("daily?days=450", 450), "week": ("weekly?weeks=70", 70), "month": ("monthly?months=16", 16)}
VERSIONS = {"metrics": 0, "stats": 0, "history": 0, "run_outcomes": 0}


def days_ago(count: int) -> date:
    return NOON.date() - timedelta(days=count)


@dataclass(frozen=True)
class Days:
    """Days of one metric, as days before today; the value of a day depends on `seed`."""

    metric_id: str
    first: int
    last: int
    missing: frozenset[int]
    restated: frozenset[int]
    doubled: frozenset[int]
    seed: int

    def rows(self) -> Iterator[StatRow]:
        for ago in set(range(self.last, self.first + 1)) - self.missing:
            day = days_ago(ago)
            row = wide(
                day,
                day,
                self.seed * day.toordinal() % 997,
                metric_id=self.metric_id,
                source_window=SourceWindow.DAY,
                revision=int(ago in self.restated),
                status=Status.PROVISIONAL if ago < self.last + 3 else Status.FINAL,
            )
            yield row
            if ago in self.doubled:
                yield replace(row, value=row.value + 1, observed_at=row.observed_at + timedelta(hours=1))


@dataclass(frozen=True)
class Stored:
    """What a database holds: days of downloads, ends of 30-day readings, star readings, the newest runs."""

    daily: tuple[Days, ...]
    wide: tuple[frozenset[int], ...]
    stars: frozenset[int]
    runs: tuple[RunStatus, ...]

    def stats(self) -> list[StatRow]:
        readings = [
            wide(days_ago(end + 29), days_ago(end), 1_000 + end, metric_id=metric_id)
            for metric_id, ends in zip(WIDE, self.wide, strict=True)
            for end in ends
        ]
        one_a_day = {hour // 24: hour for hour in self.stars}.values()  # as the store keeps them
        stars = [level(NOON - timedelta(hours=hour), 5_000 - hour, metric_id=STARS) for hour in one_a_day]
        return [*(row for days in self.daily for row in days.rows()), *readings, *stars]

    def history(self) -> list[Run]:
        starts = [NOON - timedelta(days=3 * index, hours=2) for index in range(len(self.runs))]
        return [
            run(start, status, run_id=f"run-{start}", error_summary=f"{DAILY[0]}: no answer")
            if status is RunStatus.PARTIAL
            else run(start, status, run_id=f"run-{start}")
            for start, status in zip(starts, self.runs, strict=True)
        ]


@st.composite
def days_of(draw: st.DrawFn, metric_id: str) -> Days:
    last = draw(st.one_of(st.integers(1, 9), st.integers(1, REACH)))
    first = draw(st.integers(last, REACH))
    some = st.frozensets(st.integers(last, first), max_size=6)
    return Days(metric_id, first, last, draw(some), draw(some), draw(some), draw(st.integers(0, 99)))


STORED = st.builds(
    Stored,
    daily=st.tuples(*map(days_of, DAILY)),
    wide=st.tuples(*[st.frozensets(st.integers(1, REACH), max_size=4)] * len(WIDE)),
    stars=st.frozensets(st.integers(0, REACH * 24), max_size=30),
    runs=st.lists(st.sampled_from(RunStatus), max_size=4).map(tuple),
)


@dataclass
class Faces:
    """One database that is filled anew for each example, and every face over it."""

    api: Api
    store: LanceDBStore
    settings: Settings
    catalog: Catalog
    refills: int = 0

    async def refill(self, stored: Stored) -> None:
        self.refills += 1
        seeding = run(NOON, run_id=f"seed-{self.refills}", job_name="seed_from_csv")  # the API shows its rows
        stats, history = STATS.to_arrow(stored.stats()), HISTORY.to_arrow([*stored.history(), seeding])
        for spec, arrow in ((STATS, stats), (HISTORY, history)):
            table = await raw_table(self.store, spec)
            await table.delete("true")
            await table.add(arrow)
        self.api.clock.advance(3)  # the API looks at the tables anew

    async def get(self, path: str) -> Any:
        answer = await self.api.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def check(self, metric_id: str, cut: int) -> None:
        """Compare the faces; those of one metric for `metric_id` alone, to save time."""
        boards = {grain: await self.get(f"dashboard/{path}") for grain, (path, _) in GRAINS.items()}
        weekly = boards["week"]
        status = await self.get("status")
        for board in boards.values():
            assert totals(board) == totals(weekly)
            assert board["freshness"] == weekly["freshness"]
        await self.series_agree(metric_id, boards, cut)
        to_today = f"series/{metric_id}?grain=day&from={boards['day']['period_start']}&to={NOON.date()}"
        self.status_agrees(one(status["metrics"], metric_id), (await self.get(to_today))["points"])
        await self.badge_agrees(one(metrics_of(weekly), metric_id))
        filtered = await self.get(f"dashboard/weekly?weeks=70&metric_id={metric_id}")
        assert metrics_of(filtered) == [one(metrics_of(weekly), metric_id)]
        assert filtered["periods"] == weekly["periods"]
        for weeks in (1, 5, 70):
            await self.report_agrees(weeks, weekly)
        assert status["last_success_at"] == weekly["freshness"]["last_success_at"]
        assert status["runs"] == (await self.get("history"))["runs"][:10]
        self.registries_agree(status)

    async def series_agree(self, metric_id: str, boards: dict[str, Any], cut: int) -> None:
        """Compare dashboard, series, its CSV and three periods of it at each grain."""
        for grain, (_, count) in GRAINS.items():
            metric = one(metrics_of(boards[grain]), metric_id)
            range_ = f"from={boards[grain]['period_start']}&to={boards[grain]['period_end']}"
            points = (await self.get(f"series/{metric_id}?grain={grain}&{range_}"))["points"]
            assert (len(points), points) == (count, points_of(boards[grain], metric_id))
            text = (await self.api.get(f"series/{metric_id}?grain={grain}&{range_}&format=csv")).text
            cells = list(csv.DictReader(io.StringIO(text)))
            named = {"metric_id": metric_id, "unit": metric["unit"]}
            undisputed = {"disputed_days": "0", "witness_value": ""}
            assert cells == [named | as_cells(point) | undisputed for point in points]
            some = points[cut % count :][:3]
            range_ = f"from={some[0]['period_start']}&to={some[-1]['period_end']}"
            assert (await self.get(f"series/{metric_id}?grain={grain}&{range_}"))["points"] == some
            complete = [point for point in points if point["complete"]]
            assert metric["latest_complete"] in [*complete[-1:], None]

    @staticmethod
    def status_agrees(status: dict[str, Any], days: list[Any]) -> None:
        known = [point for point in days if point["value"] is not None]
        if status["source"] == "seed":  # a reading of 30 days is the value of no single day
            return
        newest = known[-1] if known else {"day": None, "observed_at": None}
        published = status["published_through"] or ""
        assert status["observed_at"] == newest["observed_at"]
        # a level's day is that of its reading, which may be the value at the end of the day before
        is_read = status["metric_id"] == STARS and newest["observed_at"] is not None
        assert status["newest_day"] == (newest["observed_at"][:10] if is_read else newest["day"])
        since = max(known[0]["day"] if known else "", "2026-08-31")  # the Monday of 12 weeks ago
        missing = [p["day"] for p in days if since <= p["day"] <= published and p["value"] is None]
        assert status["missing_days"] == (missing if known else [])

    @staticmethod
    def registries_agree(status: dict[str, Any]) -> None:
        for metric in status["metrics"]:
            same = [m["newest_day"] for m in status["metrics"] if m["source"] == metric["source"]]
            newest = max(filter(None, same), default=None)
            expected = newest if metric["metric_id"] in DAILY else None
            assert metric["published_through"] == expected
            if metric["source"] != "seed":
                (source,) = (s for s in status["freshness"]["sources"] if s["source"] == metric["source"])
                assert source["newest_day"] == newest

    async def badge_agrees(self, metric: dict[str, Any]) -> None:
        latest, reading = metric["latest_complete"], metric["latest_reading"]
        shown = latest is not None and latest["period_start"] >= "2026-05-25"  # 26 weeks ago
        words, when = "no data", "no data"
        if reading is not None:
            when, read_on = reading["period_end"], f"read on {reading['observed_at'][:10]}"
            is_level = metric["value_kind"] == "level"
            words = f"{reading['value']:,}{'' if is_level else f' in the 30 days to {when}'}, {read_on}"
        elif shown:
            words, when = f"{latest['value']:,} in {latest['week']},", f", {latest['week']}"
        for picture in ("badge", "sparkline"):
            assert words in (await self.api.get(f"{picture}/{metric['metric_id']}.svg")).text
        assert when in (await self.api.get(f"badge/{metric['metric_id']}.svg")).text

    async def report_agrees(self, weeks: int, weekly: dict[str, Any]) -> None:
        """Compare the report with the dashboard: the same numbers, over the weeks that the report shows."""
        now = self.api.clock.now()
        async with LanceDBReader.open(self.settings) as reader:
            report = await load_report(reader, self.catalog, now, weeks=weeks)
        body = dashboard_body(report.dashboard, VERSIONS).model_dump(mode="json")
        assert totals(body) == totals(weekly)
        assert len(report.dashboard.periods) == weeks
        for metric in metrics_of(body):
            metric_id = metric["metric_id"]
            assert {**metric, "points": []} == {**one(metrics_of(weekly), metric_id), "points": []}
            by_week = {point["week"]: point for point in points_of(weekly, metric_id)}
            points = points_of(body, metric_id)
            assert [p for p in points if by_week.get(p["week"], p) != p] == []
        console = PlainConsole(width=200, file=io.StringIO(), force_terminal=False)
        console.print(render_report(report, UNICODE, 200))
        assert isinstance(console.file, io.StringIO)
        text = console.file.getvalue()
        for view in (
            [one for product in report.products for one in product.metrics] if report.newest_day else ()
        ):
            values = {f"{value:,}" for value in known_values([*view.points, view.running])}
            name = view.metric.display_name[2:].removeprefix("for ")
            line = next(line for line in text.splitlines() if line.startswith(name))
            if view.latest_reading is not None:
                values = {f"{view.latest_reading.value:,}"}
            assert not values or {*values, UNICODE.none} & set(line.split())


def metrics_of(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [metric for product in board["products"] for metric in product["metrics"]]


def one(metrics: Sequence[dict[str, Any]], metric_id: str) -> dict[str, Any]:
    (found,) = (metric for metric in metrics if metric["metric_id"] == metric_id)
    return found


def totals(board: dict[str, Any]) -> Any:
    return [board["stars"], [(product["product"], product["downloads_30d"]) for product in board["products"]]]


def known_values(points: Sequence[SeriesPoint]) -> list[int]:
    return [point.value for point in points if point.value is not None]


def as_cells(point: dict[str, Any]) -> dict[str, str]:
    words = {None: "", True: "true", False: "false"}
    return {
        name: words[value] if value is None or isinstance(value, bool) else str(value)
        for name, value in point.items()
    }


@asynccontextmanager
async def faces(folder: Path) -> AsyncIterator[Faces]:
    file = folder / "catalog.toml"
    file.write_text(CATALOG, encoding="utf-8")
    place = support.local_place(folder)
    reading = place.reading.model_copy(update={"catalog": file})
    catalog = load_catalog(file)
    async with LanceDBStore.open(reading) as store:
        await store.create_tables()
        await store.upsert_metrics([metric.definition(midnight(days_ago(9))) for metric in catalog.metrics])
        no_memory = BodyStore(capacity_bytes=0)  # rows that no run wrote would not be noticed
        serving = asynccontextmanager(support.serving)
        async with serving(reading, log_request=log_nothing, store=no_memory) as api:
            yield Faces(api, store, reading, catalog)


def test_every_number_that_two_faces_show_is_equal(tmp_path: Path) -> None:
    with asyncio.Runner() as runner, ExitStack() as stack:
        opened = faces(tmp_path)
        world = runner.run(opened.__aenter__())
        stack.callback(lambda: runner.run(opened.__aexit__(None, None, None)))

        @settings(max_examples=20, phases=[Phase.generate])  # one example takes a second
        @given(STORED, st.sampled_from(SHOWN), st.integers(0, 449))
        def check(stored: Stored, metric_id: str, cut: int) -> None:
            runner.run(world.refill(stored))
            runner.run(world.check(metric_id, cut))

        check()

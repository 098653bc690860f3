"""A dashboard sends its points as columns: the same points as rows, in at most a quarter of the bytes."""

from __future__ import annotations

import gzip
import json
import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from community_metrics.api.mappers import dashboard_body, point_fields
from community_metrics.api.params import MAX_POINTS
from community_metrics.api.schemas.dashboard import PointColumns
from community_metrics.api.schemas.points import DayPoint, MonthPoint, WeekPoint
from community_metrics.api.schemas.points import Point as Row
from community_metrics.catalog import load_catalog
from community_metrics.model import Provenance, RunStatus, SourceWindow, Status
from community_metrics.periods import Grain, days_between, last_completed, last_periods, midnight
from community_metrics.readings import PROVENANCES, number_of_instant
from community_metrics.series.grid import Point, PointGrid, PointSeries
from community_metrics.series.summary import Summary
from community_metrics.series.totals import LevelTotal
from community_metrics.storage import LanceDBStore
from community_metrics.storage.schemas import STATS
from community_metrics.views.dashboard import Dashboard, MetricView, ProductView
from community_metrics.views.runs import Freshness
from tests.support import rows
from tests.support.api import LAST_DAY, PYTHON, Api, Place
from tests.support.clock import NOON
from tests.support.columns import points_of, rows_of
from tests.support.worlds import raw_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from community_metrics.model import StatRow

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

ROWS: dict[Grain, type[Row]] = {Grain.DAY: DayPoint, Grain.WEEK: WeekPoint, Grain.MONTH: MonthPoint}
METRIC = load_catalog(None).metric(PYTHON).definition(NOON)
API_PAGE = Path(__file__).parents[2] / "docs" / "api.md"
DAYS, METRICS = 730, 7
SEEDED_DAYS = 300
"""The oldest days, which were imported from files; a refresh every morning read the others."""


def board_of(points: Sequence[Point]) -> dict[str, Any]:
    """Return the JSON of a dashboard that has these points of one metric."""
    shown = series_of([*points, Point(points[-1].period.shifted(1))])
    view = MetricView(METRIC, shown[:-1], shown[-1], Summary(), None)
    dashboard = Dashboard(
        periods=tuple(point.period for point in points),
        products=(ProductView("lance", "Lance", (view,), None),),
        stars=LevelTotal(None, (), ()),
        freshness=Freshness(NOON, rows.run(NOON, RunStatus.SUCCESS), {}),
    )
    versions = {"metrics": 1, "stats": 2, "history": 3, "run_outcomes": 4}
    board: dict[str, Any] = json.loads(dashboard_body(dashboard, versions).model_dump_json())
    return board


def series_of(points: Sequence[Point]) -> PointSeries:
    """Return the columns of these points."""
    grid = PointGrid.empty([METRIC], [point.period for point in points], NOON)
    for index, point in enumerate(points):
        at = 0, index
        grid.value[at], grid.fallback[at] = point.value, point.fallback_id
        grid.days_present[at], grid.days_expected[at] = point.days_present, point.days_expected
        grid.complete[at], grid.restated[at] = point.complete, point.restated
        grid.duplicated[at] = point.duplicated
        if point.provenance and point.observed_at:
            grid.provenance[at] = PROVENANCES.index(point.provenance)
            grid.provisional[at] = point.status is Status.PROVISIONAL
            grid.observed_at[at] = number_of_instant(point.observed_at)
    return grid.series(0)


@st.composite
def series(draw: st.DrawFn) -> list[Point]:
    """Draw points of successive periods; few different items, so that some fields are constant."""
    grain = draw(st.sampled_from([Grain.DAY, Grain.WEEK, Grain.MONTH]))
    known = {
        "value": st.integers(0, 2**63 - 1),
        "days_present": st.integers(0, 1),
        "days_expected": st.sampled_from([1, 7]),
        "complete": st.booleans(),
        "fallback_id": st.sampled_from([None, "downloads_30d:lance:python"]),
        "provenance": st.sampled_from(Provenance),
        "status": st.sampled_from(Status),
        "restated": st.booleans(),
        "observed_at": st.sampled_from([NOON, NOON + timedelta(microseconds=120)]),
        "duplicated": st.booleans(),
    }
    point = st.one_of(st.just({"days_expected": 7}), st.fixed_dictionaries(known))
    periods = last_periods(last_completed(NOON, grain), draw(st.integers(1, 12)))
    points = [Point(period, **draw(point)) for period in periods]
    return [replace(each, estimated=each.fallback_id is not None) for each in points]


@given(series())
def test_the_columns_have_the_points_that_rows_have(points: list[Point]) -> None:
    row = ROWS[points[0].period.grain]
    expected = [json.loads(row(**point_fields(point)).model_dump_json()) for point in points]
    assert points_of(board_of(points), PYTHON) == expected


def test_the_columns_are_the_fields_of_a_point() -> None:
    in_periods = {"period_start", "period_end"}
    assert PointColumns.model_fields.keys() == Row.model_fields.keys() - in_periods
    for name, column in PointColumns.model_fields.items():
        assert column.description == Row.model_fields[name].description


def test_an_item_that_all_periods_share_is_sent_once_and_the_values_are_always_a_list() -> None:
    points = [Point(period) for period in last_periods(last_completed(NOON, Grain.DAY), 3)]
    columns = board_of(points)["products"][0]["metrics"][0]["points"]
    assert columns["value"] == [None, None, None]
    assert (columns["days_present"], columns["complete"], columns["observed_at"]) == (0, False, None)


def test_the_example_of_the_documentation_has_every_field_and_its_rows() -> None:
    (text,) = re.findall(r"```json\n(.*?\"periods\".*?)```", API_PAGE.read_text(encoding="utf-8"), re.DOTALL)
    example = json.loads(text)
    assert PointColumns.model_validate(example["points"]).model_dump(mode="json") == example["points"]
    for point in rows_of(example["periods"], example["points"]):
        WeekPoint.model_validate(point)


def test_the_limit_of_points_is_documented() -> None:
    assert f"at most {MAX_POINTS:,} points" in API_PAGE.read_text(encoding="utf-8")


def test_an_instant_has_microseconds_only_if_it_needs_them() -> None:
    periods = last_periods(last_completed(NOON, Grain.DAY), 2)
    instants = NOON, NOON + timedelta(microseconds=5)
    points = [
        Point(period, 7, provenance=Provenance.API, observed_at=instant)
        for period, instant in zip(periods, instants, strict=True)
    ]
    columns = board_of(points)["products"][0]["metrics"][0]["points"]
    assert columns["observed_at"] == ["2026-11-23T12:00:00Z", "2026-11-23T12:00:00.000005Z"]


async def test_two_years_of_seven_metrics_are_a_quarter_of_the_bytes_of_rows(
    folder: Place, serve: Serve
) -> None:
    names = [metric.metric_id for metric in load_catalog(None).shown if metric.window is SourceWindow.DAY][
        :METRICS
    ]
    async with LanceDBStore.open(folder.writing) as store:
        table = await raw_table(store, STATS)
        await table.delete("true")
        await table.add(STATS.to_arrow([row for name in names for row in two_years(name)]))
    async with serve(folder.reading) as api:
        response = await api.get("dashboard/daily", params={"days": DAYS, "metric_id": names})
    board = response.json()
    as_rows = json.dumps(in_rows(board), separators=(",", ":"), ensure_ascii=False).encode()
    columns = response.content
    assert [len(in_row) for in_row in (names, board["periods"]["day"])] == [METRICS, DAYS]
    assert len(columns) <= len(as_rows) / 4
    assert len(gzip.compress(columns)) <= len(gzip.compress(as_rows))


def in_rows(board: dict[str, Any]) -> dict[str, Any]:
    """Return a dashboard with one object for each point, as `/series` has them."""
    products = [
        {
            **product,
            "metrics": [
                {**one, "points": rows_of(board["periods"], one["points"])} for one in product["metrics"]
            ],
        }
        for product in board["products"]
    ]
    return {name: value for name, value in board.items() if name != "periods"} | {"products": products}


def two_years(metric_id: str) -> Iterator[StatRow]:
    """Yield days as a refresh every morning leaves them: some missing, restated, and not yet final."""
    rng = random.Random(metric_id)  # noqa: S311  the same data on every run
    first = LAST_DAY - timedelta(days=DAYS - 1)
    imported_at = datetime(2025, 9, 20, 8, 30, tzinfo=UTC)
    for index, day in enumerate(days_between(first, LAST_DAY)):
        is_seeded = index < SEEDED_DAYS
        read_at = midnight(day) + timedelta(days=1, hours=6, microseconds=rng.randrange(600_000_000))
        if rng.random() >= 0.02:
            yield rows.daily(
                day,
                rng.randrange(500, 150_000),
                metric_id=metric_id,
                status=Status.PROVISIONAL if index > DAYS - 4 else Status.FINAL,
                provenance=Provenance.CSV_SEED if is_seeded else Provenance.API,
                observed_at=imported_at if is_seeded else read_at,
                revision=int(not is_seeded and rng.random() < 0.01),
            )

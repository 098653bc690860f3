"""The sentence that quotes a number says how much of its period is known, and never more than is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.api.schemas.base import Versions
from community_metrics.mcp_server.figures import (
    change_of_point,
    figure_of_point,
    figure_of_product,
    figure_of_reading,
    figure_of_sum,
    quoted,
)
from community_metrics.mcp_server.mappers import outages_answer
from community_metrics.model import OutageKind, SourceWindow, Status, ValueKind
from community_metrics.periods import Grain, period_of
from community_metrics.series.change import Change, Changes
from community_metrics.series.grid import Point
from community_metrics.series.outages import Outage
from community_metrics.series.period_totals import PeriodTotal
from community_metrics.series.totals import LeftOut, Reading
from community_metrics.views.outages import Ledger
from community_metrics.views.product_table import ProductOfPeriod
from community_metrics.views.runs import Freshness
from community_metrics.views.sums import Sum, SumPoint
from tests.support.clock import NOON
from tests.support.insights import flow

if TYPE_CHECKING:
    from community_metrics.mcp_server.answers import Figure
    from community_metrics.model import MetricDefinition

VERSIONS = dict.fromkeys(Versions.model_fields, 1)
WEEK = period_of(date(2026, 11, 16), Grain.WEEK)
FRESH = Freshness(NOON, None, {}, read_at=NOON)
METRIC = flow("downloads:lance:python", display_name="Lance", source="pypistats", subject="pylance")
RUST = flow("downloads:lance:rust", "crates", display_name="Lance for Rust", subject="lance")
EARLIER = NOON - timedelta(days=2)
WHOLE = Point(
    WEEK, 1234, days_present=7, days_expected=7, complete=True, status=Status.FINAL, observed_at=NOON
)


def test_a_complete_week_is_quoted_with_its_period_source_and_reading_time() -> None:
    figure = figure_of_point(METRIC, WHOLE, FRESH)
    assert figure.citation == (
        "Lance: 1,234 downloads in 2026-W47 (2026-11-16 to 2026-11-22), 7 of 7 days; "
        "source: pypistats (pylance), read 2026-11-23 12:00 UTC."
    )


@pytest.mark.parametrize(
    ("changes", "completeness", "words"),
    [
        ({"days_present": 5, "complete": False}, "5 of 7 days", "at least 1,234 downloads"),
        ({"days_present": 0, "complete": False, "value": None}, "0 of 7 days", "downloads are not known"),
        (
            {"days_present": 0, "complete": False, "estimated": True, "fallback_id": "downloads_30d:x"},
            "estimated from downloads_30d:x",
            "1,234 downloads in",
        ),
        ({"status": Status.PROVISIONAL}, "7 of 7 days", "may still change"),
        ({"restated": True}, "7 of 7 days", "restated by its source"),
    ],
)
def test_what_is_not_certain_is_said(changes: dict[str, object], completeness: str, words: str) -> None:
    figure = figure_of_point(METRIC, replace(WHOLE, **changes), FRESH)  # type: ignore[arg-type]  # by its names
    assert figure.completeness == completeness
    assert completeness in figure.citation
    assert words in figure.citation
    assert figure.complete is (completeness == "7 of 7 days")


def test_a_week_that_goes_on_says_so() -> None:
    tuesday = replace(FRESH, now=NOON - timedelta(days=6))
    figure = figure_of_point(METRIC, replace(WHOLE, days_present=1, complete=False), tuesday)
    assert figure.completeness == "1 of 7 days, and the week is not over"


@pytest.mark.parametrize(
    ("kind", "window", "words"),
    [
        (ValueKind.LEVEL, SourceWindow.INSTANT, "1,234 downloads as last read in"),
        (ValueKind.COUNTER, SourceWindow.INSTANT, "1,234 downloads more in"),
        (ValueKind.ROLLING, SourceWindow.THIRTY_DAYS, "1,234 downloads of 30 days as last read in"),
    ],
)
def test_a_value_is_named_by_its_kind(kind: ValueKind, window: SourceWindow, words: str) -> None:
    metric = replace(METRIC, value_kind=kind, source_window=window)
    assert words in figure_of_point(metric, WHOLE, FRESH).citation


def test_a_rolling_reading_names_its_window() -> None:
    metric = replace(METRIC, value_kind=ValueKind.ROLLING, source_window=SourceWindow.THIRTY_DAYS)
    reading = Reading(METRIC.metric_id, 3_000, date(2026, 11, 22), NOON, Status.FINAL, restated=False)
    assert (
        "3,000 downloads in the 30 days up to 2026-11-22"
        in figure_of_reading(metric, reading, FRESH).citation
    )


@pytest.mark.parametrize(
    ("status", "restated", "words"),
    [(Status.PROVISIONAL, False, ", may still change;"), (Status.FINAL, True, ", restated by its source;")],
)
def test_a_reading_has_the_state_of_its_row(status: Status, restated: bool, words: str) -> None:
    reading = Reading(METRIC.metric_id, 3_000, date(2026, 11, 22), NOON, status, restated)
    figure = figure_of_reading(METRIC, reading, FRESH)
    assert (figure.status, figure.restated, figure.read_at) == (status, restated, NOON)
    assert words in figure.citation


def sum_of(value: int | None, complete: int, *without: MetricDefinition) -> Figure:
    point = SumPoint(WEEK, value, complete, is_provisional=True, is_restated=True, observed_at=EARLIER)
    left_out = tuple(LeftOut(one.metric_id, None) for one in without)
    return figure_of_sum(Sum((METRIC, RUST), (point,), left_out, without, FRESH), point)


def test_a_sum_has_the_state_and_the_reading_time_of_its_parts() -> None:
    figure = sum_of(30, 2)
    assert (figure.complete, figure.status, figure.restated) == (True, Status.PROVISIONAL, True)
    assert figure.read_at == EARLIER
    assert "Sum of Lance, Lance for Rust: 30 downloads" in figure.citation
    assert "2 of 2 series complete, may still change, restated by its source" in figure.citation


def test_what_is_not_known_of_a_sum_is_null() -> None:
    figure = sum_of(None, 1)
    assert (figure.value, figure.complete, figure.status, figure.restated) == (None, False, None, None)


def test_a_sum_of_fewer_than_were_asked_for_names_who_is_left_out() -> None:
    figure = sum_of(30, 2, replace(METRIC, metric_id="downloads:lance:nodejs", display_name="Lance for Node"))
    assert (figure.value, figure.complete, figure.completeness) == (30, False, "2 of 3 series")
    assert "Sum of Lance, Lance for Rust without Lance for Node: 30 downloads" in figure.citation


TOTAL = PeriodTotal(
    period=WEEK,
    value=1234,
    is_estimated=False,
    changes=Changes(),
    parts=(),
    totals=(1234,),
    estimates=(None,),
    lacking=(),
    waits_for=(),
    metric_ids=(METRIC.metric_id,),
    points=(replace(WHOLE, observed_at=EARLIER, restated=True),),
)


def product_of(total: PeriodTotal, *left_out: LeftOut) -> Figure:
    view = ProductOfPeriod("lance", "Lance", "downloads", total, left_out, None)
    figure = figure_of_product(view, (METRIC, RUST), FRESH)
    assert figure is not None
    return figure


def test_the_total_of_a_product_has_the_state_and_the_reading_time_of_its_parts() -> None:
    figure = product_of(TOTAL)
    assert (figure.complete, figure.status, figure.restated) == (True, Status.FINAL, True)
    assert figure.read_at == EARLIER


def test_a_total_that_lacks_a_series_or_leaves_one_out_is_not_complete() -> None:
    lacking = product_of(
        replace(TOTAL, metric_ids=(METRIC.metric_id, RUST.metric_id), lacking=(RUST.metric_id,))
    )
    left_out = product_of(TOTAL, LeftOut(RUST.metric_id, None))
    assert [(one.complete, one.completeness) for one in (lacking, left_out)] == [(False, "1 of 2 series")] * 2


def test_sample_data_are_called_invented() -> None:
    figure = figure_of_point(METRIC, WHOLE, replace(FRESH, is_sample=True))
    assert figure.citation.startswith("Sample data, invented: Lance: 1,234")
    assert quoted("Up.", None, FRESH) == "Up."


@pytest.mark.parametrize(
    ("kind", "window", "base"),
    [
        (ValueKind.FLOW, SourceWindow.DAY, "the week before"),
        (ValueKind.LEVEL, SourceWindow.INSTANT, "the week before"),
        (ValueKind.ROLLING, SourceWindow.THIRTY_DAYS, "the reading 30 days earlier"),
    ],
)
def test_a_change_names_what_it_is_from(kind: ValueKind, window: SourceWindow, base: str) -> None:
    metric = replace(METRIC, value_kind=kind, source_window=window)
    change = change_of_point(metric, WHOLE, Change(-12, -0.01), FRESH)
    assert change is not None
    assert change.citation.startswith(
        f"Lance: -12 downloads (-1.0%) in 2026-W47 (2026-11-16 to 2026-11-22) from {base}, 7 of 7 "
    )
    assert change.citation.endswith("; source: pypistats (pylance), read 2026-11-23 12:00 UTC.")


def test_a_change_that_is_not_known_is_none() -> None:
    assert change_of_point(METRIC, WHOLE, None, FRESH) is None
    assert change_of_point(METRIC, None, Change(1, 0.1), FRESH) is None


@pytest.mark.parametrize(
    ("kind", "value", "completeness"),
    [
        (OutageKind.NOT_COUNTED, None, "0 of 1 day"),
        (OutageKind.PARTIAL, 100, "1 of 1 day, counted in part"),
        (OutageKind.LOW, 850, "1 of 1 day, counted low"),
        (OutageKind.LATE, 1_000, "1 of 1 day"),
    ],
)
def test_an_outage_says_how_much_of_the_day_is_known_and_when_it_was_read(
    kind: OutageKind, value: int | None, completeness: str
) -> None:
    registry = flow("registry:pypi:all", source="pypistats", unit="downloads")
    read_at = None if value is None else NOON
    outage = Outage(registry.metric_id, "pypi", WEEK.start, kind, value, 1_000, None, EARLIER, read_at)
    answer = outages_answer(Ledger((registry,), (outage,), FRESH), VERSIONS, limit=50)
    (one,) = answer.outages
    assert (one.completeness, one.read_at, one.unit) == (completeness, read_at, "downloads")
    assert f"; {completeness}, first seen 2026-11-21 12:00 UTC; source: pypistats" in one.citation
    assert one.citation.endswith("read 2026-11-23 12:00 UTC." if read_at else "(registry:pypi:all).")

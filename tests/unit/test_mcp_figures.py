"""The sentence that quotes a number says how much of its period is known, and never more than is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from community_metrics.mcp_server.figures import figure_of_point, figure_of_reading, quoted
from community_metrics.model import SourceWindow, Status, ValueKind
from community_metrics.periods import Grain, period_of
from community_metrics.series.grid import Point
from community_metrics.series.totals import Reading
from community_metrics.views.runs import Freshness
from tests.support.clock import NOON
from tests.support.insights import flow

WEEK = period_of(date(2026, 11, 16), Grain.WEEK)
FRESH = Freshness(NOON, None, {}, read_at=NOON)
METRIC = flow("downloads:lance:python", display_name="Lance", source="pypistats", subject="pylance")
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
    reading = Reading(METRIC.metric_id, 3_000, date(2026, 11, 22), NOON)
    assert (
        "3,000 downloads in the 30 days up to 2026-11-22"
        in figure_of_reading(metric, reading, FRESH).citation
    )


def test_sample_data_are_called_invented() -> None:
    figure = figure_of_point(METRIC, WHOLE, replace(FRESH, is_sample=True))
    assert figure.citation.startswith("Sample data, invented: Lance: 1,234")
    assert quoted("Up.", None, FRESH) == "Up."

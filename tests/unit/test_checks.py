"""What a source may not give, one fault at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from community_metrics.model import Observation, SourceWindow
from community_metrics.periods import ONE_DAY
from community_metrics.runs.checks import impossible
from community_metrics.sources.base import FetchResult
from community_metrics.sources.crates import Crates
from tests.support.clock import NOON

TODAY = NOON.date()
YESTERDAY = TODAY - ONE_DAY
METRIC = "downloads:a:b"
GOOD = Observation(METRIC, YESTERDAY, YESTERDAY, 5, SourceWindow.DAY, NOON, "https://x.example/a")


def source(window: SourceWindow = SourceWindow.DAY) -> Crates:
    made = Crates()
    made.window = window
    return made


def fault_of(*given: Any, window: SourceWindow = SourceWindow.DAY) -> str | None:
    return impossible(FetchResult(METRIC, given), source(window), TODAY)


def spanning(window: SourceWindow, start: date, end: date) -> Observation:
    return replace(GOOD, source_window=window, period_start=start, period_end=end)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"value": 5.5}, "float, not int"),
        ({"value": True}, "bool, not int"),
        ({"value": 2**63}, "not between 0 and"),
        ({"value": -1}, "not between 0 and"),
        ({"observed_at": datetime(2026, 11, 23)}, "time zone"),  # noqa: DTZ001  the fault to be found
        ({"observed_at": "2026-11-23"}, "time zone"),
        ({"source_ref": None}, "source_ref"),
        ({"source_ref": "\ud800"}, "source_ref"),
        ({"period_start": TODAY}, "ends before it begins"),
        ({"period_start": YESTERDAY - 29 * ONE_DAY}, "not as long as the window 1d"),
        ({"period_start": TODAY, "period_end": TODAY}, "not over yet"),
        ({"period_start": NOON, "period_end": NOON}, "with a date"),
        ({"metric_id": "downloads:a:c"}, "not of the metric"),
        ({"source_window": SourceWindow.WEEK}, "not of the metric"),
    ],
)
def test_each_impossible_observation_is_named(change: dict[str, Any], fault: str) -> None:
    found = fault_of(replace(GOOD, **change))
    assert found is not None
    assert fault in found


def test_two_rows_for_one_day_and_what_is_no_observation_are_named() -> None:
    assert "stands twice" in str(fault_of(GOOD, GOOD))
    assert "no Observation" in str(fault_of({"value": 5}))


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        (SourceWindow.DAY, YESTERDAY, YESTERDAY),
        (SourceWindow.WEEK, YESTERDAY - timedelta(days=6), YESTERDAY),
        (SourceWindow.THIRTY_DAYS, YESTERDAY - timedelta(days=29), YESTERDAY),
        (SourceWindow.MONTH, date(2026, 2, 1), date(2026, 2, 28)),
        (SourceWindow.MONTH, date(2026, 10, 1), date(2026, 10, 31)),
        (SourceWindow.INSTANT, TODAY, TODAY),
    ],
)
def test_a_period_as_long_as_its_window_is_possible(window: SourceWindow, start: date, end: date) -> None:
    assert fault_of(spanning(window, start, end), window=window) is None
    if window is not SourceWindow.INSTANT:
        assert fault_of(spanning(window, start - ONE_DAY, end), window=window) is not None

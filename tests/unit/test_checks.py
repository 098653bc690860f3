"""What a fetch result must not hold, one fault at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from community_metrics.model import Observation, SourceWindow
from community_metrics.periods import ONE_DAY
from community_metrics.runs.gather import invalid_observation
from community_metrics.sources.base import FetchResult
from tests.support.clock import NOON

TODAY = NOON.date()
YESTERDAY = TODAY - ONE_DAY
METRIC = "downloads:a:b"
GOOD = Observation(METRIC, YESTERDAY, YESTERDAY, 5, SourceWindow.DAY, NOON, "https://x.example/a")
LEVEL = replace(GOOD, source_window=SourceWindow.INSTANT, period_start=TODAY, period_end=TODAY)


def fault_of(*given: Any, window: SourceWindow = SourceWindow.DAY) -> str | None:
    return invalid_observation(FetchResult(METRIC, given), window, TODAY)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (replace(GOOD, period_start=TODAY, period_end=TODAY), "not over yet"),
        (replace(GOOD, metric_id="downloads:a:c"), "not of the metric"),
        (LEVEL, "not of the metric"),
        ({"value": 5}, "not an Observation"),
    ],
)
def test_an_observation_that_its_metric_cannot_have_is_named(given: Any, fault: str) -> None:
    assert fault in str(fault_of(given))


def test_two_observations_of_one_day_are_named() -> None:
    assert "occurs twice" in str(fault_of(GOOD, GOOD))


def test_only_a_level_may_be_of_today() -> None:
    assert fault_of(LEVEL, window=SourceWindow.INSTANT) is None
    tomorrow = replace(LEVEL, period_start=TODAY + ONE_DAY, period_end=TODAY + ONE_DAY)
    assert "not over yet" in str(fault_of(tomorrow, window=SourceWindow.INSTANT))

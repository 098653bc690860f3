"""The rule `seasonal-naive-interval` of docs/insights.md: an interval, and how often it was right."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from community_metrics.periods import ONE_DAY, Grain, days_between, last_periods, period_of
from community_metrics.series.forecast import forecast_weeks
from tests.support.registry import CRATES, NPM, PYPI, Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from community_metrics.series.forecast import WeeklyForecast

WEEKS = 104
SUNDAY = date(2026, 11, 22)


def forecast(weeks: Sequence[int | None], ahead: int, *, as_ratio: bool = True) -> WeeklyForecast:
    found, reason = forecast_weeks(weeks, ahead, as_ratio=as_ratio)
    assert found is not None, reason
    return found


def why_not(weeks: list[int | None], ahead: int, *, as_ratio: bool = True) -> str | None:
    found, reason = forecast_weeks(weeks, ahead, as_ratio=as_ratio)
    assert found is None
    return reason


def whole(values: NDArray[np.float64]) -> list[int | None]:
    return [round(value) for value in values.tolist()]


def noise(random: np.random.Generator) -> list[int | None]:
    return whole(2_000 * np.exp(random.normal(0, 0.1, WEEKS)))


def growing(random: np.random.Generator) -> list[int | None]:
    trend = 0.01 * np.arange(WEEKS)
    return whole(2_000 * np.exp(trend + random.normal(0, 0.1, WEEKS)))


def wandering(random: np.random.Generator) -> list[int | None]:
    steps = np.cumsum(random.normal(0.005, 0.05, WEEKS)) + random.normal(0, 0.05, WEEKS)
    return whole(2_000 * np.exp(steps))


weekly = st.lists(st.integers(1, 10**6), min_size=30, max_size=40)


@pytest.mark.parametrize("ahead", [1, 4, 13])
@pytest.mark.parametrize("source", [PYPI, NPM, CRATES])
def test_the_interval_covers_70_to_90_per_cent_of_the_weeks_of_the_replayed_registries(
    source: str, ahead: int
) -> None:
    registry = Registry(SUNDAY + ONE_DAY)
    weeks = last_periods(period_of(SUNDAY, Grain.WEEK), WEEKS)
    found = []
    for subject in ("pylance", "lancedb", "anvil", "umbra", "httpx", "ruff"):
        days = [
            [registry.value(source, subject, day) or 0 for day in days_between(one.start, one.end)]
            for one in weeks
        ]
        found.append(forecast([sum(own) for own in days], ahead))
    assert 0.7 <= sum(one.hits for one in found) / sum(one.tests for one in found) <= 0.9


@pytest.mark.parametrize("ahead", [1, 4, 13])
@pytest.mark.parametrize("series", [noise, growing, wandering])
def test_the_interval_covers_70_to_90_per_cent_of_past_outcomes(
    series: Callable[[np.random.Generator], list[int | None]], ahead: int
) -> None:
    found = [forecast(series(np.random.default_rng(seed)), ahead) for seed in range(20)]
    rate = sum(one.hits for one in found) / sum(one.tests for one in found)
    assert 0.7 <= rate <= 0.9


@pytest.mark.parametrize("ahead", [1, 4])
def test_the_interval_of_the_growth_of_a_level_covers_as_much(ahead: int) -> None:
    found = [
        forecast(np.random.default_rng(seed).poisson(30, WEEKS).tolist(), ahead, as_ratio=False)
        for seed in range(20)
    ]
    assert 0.7 <= sum(one.hits for one in found) / sum(one.tests for one in found) <= 0.9


@settings(max_examples=30)
@given(weekly, st.integers(2, 1000))
def test_a_series_that_is_larger_by_a_factor_has_the_interval_times_it(values: list[int], by: int) -> None:
    assume(forecast_weeks(list(values), 1, as_ratio=True)[0] is not None)  # a list may have a lasting shift
    one, other = forecast([*values], 1), forecast([value * by for value in values], 1)
    assert (other.low, other.high) == pytest.approx((one.low * by, one.high * by))
    assert (other.hits, other.tests) == (one.hits, one.tests)


@settings(max_examples=30)
@given(weekly, st.integers(1, 10**6))
def test_the_past_rate_is_of_forecasts_that_did_not_know_what_came_after(
    values: list[int], later: int
) -> None:
    both = ([*values], [*values, later])
    assume(all(forecast_weeks(weeks, 1, as_ratio=True)[0] for weeks in both))  # without a lasting shift
    before, after = (forecast(weeks, 1) for weeks in both)
    assert (after.tests, after.hits - before.hits) in {(before.tests + 1, 0), (before.tests + 1, 1)}


def test_25_complete_weeks_are_too_few_and_26_are_enough() -> None:
    assert why_not([100] * 25, 1) == "25 complete weeks are known, and a forecast needs 26"
    assert forecast([100] * 26, 4).tests >= 5


def test_weeks_from_before_a_change_of_counting_do_not_count() -> None:
    assert why_not([None] * 60 + [100] * 25, 1) == "25 complete weeks are known, and a forecast needs 26"


def test_nothing_is_forecast_farther_ahead_than_a_sixth_of_the_known_weeks() -> None:
    assert why_not([100] * 30, 6) == "6 weeks ahead is farther than the 5 that 30 complete weeks allow"
    assert why_not([100] * 104, 14) == "14 weeks ahead is farther than the 13 that 104 complete weeks allow"


def test_a_missing_week_takes_part_in_nothing() -> None:
    values: list[int | None] = [100] * 60
    values[30] = None
    one = forecast(values, 1)
    assert (one.low, one.high) == (100, 100)
    # neither the week itself nor the one after it can be forecast
    assert one.tests == forecast([100] * 60, 1).tests - 2


def test_missing_weeks_may_leave_no_past_forecast() -> None:
    values: list[int | None] = [100, 100, None] * 30
    assert why_not(values, 3) == "missing weeks leave too few past forecasts of 3 weeks to learn from"


def test_a_week_of_0_gives_no_ratio_but_a_difference() -> None:
    values: list[int | None] = [5] * 40
    values[10] = 0
    assert why_not(values, 1) == "a week of 0 gives no ratio"
    assert forecast(values, 1, as_ratio=False).tests > 0


def test_the_forecast_is_made_from_the_newest_complete_week() -> None:
    assert forecast([100] * 40 + [None], 1).origin == 39
    assert forecast([100] * 120, 1).origin == 119


def shifted(before: int, after: int) -> list[int | None]:
    random = np.random.default_rng(5)
    level = np.array([1_000.0] * before + [5_000.0] * after)
    return whole(level * np.exp(random.normal(0, 0.05, before + after)))


@pytest.mark.parametrize("as_ratio", [True, False])
def test_nothing_is_forecast_across_a_lasting_shift(as_ratio: bool) -> None:
    reason = (
        "8 complete weeks are known since the last lasting shift to another level, and a forecast needs 26"
    )
    assert why_not(shifted(40, 8), 4, as_ratio=as_ratio) == reason


def test_weeks_from_before_a_lasting_shift_do_not_count() -> None:
    weeks = shifted(60, 40)
    found = forecast(weeks, 4)
    alone = forecast(weeks[60:], 4)
    assert found.origin == 99
    assert (found.low, found.high, found.tests) == (alone.low, alone.high, alone.tests)

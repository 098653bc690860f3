"""A metric beside its registry: share and net growth over the days that both have."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.model import LevelBreak
from community_metrics.periods import Grain, last_periods, midnight, period_of
from community_metrics.series.registry import beside_registry
from tests.support.insights import days_before
from tests.support.rows import week_named

if TYPE_CHECKING:
    from community_metrics.series.registry import RegistryPoint

W47 = week_named("2026-W47")
NOW = midnight(W47.end + timedelta(days=4))
DAYS = days_before(W47.end, 28)
WEDNESDAY = date(2026, 11, 18)
Values = dict[date, int]


def weekly(values: list[int]) -> Values:
    """Return days of one value for each of the last four weeks."""
    return {day: values[at // 7] for at, day in enumerate(DAYS)}


def points(own: Values, registry: Values, **options: Any) -> list[RegistryPoint]:
    return beside_registry(own, registry, last_periods(W47, 4), NOW, **options)


def test_a_share_is_in_parts_per_million() -> None:
    last = points(weekly([5] * 4), weekly([1_000_000] * 4))[-1]
    assert (last.value, last.registry_value, last.share_ppm, last.complete) == (35, 7_000_000, 5.0, True)


def test_a_metric_that_grows_with_everything_has_no_growth_of_its_own() -> None:
    last = points(weekly([10, 10, 10, 15]), weekly([2_000, 2_000, 2_000, 3_000]))[-1]
    assert last.growth == pytest.approx(0.5)
    assert last.registry_growth == pytest.approx(0.5)
    assert last.net_growth == pytest.approx(0)


def test_a_metric_that_stays_where_everything_halves_has_doubled() -> None:
    last = points(weekly([10] * 4), weekly([2_000, 2_000, 2_000, 1_000]))[-1]
    assert last.net_growth == pytest.approx(1)


@pytest.mark.parametrize("lacks", ["own", "registry", "uncounted"])
def test_a_day_that_one_of_them_lacks_counts_for_neither_and_is_a_gap(lacks: str) -> None:
    own, registry = weekly([10] * 4), weekly([1_000] * 4)
    own[WEDNESDAY], registry[WEDNESDAY] = 9_999, 1
    uncounted: set[date] = {WEDNESDAY} if lacks == "uncounted" else set()
    if lacks != "uncounted":
        del (own if lacks == "own" else registry)[WEDNESDAY]
    last = points(own, registry, uncounted=uncounted)[-1]
    assert (last.value, last.registry_value, last.days_present) == (60, 6_000, 6)
    assert (last.complete, last.share_ppm, last.growth, last.net_growth) == (False, 10_000, None, None)


def test_a_period_without_a_common_day_has_no_value() -> None:
    last = points(weekly([10] * 4), {})[-1]
    assert (last.value, last.registry_value, last.share_ppm, last.days_present) == (None, None, None, 0)


def test_no_growth_crosses_a_change_of_counting() -> None:
    breaks = [LevelBreak(WEDNESDAY, "another way")]
    found = points(weekly([10] * 4), weekly([1_000] * 4), breaks=breaks)
    assert [point.net_growth is None for point in found] == [True, False, False, True]


def test_months_are_compared_by_their_daily_mean() -> None:
    march = period_of(date(2026, 3, 1), Grain.MONTH)
    days = days_before(march.end, 80)
    own, registry = dict.fromkeys(days, 10), dict.fromkeys(days, 1_000)
    now = midnight(march.end + timedelta(days=9))
    last = beside_registry(own, registry, last_periods(march, 2), now)[-1]
    assert last.growth == pytest.approx(0)
    assert last.registry_growth == pytest.approx(0)


def test_a_running_week_is_not_complete() -> None:
    now = midnight(W47.end)
    (last,) = beside_registry(weekly([10] * 4), weekly([1_000] * 4), [W47], now)
    assert (last.complete, last.days_present) == (False, 7)


MAYBE = st.one_of(st.none(), st.integers(0, 10**9))


@given(st.lists(st.tuples(MAYBE, MAYBE), min_size=28, max_size=28), st.integers(2, 1000))
def test_scaling_the_registry_changes_no_net_growth_and_only_divides_the_share(
    pairs: list[tuple[int | None, int | None]], factor: int
) -> None:
    own = {day: value for day, (value, _) in zip(DAYS, pairs, strict=True) if value is not None}
    registry = {day: value for day, (_, value) in zip(DAYS, pairs, strict=True) if value is not None}
    scaled = {day: factor * value for day, value in registry.items()}
    for point, other in zip(points(own, registry), points(own, scaled), strict=True):
        assert point.value == other.value
        assert point.days_present == other.days_present <= point.days_expected
        if point.share_ppm is not None:
            assert other.share_ppm == pytest.approx(point.share_ppm / factor)
        assert (point.net_growth is None) == (other.net_growth is None)
        if point.net_growth is not None:
            assert other.net_growth == pytest.approx(point.net_growth, abs=1e-9)

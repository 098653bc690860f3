"""The mean of seven days: only over days that are present, and the same whatever comes before or after."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.model import LevelBreak, SourceWindow, ValueKind
from community_metrics.periods import Grain, days_between, period_of
from community_metrics.series.average import week_averages
from community_metrics.series.points import points
from tests.support.insights import flow, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from community_metrics.model import MetricDefinition

FIRST, SPAN = date(2026, 9, 7), 40
DAYS = [FIRST + timedelta(days=offset) for offset in range(SPAN)]
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
PYTHON = flow("downloads:lance:python")
STARS = replace(PYTHON, unit="stars", value_kind=ValueKind.LEVEL, source_window=SourceWindow.INSTANT)
known_days = st.dictionaries(st.sampled_from(DAYS), st.integers(0, 2**40), max_size=SPAN)


def averages(
    values: Mapping[date, int],
    metric: MetricDefinition = PYTHON,
    *,
    days: Sequence[date] = DAYS,
    breaks: Sequence[LevelBreak] = (),
) -> list[float | None] | None:
    rows = rows_of([metric], {metric.metric_id: values})
    grid = points([metric], rows, [period_of(day, Grain.DAY) for day in days], NOW)
    return week_averages(grid.series(0), breaks)


@given(known_days)
def test_an_average_is_the_mean_of_seven_days_that_are_all_present(values: dict[date, int]) -> None:
    found = averages(values)
    assert found is not None
    for at, average in enumerate(found):
        week = [values.get(day) for day in DAYS[max(0, at - 6) : at + 1]]
        whole = [value for value in week if value is not None]
        if len(whole) < 7:
            assert average is None
        else:
            assert average is not None
            assert average == pytest.approx(sum(whole) / 7, abs=0.051)
            assert min(whole) - 0.1 <= average <= max(whole) + 0.1


@given(known_days, st.sampled_from(DAYS))
def test_a_missing_day_leaves_the_seven_averages_that_need_it_missing(
    values: dict[date, int], missing: date
) -> None:
    whole, without = averages(values), averages({day: n for day, n in values.items() if day != missing})
    assert whole is not None
    assert without is not None
    at = DAYS.index(missing)
    assert without[at : at + 7] == [None] * len(without[at : at + 7])
    assert (without[:at], without[at + 7 :]) == (whole[:at], whole[at + 7 :])


@given(known_days, st.integers(0, SPAN - 1))
def test_later_days_change_no_average(values: dict[date, int], end: int) -> None:
    whole, earlier = averages(values), averages(values, days=DAYS[: end + 1])
    assert whole is not None
    assert whole[: end + 1] == earlier


def test_no_average_is_made_across_a_change_of_counting() -> None:
    values = dict.fromkeys(DAYS, 700)
    found = averages(values, breaks=[LevelBreak(DAYS[20], "bots are left out")])
    assert found is not None
    assert [at for at, one in enumerate(found) if one is None] == [*range(6), *range(20, 26)]


def test_a_level_has_no_average() -> None:
    assert averages(dict.fromkeys(days_between(DAYS[0], DAYS[-1]), 5), STARS) is None

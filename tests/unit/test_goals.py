"""The rule `needed-per-week` of docs/insights.md over made-up series."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community_metrics.model import LevelBreak, Progress, SourceWindow, ValueKind
from community_metrics.periods import days_between, midnight
from community_metrics.series.goal_values import counted_by
from community_metrics.series.goals import goal_words, standing
from tests.support.insights import days_before, flow, noisy, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.model import MetricDefinition
    from community_metrics.series.goals import Counted, Standing

SUNDAY = date(2026, 11, 22)
NOW = midnight(SUNDAY + timedelta(days=1)) + timedelta(hours=12)
IN_4_WEEKS = SUNDAY + timedelta(weeks=4)
PYTHON, RUST = flow("downloads:lance:python"), flow("downloads:lance:rust", "crates")
STARS = replace(
    PYTHON,
    metric_id="stars:lance:github",
    unit="stars",
    value_kind=ValueKind.LEVEL,
    source_window=SourceWindow.INSTANT,
)
PULLS = replace(STARS, metric_id="pulls:lance:docker", value_kind=ValueKind.COUNTER)
ROLLING = replace(
    PYTHON,
    metric_id="downloads_30d:lance:huggingface",
    value_kind=ValueKind.ROLLING,
    source_window=SourceWindow.THIRTY_DAYS,
)


def steady(value: int, days: int = 280, *, end: date = SUNDAY) -> dict[date, int]:
    return dict.fromkeys(days_before(end, days), value)


def rising(by: int, days: int = 280) -> dict[date, int]:
    """Return readings at the end of each day that grow by so much a day, up to 10,000."""
    return {day: 10_000 - back * by for back, day in enumerate(reversed(days_before(SUNDAY, days)))}


def known(
    values: Mapping[date, int] | dict[str, dict[date, int]],
    metrics: Any = PYTHON,
    *,
    day: date = IN_4_WEEKS,
    **options: Any,
) -> Counted:
    listed = metrics if isinstance(metrics, list) else [metrics]
    by_id: Any = values if isinstance(metrics, list) else {metrics.metric_id: values}
    return counted_by(listed, rows_of(listed, by_id), day, NOW, **options)


def stands(counted: Counted, value: int, day: date = IN_4_WEEKS) -> Standing:
    return standing(counted, value, day, NOW.date())


def test_what_is_left_over_the_weeks_that_are_left_is_needed_a_week() -> None:
    counted = known(steady(100), since=date(2026, 11, 9))
    one = stands(counted, 1_400 + 2_801)
    assert (counted.value, counted.first, counted.as_of) == (1_400, date(2026, 11, 9), SUNDAY)
    assert (one.remaining, one.weeks_left, one.needed_per_week) == (2_801, 4, 701)


@pytest.mark.parametrize(
    ("left", "progress"), [(2_800, Progress.ON_TRACK), (2_801, Progress.BEHIND), (0, Progress.REACHED)]
)
def test_a_goal_is_on_track_where_the_recent_weeks_have_what_is_needed(left: int, progress: Progress) -> None:
    one = stands(known(steady(100), since=date(2026, 11, 9)), 1_400 + left)
    assert (one.progress, one.reason) == (progress, None)


@settings(max_examples=30)
@given(st.integers(1, 10**6), st.integers(1, 10**9), st.integers(1, 200))
def test_at_the_pace_that_is_needed_the_value_is_there_on_the_date(daily: int, value: int, days: int) -> None:
    day = SUNDAY + timedelta(days=days)
    counted = known(steady(daily, 70), day=day)
    one = stands(counted, value, day)
    assert counted.value is not None
    if one.progress is Progress.ON_TRACK:
        assert counted.value + daily * days >= value
    elif one.progress is Progress.BEHIND:
        assert counted.value + daily * days < value
    else:
        assert counted.value >= value


def test_without_a_first_day_the_sum_begins_with_the_first_stored_day() -> None:
    counted = known(steady(100))
    assert (counted.first, counted.value) == (SUNDAY - timedelta(days=279), 28_000)


def test_a_total_counts_only_the_days_that_every_series_has() -> None:
    values = {
        PYTHON.metric_id: steady(100, 100),
        RUST.metric_id: steady(10, 50, end=SUNDAY - timedelta(days=2)),
    }
    counted = known(values, [PYTHON, RUST])
    assert (counted.first, counted.as_of) == (SUNDAY - timedelta(days=51), SUNDAY - timedelta(days=2))
    assert (counted.value, counted.missing) == (50 * 110, ())


def test_a_series_without_any_day_leaves_the_total_unknown() -> None:
    one = stands(known({PYTHON.metric_id: steady(100)}, [PYTHON, RUST]), 1)
    assert (one.progress, one.reason, one.remaining) == (Progress.UNKNOWN, "nothing is stored of it", None)


@pytest.mark.parametrize(
    ("since", "reason"),
    [
        (SUNDAY + timedelta(days=9), "it begins on 2026-12-01"),
        (NOW.date(), "it begins on 2026-11-23"),
        (SUNDAY, "no day since 2026-11-22 is known"),
    ],
)
def test_a_sum_without_a_known_day_has_no_value_and_no_forecast(since: date, reason: str) -> None:
    counted = known(steady(100, end=SUNDAY - timedelta(days=1)), since=since)
    one = stands(counted, 5_000)
    assert (counted.value, counted.as_of, counted.first, counted.missing) == (None, None, since, ())
    assert (one.progress, one.reason) == (Progress.UNKNOWN, reason)
    assert (one.remaining, one.needed_per_week, one.forecast, one.forecast_reason) == (
        None,
        None,
        None,
        reason,
    )
    words = goal_words("It", 5_000, "downloads", IN_4_WEEKS, counted, one)
    assert words == f"It: 5,000 downloads by {IN_4_WEEKS}; {reason}."


class TestMissingDays:
    lacking = SUNDAY - timedelta(days=10)

    def counted(self, day: date = IN_4_WEEKS) -> Counted:
        values = steady(100)
        del values[self.lacking]
        return known(values, day=day)

    def test_a_missing_day_is_named_and_adds_nothing(self) -> None:
        assert (self.counted().value, self.counted().missing) == (27_900, (self.lacking,))

    def test_a_goal_with_a_missing_day_is_not_called_behind(self) -> None:
        one = stands(self.counted(), 100_000)
        assert one.progress is Progress.UNKNOWN
        assert one.reason == f"1 missing day may make the difference: {self.lacking}"
        assert one.forecast_reason == f"the sum lacks {self.lacking}"

    def test_it_may_be_on_track_or_reached(self) -> None:
        assert stands(self.counted(), 28_000).progress is Progress.ON_TRACK
        assert stands(self.counted(), 27_900).progress is Progress.REACHED

    def test_nor_is_it_called_missed(self) -> None:
        assert stands(self.counted(SUNDAY), 28_001, SUNDAY).progress is Progress.UNKNOWN

    def test_days_before_the_first_stored_one_are_missing_where_the_sum_begins_earlier(self) -> None:
        counted = known(steady(100, 10), since=SUNDAY - timedelta(days=11))
        assert counted.missing == (SUNDAY - timedelta(days=11), SUNDAY - timedelta(days=10))


def test_a_date_that_is_over_is_missed_only_once_its_day_is_known() -> None:
    yesterday = SUNDAY
    assert stands(known(steady(100), day=yesterday), 99_999, yesterday).progress is Progress.MISSED
    late = steady(100, end=SUNDAY - timedelta(days=1))
    one = stands(known(late, day=yesterday), 99_999, yesterday)
    assert (one.progress, one.reason) == (
        Progress.UNKNOWN,
        "the last days before the date are not known yet",
    )


def test_days_after_the_date_do_not_count() -> None:
    assert known(steady(100), since=date(2026, 11, 9), day=date(2026, 11, 15)).value == 700


def test_too_few_complete_weeks_leave_the_progress_unknown() -> None:
    one = stands(known(steady(100, 27)), 10**6)
    assert one.recent_per_week is None
    assert one.reason == "fewer than 4 of the last 8 weeks are complete and counted in one way"


def test_an_incomplete_week_is_no_recent_week() -> None:
    counted = known(steady(100, end=SUNDAY - timedelta(days=1)))
    assert stands(counted, 10**6).recent_weeks == ("2026-W43", "2026-W44", "2026-W45", "2026-W46")


def test_weeks_from_before_a_change_of_counting_are_not_compared() -> None:
    broken = LevelBreak(SUNDAY - timedelta(days=20), "without robots")
    one = stands(known(steady(100), breaks=[broken]), 10**6)
    assert (one.recent_per_week, one.forecast) == (None, None)
    assert one.forecast_reason == "3 complete weeks are known, and a forecast needs 26"


class TestLevels:
    def test_a_level_has_its_newest_reading_and_its_growth(self) -> None:
        one = stands(known(rising(5), STARS), 10_141)
        assert (one.remaining, one.needed_per_week, one.recent_per_week) == (141, 36, 35)
        assert one.progress is Progress.BEHIND

    def test_a_reading_after_the_date_does_not_count(self) -> None:
        assert known(rising(5), STARS, day=SUNDAY - timedelta(days=2)).value == 9_990

    def test_a_counter_has_its_reading_and_the_difference_of_its_weeks(self) -> None:
        counted = known(rising(5), PULLS)
        assert (counted.value, stands(counted, 20_000).recent_per_week) == (10_000, 35)

    def test_a_rolling_total_is_compared_only_with_the_reading_of_a_window_before(self) -> None:
        counted = known(rising(5), ROLLING)
        one = stands(counted, 10_100)
        assert (one.remaining, one.needed_per_week, one.recent_per_week) == (100, None, None)
        assert (one.progress, one.reason) == (Progress.UNKNOWN, "a rolling total has no weeks")
        text = goal_words("Data sets", 10_100, "downloads", IN_4_WEEKS, counted, one)
        assert text.startswith(
            "Data sets: 10,000 of 10,100 downloads on 2026-11-22; +150 since the reading of 30 days earlier: "
            "not known whether on track, because a rolling total has no weeks."
        )
        young = known(rising(5, 20), ROLLING)
        assert young.growth is None
        assert "since the reading" not in goal_words(
            "Data sets", 10_100, "downloads", IN_4_WEEKS, young, stands(young, 10_100)
        )

    @pytest.mark.parametrize("metric", [STARS, PULLS])
    def test_a_reading_of_the_morning_after_the_date_decides_a_goal(self, metric: MetricDefinition) -> None:
        date_of_goal = SUNDAY - timedelta(days=7)
        morning = dict.fromkeys(days_before(date_of_goal, 60), 9_000) | {date_of_goal: 9_995}
        until_date = rows_of([metric], {metric.metric_id: morning}, hours=2.75)
        undecided = counted_by([metric], until_date, date_of_goal, NOW)
        assert (undecided.value, undecided.as_of) == (9_995, date_of_goal - timedelta(days=1))
        one = standing(undecided, 10_000, date_of_goal, NOW.date())
        assert (one.progress, one.reason) == (
            Progress.UNKNOWN,
            "the last days before the date are not known yet",
        )

        morning[date_of_goal + timedelta(days=1)] = 10_003
        decided = counted_by(
            [metric], rows_of([metric], {metric.metric_id: morning}, hours=2.75), date_of_goal, NOW
        )
        assert (decided.value, decided.as_of) == (10_003, date_of_goal)
        assert standing(decided, 10_000, date_of_goal, NOW.date()).progress is Progress.REACHED

    def test_a_goal_for_today_is_not_missed_before_the_day_is_over(self) -> None:
        today = SUNDAY + timedelta(days=1)
        one = stands(known({**rising(5), today: 10_003}, STARS, day=today), 10_010, today)
        assert (one.progress, one.reason) == (Progress.UNKNOWN, "the date is today, which is not over")


class TestForecast:
    def test_a_sum_has_an_interval_around_what_the_weeks_add(self) -> None:
        counted = known(noisy(SUNDAY, 400))
        forecast = stands(counted, 10**7).forecast
        assert forecast is not None
        assert counted.value is not None
        assert counted.value + 4 * 6_000 < forecast.low < forecast.high < counted.value + 4 * 8_500
        assert (forecast.origin, forecast.weeks_ahead) == ("2026-W47", 4)

    def test_a_steady_level_has_an_interval_of_one_value(self) -> None:
        forecast = stands(known(rising(5), STARS), 20_000).forecast
        assert forecast is not None
        assert (forecast.low, forecast.high) == (10_140, 10_140)
        assert forecast.hits == forecast.tests

    def test_no_day_before_a_sum_begins_counts(self) -> None:
        """It began after the newest complete week."""
        begins, later = SUNDAY + timedelta(days=3), SUNDAY + timedelta(days=5)
        values = rows_of([PYTHON], {PYTHON.metric_id: steady(100, 300, end=later - timedelta(days=1))})
        counted = counted_by([PYTHON], values, IN_4_WEEKS, midnight(later), since=begins)
        forecast = standing(counted, 10**6, IN_4_WEEKS, later).forecast
        assert forecast is not None
        days = len(list(days_between(begins, IN_4_WEEKS)))
        assert (forecast.low, forecast.high) == (100 * days, 100 * days)

    def test_it_is_never_below_what_the_sum_has_already(self) -> None:
        days = steady(100) | dict.fromkeys(days_between(SUNDAY - timedelta(days=6), SUNDAY), 1)
        ahead = days | {SUNDAY + timedelta(days=1): 50_000}
        day = SUNDAY + timedelta(days=7)
        metrics = [PYTHON]
        later = midnight(SUNDAY + timedelta(days=2))
        counted = counted_by(metrics, rows_of(metrics, {PYTHON.metric_id: ahead}), day, later)
        forecast = standing(counted, 10**6, day, later.date()).forecast
        assert forecast is not None
        assert counted.value is not None
        assert forecast.low >= counted.value

    def test_a_decided_goal_has_none(self) -> None:
        assert stands(known(steady(100)), 1).forecast_reason == "the goal is decided"


def test_the_sentence_has_the_numbers_and_the_hit_rate() -> None:
    counted = known(steady(100), since=date(2026, 11, 9))
    text = goal_words("Lance", 10_000, "downloads", IN_4_WEEKS, counted, stands(counted, 10_000))
    assert text == (
        "Lance: 1,400 of 10,000 downloads from 2026-11-09 to 2026-11-22; 2,150 a week are needed until "
        "2026-12-20, and the recent weeks have 700: behind. Forecast for 2026-12-20: 4,200 to 4,200 "
        "downloads, an 80 % interval; 24 of 24 past forecasts were right."
    )

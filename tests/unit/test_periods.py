from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.periods import (
    ONE_DAY,
    Grain,
    Period,
    days_between,
    last_completed,
    last_completed_day,
    last_periods,
    lookback_start,
    midnight,
    period_named,
    period_of,
    today,
)

DAYS = st.dates(date(1990, 1, 1), date(2200, 12, 31))
GRAINS = st.sampled_from(Grain)
SHIFTS = st.integers(-400, 400)
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2200, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis adds the zone
PACIFIC = timezone(timedelta(hours=-8))


@given(DAYS, GRAINS)
def test_a_period_includes_the_day_it_is_made_from(day: date, grain: Grain) -> None:
    period = period_of(day, grain)

    assert period.start <= day <= period.end
    assert period_of(period.start, grain) == period_of(period.end, grain) == period


@given(DAYS, GRAINS)
def test_periods_follow_each_other_without_gap_or_overlap(day: date, grain: Grain) -> None:
    period = period_of(day, grain)

    assert period.shifted(1).start == period.end + ONE_DAY
    assert period.shifted(-1).end == period.start - ONE_DAY


@given(DAYS, GRAINS, SHIFTS, SHIFTS)
def test_shifts_add_up(day: date, grain: Grain, first: int, second: int) -> None:
    period = period_of(day, grain)

    assert period.shifted(first).shifted(second) == period.shifted(first + second)
    assert period.shifted(0) == period


@given(DAYS)
def test_a_week_is_seven_days_from_monday_and_named_by_its_thursday(day: date) -> None:
    week = period_of(day, Grain.WEEK)

    assert (week.days, week.start.weekday()) == (7, 0)
    assert week.label.startswith(f"{(week.start + 3 * ONE_DAY).year}-W")


@given(DAYS, GRAINS)
def test_labels_sort_like_the_calendar(day: date, grain: Grain) -> None:
    period = period_of(day, grain)

    assert period.label < period.shifted(1).label


@given(st.dates(date(1972, 1, 1), date(2198, 12, 31)), GRAINS.filter(lambda grain: grain is not Grain.DAY))
def test_a_period_is_found_again_by_its_label(day: date, grain: Grain) -> None:
    period = period_of(day, grain)

    assert period_named(period.label, grain) == period


@pytest.mark.parametrize(
    ("text", "grain"),
    [
        *[
            (text, Grain.WEEK)
            for text in ("2026-W54", "2025-W53", "2026-11", "1970-W20", "2200-W01", "2026", "x")
        ],
        *[(text, Grain.MONTH) for text in ("2026-13", "2026-00", "0000-01", "2026-11-22", "2026-W11")],
        *[(text, Grain.QUARTER) for text in ("2026-Q5", "2026-Q0", "2026-11")],
    ],
)
def test_no_other_text_names_a_period(text: str, grain: Grain) -> None:
    assert period_named(text, grain) is None


@given(DAYS)
def test_a_quarter_has_three_months(day: date) -> None:
    quarter = period_of(day, Grain.QUARTER)
    months = [period_of(quarter.start, Grain.MONTH).shifted(at) for at in range(3)]

    assert (quarter.start, quarter.end) == (months[0].start, months[-1].end)


@given(DAYS)
def test_a_month_has_all_its_days(day: date) -> None:
    month = period_of(day, Grain.MONTH)

    assert month.start.day == 1
    assert (month.end + ONE_DAY).day == 1
    assert len(list(days_between(month.start, month.end))) == month.days


@given(INSTANTS, GRAINS)
def test_the_last_completed_period_is_over_and_the_next_is_not(now: datetime, grain: Grain) -> None:
    period = last_completed(now, grain)

    assert period.is_over(now)
    assert not period.shifted(1).is_over(now)
    assert period.end < today(now)


@given(INSTANTS, st.integers(1, 200))
def test_a_lookback_covers_whole_completed_weeks(now: datetime, weeks: int) -> None:
    start = lookback_start(now, weeks)

    assert start.weekday() == 0
    assert (last_completed(now, Grain.WEEK).end - start).days + 1 == 7 * weeks


@given(DAYS, GRAINS, st.integers(1, 60))
def test_last_periods_are_consecutive_and_end_with_the_given_one(day: date, grain: Grain, count: int) -> None:
    end = period_of(day, grain)

    periods = last_periods(end, count)

    assert len(periods) == count
    assert periods[-1] == end
    assert all(later == earlier.shifted(1) for earlier, later in pairwise(periods))


@given(DAYS, st.integers(-3, 400))
def test_days_between_includes_both_ends(first: date, extra: int) -> None:
    days = list(days_between(first, first + extra * ONE_DAY))

    assert len(days) == max(0, extra + 1)
    assert days == sorted(set(days))


@pytest.mark.parametrize(
    ("day", "label"),
    [
        (date(2026, 12, 27), "2026-W52"),
        (date(2026, 12, 28), "2026-W53"),
        (date(2027, 1, 1), "2026-W53"),
        (date(2027, 1, 3), "2026-W53"),
        (date(2027, 1, 4), "2027-W01"),
        (date(2024, 12, 30), "2025-W01"),
        (date(2021, 1, 3), "2020-W53"),
        (date(2026, 11, 22), "2026-W47"),
    ],
)
def test_a_week_belongs_to_its_iso_year(day: date, label: str) -> None:
    assert period_of(day, Grain.WEEK).label == label


def test_labels_have_the_usual_forms() -> None:
    day = date(2026, 2, 28)

    assert [period_of(day, grain).label for grain in Grain] == [
        "2026-02-28",
        "2026-W09",
        "2026-02",
        "2026-Q1",
    ]


def test_a_month_shifts_across_the_end_of_a_year() -> None:
    january = period_of(date(2026, 1, 31), Grain.MONTH)

    assert january.shifted(-1) == Period(date(2025, 12, 1), date(2025, 12, 31), Grain.MONTH)
    assert january.shifted(1) == Period(date(2026, 2, 1), date(2026, 2, 28), Grain.MONTH)


def test_a_period_is_over_at_the_midnight_after_its_last_day() -> None:
    week = period_of(date(2026, 11, 22), Grain.WEEK)

    assert week.end_instant == datetime(2026, 11, 23, tzinfo=UTC)
    assert not week.is_over(datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC))
    assert week.is_over(datetime(2026, 11, 23, tzinfo=UTC))


def test_the_day_is_the_utc_day_in_every_time_zone() -> None:
    evening_in_california = datetime(2026, 11, 22, 17, 0, tzinfo=PACIFIC)

    assert today(evening_in_california) == date(2026, 11, 23)
    assert last_completed_day(evening_in_california) == date(2026, 11, 22)
    assert last_completed(evening_in_california, Grain.WEEK).label == "2026-W47"


def test_midnight_is_an_instant_in_utc() -> None:
    assert midnight(date(2026, 11, 23)) == datetime(2026, 11, 23, tzinfo=UTC)

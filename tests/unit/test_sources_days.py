from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.model import IMPLIED_ZERO
from community_metrics.periods import ONE_DAY, days_between
from community_metrics.sources.base import FetchRequest
from community_metrics.sources.days import (
    DailyCounts,
    absent_days,
    counted_days,
    emptied,
    listed,
    low_days,
    observations,
    uncounted_days,
)
from tests.support.clock import NOON

SUNDAY = date(2026, 11, 22)
START = date(2026, 9, 28)
days = st.dates(START, date(2026, 12, 6))
series = st.dictionaries(days, st.integers(0, 1000))


def counts_of(by_day: dict[date, int]) -> DailyCounts:
    return DailyCounts(by_day, "https://registry.example/x", NOON)


def request(since: date | None = None, first_stored_day: date | None = None) -> FetchRequest:
    return FetchRequest("downloads:a:b", "a", {}, since, SUNDAY, first_stored_day)


def steady(value: int = 1000) -> dict[date, int]:
    return dict.fromkeys(days_between(START, SUNDAY), value)


@given(series, st.frozensets(days))
def test_nothing_is_stored_that_was_neither_stated_nor_vouched_for(
    by_day: dict[date, int], vouched: frozenset[date]
) -> None:
    found = observations(request(), counts_of(by_day), implied_zeros=vouched)
    assert {o.period_end for o in found} == {day for day in by_day.keys() | vouched if day <= SUNDAY}
    assert all(o.value == by_day.get(o.period_end, 0) for o in found)


@given(series, st.frozensets(days))
def test_an_implied_zero_is_marked_and_a_stated_value_is_not(
    by_day: dict[date, int], vouched: frozenset[date]
) -> None:
    found = observations(request(), counts_of(by_day), implied_zeros=vouched)
    assert all(o.source_ref.endswith(IMPLIED_ZERO) == (o.period_end not in by_day) for o in found)


@given(series, st.one_of(st.none(), days), st.one_of(st.none(), days))
def test_a_doubtful_day_is_settled_wanted_and_after_the_first_known_one(
    by_day: dict[date, int], since: date | None, stored: date | None
) -> None:
    for day in absent_days(request(since, stored), counts_of(by_day)):
        assert day not in by_day
        assert (since or START) <= day <= NOON.date() - 3 * ONE_DAY
        assert any(known <= day for known in [*by_day, *([stored] if stored else [])])


@given(series, st.one_of(st.none(), days))
def test_asking_for_earlier_days_implies_no_zero_before_the_first_known_download(
    by_day: dict[date, int], stored: date | None
) -> None:
    asked = request(START - timedelta(weeks=12), stored)
    counts = counts_of(by_day)
    known = [*(day for day, value in by_day.items() if value > 0), *([stored] if stored else [])]
    assert all(day >= min(known) for day in absent_days(asked, counts))


def test_a_day_younger_than_three_days_is_never_doubted() -> None:
    assert absent_days(request(), counts_of({date(2026, 11, 17): 5})) == [
        date(2026, 11, 18),
        date(2026, 11, 19),
        date(2026, 11, 20),
    ]


def test_nothing_is_said_about_the_days_of_a_package_never_seen() -> None:
    assert absent_days(request(), counts_of({})) == []


@pytest.mark.parametrize("by_day", [{}, {SUNDAY: 0}, {NOON.date(): 7}])
def test_an_answer_without_downloads_is_an_error_once_days_are_stored(by_day: dict[date, int]) -> None:
    error = emptied(request(first_stored_day=START), counts_of(by_day), "pypistats")
    assert "nothing of it was stored" in str(error)
    assert emptied(request(), counts_of(by_day), "pypistats") is None


def test_an_answer_with_one_day_of_downloads_is_no_error() -> None:
    assert emptied(request(first_stored_day=START), counts_of({SUNDAY: 1}), "pypistats") is None


@pytest.mark.parametrize(("share", "counted"), [(0, False), (29, False), (30, True), (100, True)])
def test_a_sentinel_far_below_its_usual_vouches_for_nothing(share: int, counted: bool) -> None:
    day = date(2026, 11, 18)
    assert (day in counted_days(steady(100) | {day: share})) is counted


def test_a_weekend_is_measured_by_weekends() -> None:
    by_day = {day: 100 if day.isoweekday() < 6 else 20 for day in days_between(START, SUNDAY)}
    assert SUNDAY in counted_days(by_day)


def test_the_oldest_day_of_a_sentinel_vouches_for_nothing() -> None:
    assert set(days_between(START, SUNDAY)) - counted_days(steady()) == {START}


def test_a_sentinel_day_without_neighbours_cannot_be_judged() -> None:
    assert counted_days({SUNDAY - timedelta(days=n): 100 for n in range(7)}) == frozenset()


@pytest.mark.parametrize(("value", "low"), [(0, True), (49, True), (50, False), (900, False)])
def test_a_day_is_low_below_half_of_its_weekday(value: int, low: bool) -> None:
    day = date(2026, 11, 18)
    assert (day in low_days(request(), counts_of(steady(100) | {day: value}))) is low


def test_neither_a_weekend_nor_a_day_without_neighbours_is_low() -> None:
    week = {day: 100 if day.isoweekday() < 6 else 2 for day in days_between(START, SUNDAY)}
    assert low_days(request(), counts_of(week)) == []
    assert low_days(request(), counts_of({SUNDAY: 1, SUNDAY - ONE_DAY: 1000})) == []


@given(series, st.frozensets(days))
def test_no_day_is_both_counted_and_uncounted(sentinel: dict[date, int], asked: frozenset[date]) -> None:
    assert not uncounted_days(sentinel, asked) & counted_days(sentinel)


def test_a_sentinel_that_says_too_little_holds_nothing_back() -> None:
    assert uncounted_days({}, [SUNDAY]) == frozenset()
    assert uncounted_days({SUNDAY: 1, SUNDAY - ONE_DAY: 1000}, [SUNDAY]) == frozenset()


def test_slow_growth_over_a_year_makes_no_day_implausible() -> None:
    by_day = {SUNDAY - n * ONE_DAY: 10_000 - 18 * n for n in range(540)}
    assert len(counted_days(by_day)) == 539


def test_days_are_listed_three_at_most() -> None:
    assert (
        listed(days_between(date(2026, 11, 1), date(2026, 11, 5)))
        == "2026-11-01, 2026-11-02, 2026-11-03 and 2 more"
    )

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.model import ValueMark
from community_metrics.periods import ONE_DAY
from community_metrics.sources.base import FetchRequest
from community_metrics.sources.days import DailyCounts, emptied, observations, possible_zeros
from community_metrics.sources.sentinel import CheckedDays
from tests.support.clock import NOON
from tests.unit.test_sources_replies import reply

SUNDAY = date(2026, 11, 22)
START = date(2026, 9, 28)
days = st.dates(START, date(2026, 12, 6))
STAND_IN = replace(reply(), origin="http://127.0.0.1:9")
series = st.dictionaries(days, st.integers(0, 1000))


def counts_of(by_day: dict[date, int]) -> DailyCounts:
    return DailyCounts(by_day, "https://registry.example/x", NOON)


def request(since: date | None = None, first_stored_day: date | None = None) -> FetchRequest:
    return FetchRequest("downloads:a:b", "a", {}, since, SUNDAY, first_stored_day)


@given(series, st.frozensets(days), st.frozensets(days))
def test_nothing_is_stored_that_was_neither_stated_nor_believed(
    by_day: dict[date, int], zeros: frozenset[date], held_back: frozenset[date]
) -> None:
    found = observations(request(), counts_of(by_day), CheckedDays(zeros=zeros, held_back=held_back))
    positive = {day for day, value in by_day.items() if value > 0} - held_back
    empty = {day for day in zeros if by_day.get(day, 0) == 0}
    assert {o.period_end for o in found} == {day for day in positive | empty if day <= SUNDAY}
    assert all(o.value == by_day.get(o.period_end, 0) for o in found)


@given(series, st.frozensets(days), st.frozensets(days))
def test_an_implied_zero_and_a_low_day_are_marked_and_nothing_else_is(
    by_day: dict[date, int], zeros: frozenset[date], low: frozenset[date]
) -> None:
    for found in observations(request(), counts_of(by_day), CheckedDays(zeros=zeros, low=low - zeros)):
        assert (found.mark is ValueMark.IMPLIED_ZERO) == (found.period_end not in by_day)
        is_low = found.value > 0 and found.period_end in low - zeros
        assert (found.mark is ValueMark.LOW_FOR_EVERYBODY) == is_low


@given(series)
def test_a_series_without_a_sentinel_is_stored_as_stated(by_day: dict[date, int]) -> None:
    found = {o.period_end: o.value for o in observations(request(), counts_of(by_day))}
    assert found == {day: value for day, value in by_day.items() if day <= SUNDAY}


@given(series, st.one_of(st.none(), days), st.one_of(st.none(), days))
def test_an_omitted_day_may_be_0_only_once_it_settled_and_after_the_first_known_one(
    by_day: dict[date, int], since: date | None, stored: date | None
) -> None:
    zeros = possible_zeros(request(since, stored), counts_of(by_day), omits_empty_days=True)
    known = [*(day for day, value in by_day.items() if value > 0), *([stored] if stored else [])]
    for day in zeros - by_day.keys():
        assert (since or START) <= day <= NOON.date() - 3 * ONE_DAY
    for day in zeros:
        assert by_day.get(day, 0) == 0
        assert day >= min(known)


@given(series, st.one_of(st.none(), days))
def test_a_registry_that_states_its_zeros_implies_none(by_day: dict[date, int], stored: date | None) -> None:
    zeros = possible_zeros(request(None, stored), counts_of(by_day), omits_empty_days=False)
    assert zeros <= by_day.keys()


def test_an_omitted_day_younger_than_three_days_is_never_a_zero() -> None:
    found = possible_zeros(request(), counts_of({date(2026, 11, 17): 5}), omits_empty_days=True)
    assert found == {date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)}


def test_a_stated_zero_may_be_true_from_the_first_day_on() -> None:
    counts = counts_of({date(2026, 11, 20): 5, SUNDAY: 0})
    assert possible_zeros(request(), counts, omits_empty_days=False) == {SUNDAY}


@pytest.mark.parametrize("by_day", [{}, {SUNDAY: 0}])
@pytest.mark.parametrize("omits_empty_days", [True, False])
def test_a_response_without_downloads_implies_no_zero(
    by_day: dict[date, int], omits_empty_days: bool
) -> None:
    stored = request(first_stored_day=START)
    assert possible_zeros(stored, counts_of(by_day), omits_empty_days=omits_empty_days) == frozenset()


@pytest.mark.parametrize("by_day", [{}, {SUNDAY: 0}, {NOON.date(): 7}])
def test_an_answer_without_downloads_is_an_error_once_days_are_stored(by_day: dict[date, int]) -> None:
    error = emptied(request(first_stored_day=START), counts_of(by_day), STAND_IN)
    assert "nothing of it was stored" in str(error)
    assert error is not None
    assert error.url == "http://127.0.0.1:9/x"  # not the registry, which was not asked
    assert emptied(request(), counts_of(by_day), STAND_IN) is None


def test_an_answer_with_one_day_of_downloads_is_no_error() -> None:
    assert emptied(request(first_stored_day=START), counts_of({SUNDAY: 1}), STAND_IN) is None

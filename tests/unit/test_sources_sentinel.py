"""What a registry's sentinel decides: tables at the thresholds, and what holds for any series."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.periods import ONE_DAY, days_between
from community_metrics.sources.sentinel import (
    MOST_USUAL_FOR_ZERO,
    Intake,
    Response,
    Sentinel,
    listed,
    plausible_zeros,
    usual_value,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.sources.sentinel import CheckedDays

SUNDAY = date(2026, 11, 22)
WEDNESDAY = date(2026, 11, 18)
START = date(2026, 9, 28)
ALL_DAYS = tuple(days_between(START, SUNDAY))
series = st.dictionaries(st.dates(START, date(2026, 12, 6)), st.integers(0, 1000))


def steady(value: int = 100) -> dict[date, int]:
    return dict.fromkeys(ALL_DAYS, value)


def checked(
    sentinel: Mapping[date, int], stated: Mapping[date, int], zeros: frozenset[date] = frozenset()
) -> CheckedDays:
    async def read() -> Mapping[date, int]:
        return sentinel

    wanted = frozenset(day for day, value in stated.items() if value > 0)
    return asyncio.run(Sentinel("everything", read).check(Response(stated, wanted, zeros, SUNDAY)))


@pytest.mark.parametrize(
    ("share", "judged"),
    [
        (0, "partial"),
        (15, "partial"),
        (29, "partial"),
        (30, "low"),
        (40, "low"),
        (89, "low"),
        (90, "counted"),
        (100, "counted"),
        (500, "counted"),
    ],
)
def test_a_day_is_judged_by_its_share_of_the_usual_value(share: int, judged: str) -> None:
    intake = Intake(steady(100) | {WEDNESDAY: share})
    found = {name: WEDNESDAY in getattr(intake, name)([WEDNESDAY]) for name in ("partial", "low", "counted")}
    assert found == {name: name == judged for name in found}


def test_a_day_that_the_sentinel_omits_was_not_counted() -> None:
    sentinel = steady()
    del sentinel[WEDNESDAY]
    assert Intake(sentinel).partial([WEDNESDAY]) == {WEDNESDAY}


def test_a_weekend_is_measured_by_weekends() -> None:
    week = {day: 100 if day.isoweekday() < 6 else 20 for day in ALL_DAYS}
    assert Intake(week).counted(ALL_DAYS[1:]) == set(ALL_DAYS[1:])


@pytest.mark.parametrize(
    ("sentinel", "day"),
    [
        pytest.param(steady(), START, id="the oldest day"),
        pytest.param(steady(), START - ONE_DAY, id="before the oldest day"),
        pytest.param({SUNDAY - n * ONE_DAY: 100 for n in range(7)}, SUNDAY, id="without neighbours"),
        pytest.param({}, SUNDAY, id="empty"),
    ],
)
def test_a_day_that_cannot_be_judged_is_in_no_class(sentinel: dict[date, int], day: date) -> None:
    intake = Intake(sentinel)
    assert intake.share(day) is None
    assert not intake.counted([day]) | intake.partial([day]) | intake.low([day])


def test_a_registry_that_keeps_its_days_has_its_oldest_day_judged() -> None:
    sentinel = steady() | {START: 10}
    assert Intake(sentinel, keeps_days=True).partial([START]) == {START}
    assert Intake({}, keeps_days=True).unknown([START]) == {START}


@given(series)
def test_every_judged_day_is_in_exactly_one_class(sentinel: dict[date, int]) -> None:
    intake = Intake(sentinel)
    for day in days_between(START, date(2026, 12, 6)):
        classes = [day in judged([day]) for judged in (intake.counted, intake.partial, intake.low)]
        assert sum(classes) == (intake.share(day) is not None)


def test_slow_growth_over_a_year_makes_no_day_low() -> None:
    by_day = {SUNDAY - n * ONE_DAY: 10_000 - 18 * n for n in range(400)}
    assert len(Intake(by_day).counted(by_day)) == 399


def test_the_usual_value_is_the_median_of_eight_same_weekdays() -> None:
    values = {WEDNESDAY + timedelta(weeks=n): 2**n for n in range(10)}
    values |= {WEDNESDAY - timedelta(weeks=n): 2**n for n in range(1, 10)}
    assert usual_value(WEDNESDAY, values) == 6  # of 2, 2, 4, 4, 8, 8, 16, 16
    assert usual_value(WEDNESDAY + ONE_DAY, values) is None


@pytest.mark.parametrize(
    ("usual", "plausible"), [(1, True), (6, True), (MOST_USUAL_FOR_ZERO, True), (11, False), (300_000, False)]
)
def test_a_zero_is_plausible_beside_a_small_usual_value(usual: int, plausible: bool) -> None:
    assert (WEDNESDAY in plausible_zeros({WEDNESDAY}, steady(usual))) is plausible


def test_zeros_of_other_days_are_neighbours_too() -> None:
    wednesdays = frozenset(day for day in ALL_DAYS if day.isoweekday() == 3)
    release = {WEDNESDAY - timedelta(weeks=2): 40}
    assert plausible_zeros(wednesdays - release.keys(), release) == wednesdays - release.keys()


def test_ten_lost_days_of_a_large_package_are_all_implausible() -> None:
    lost = frozenset(days_between(date(2026, 11, 1), date(2026, 11, 10)))
    stated = {day: value for day, value in steady(300_000).items() if day not in lost}
    assert plausible_zeros(lost, stated) == frozenset()


@pytest.mark.parametrize(("value", "plausible"), [(3, True), (40_000, False)])
def test_with_few_weekdays_the_days_around_a_zero_decide(value: int, plausible: bool) -> None:
    new = dict.fromkeys(days_between(date(2026, 11, 13), SUNDAY), value)
    del new[WEDNESDAY]
    assert (WEDNESDAY in plausible_zeros({WEDNESDAY}, new)) is plausible


def test_two_lost_days_a_week_apart_do_not_confirm_each_other() -> None:
    lost = {WEDNESDAY, WEDNESDAY - timedelta(weeks=1)}
    new = {day: 40_000 for day in days_between(date(2026, 11, 9), SUNDAY) if day not in lost}
    assert plausible_zeros(lost, new) == frozenset()


def test_a_zero_without_any_neighbour_is_not_plausible() -> None:
    assert plausible_zeros({WEDNESDAY}, {}) == frozenset()


def test_a_launch_on_a_partial_day_is_held_back() -> None:
    found = checked(steady() | {WEDNESDAY: 15}, {WEDNESDAY: 6_074})
    assert found.held_back == {WEDNESDAY}
    assert found.notes == ("2026-11-18 not published yet, or only in part",)


@pytest.mark.parametrize("share", [40, 89])
def test_on_a_day_that_is_low_for_everybody_values_are_marked_and_zeros_not_believed(share: int) -> None:
    sentinel = steady() | {WEDNESDAY: share}
    assert checked(sentinel, steady(3)).low == {WEDNESDAY}
    found = checked(sentinel, steady(3) | {WEDNESDAY: 0}, frozenset({WEDNESDAY}))
    assert (found.zeros, found.low) == (frozenset(), frozenset())
    assert found.notes == ("2026-11-18 not published yet, or only in part",)


def test_a_zero_between_large_days_is_left_open_with_a_note() -> None:
    found = checked(steady(), steady(300_000) | {WEDNESDAY: 0}, frozenset({WEDNESDAY}))
    assert found.zeros == frozenset()
    assert found.notes == ("2026-11-18 left open: 0 is not plausible beside the days around it",)


def test_a_low_day_is_noted_for_two_weeks_and_marked_for_ever() -> None:
    old, recent = SUNDAY - timedelta(days=14), SUNDAY - timedelta(days=13)
    found = checked(steady() | {old: 50, recent: 50}, steady())
    assert found.low == {old, recent}
    assert found.notes == (f"{recent} low for everybody: the registry counted less than 90 % of a usual day",)


@given(series, series)
def test_nothing_is_believed_on_a_day_that_was_not_counted(
    sentinel: dict[date, int], stated: dict[date, int]
) -> None:
    zeros = frozenset(day for day, value in stated.items() if value == 0)
    found = checked(sentinel, stated, zeros)
    assert found.zeros <= Intake(sentinel).counted(zeros)
    assert not found.held_back & found.zeros
    assert all(stated[day] > 0 for day in found.held_back | found.low)


def test_days_are_listed_three_at_most() -> None:
    assert (
        listed(days_between(date(2026, 11, 1), date(2026, 11, 5)))
        == "2026-11-01, 2026-11-02, 2026-11-03 and 2 more"
    )

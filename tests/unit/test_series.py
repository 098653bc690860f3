from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.model import Provenance, SourceWindow, StatRow, Status, ValueKind
from community_metrics.periods import ONE_DAY, Grain, Period, days_between, period_of
from community_metrics.series import points as rules
from community_metrics.series.change import (
    YEAR,
    Change,
    change_of_trailing,
    change_since,
    latest_complete,
    share,
)
from community_metrics.series.grid import Point
from community_metrics.series.summary import summarize
from tests.support.clock import NOON
from tests.support.readings import metric, points, readings_of
from tests.support.rows import SAMPLED, WIDE, dailies, daily, level, week_named, wide

if TYPE_CHECKING:
    from collections.abc import Sequence

W46, W47, W48 = (week_named(f"2026-W{week}") for week in (46, 47, 48))
NOVEMBER = period_of(date(2026, 11, 1), Grain.MONTH)
OCTOBER = NOVEMBER.shifted(-1)
LATER = datetime(2027, 6, 1, tzinfo=UTC)
MONTH_READING = wide(date(2026, 10, 24), date(2026, 11, 22), 3000)


def flow(
    rows: Sequence[StatRow], period: Period, *, fallbacks: Sequence[StatRow] = (), now: datetime = NOON
) -> Point:
    return points(rows, [period], window=SourceWindow.DAY, now=now, fallbacks=fallbacks)[0]


def level_point(
    rows: Sequence[StatRow], period: Period, *, fallbacks: Sequence[StatRow] = (), now: datetime = NOON
) -> Point:
    return points(rows, [period], window=SourceWindow.INSTANT, now=now, fallbacks=fallbacks)[0]


def whole(period: Period, value: int = 10) -> list[StatRow]:
    return dailies(dict.fromkeys(days_between(period.start, period.end), value))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


class TestFlow:
    def test_a_week_is_the_sum_of_its_days(self) -> None:
        point = flow(whole(W47), W47)
        assert (point.value, point.days_present, point.days_expected, point.complete) == (70, 7, 7, True)

    def test_a_missing_day_stays_missing(self) -> None:
        point = flow(whole(W47)[:6], W47)
        assert (point.value, point.days_present, point.complete) == (60, 6, False)

    def test_a_week_without_a_single_day_has_no_value(self) -> None:
        assert flow(whole(W46), W47) == Point(W47, days_expected=7)

    def test_a_day_that_is_stored_twice_counts_once_as_last_read(self) -> None:
        newer = daily(W47.end, 15, observed_at=NOON + timedelta(days=1))
        point = flow([newer, *whole(W47)], W47)
        assert (point.value, point.days_present, point.complete, point.duplicated) == (75, 7, True, True)

    def test_a_week_without_copies_is_not_marked(self) -> None:
        rows = [*whole(W46), *whole(W47), daily(W47.end, 15)]
        assert not flow(rows, W46).duplicated

    def test_a_real_zero_is_a_value(self) -> None:
        assert flow(whole(W47, 0), W47).value == 0

    def test_the_running_week_is_never_complete(self) -> None:
        assert not flow(whole(W48), W48, now=W48.end_instant - timedelta(seconds=1)).complete
        assert flow(whole(W48), W48, now=W48.end_instant).complete

    def test_one_provisional_day_makes_the_week_provisional(self) -> None:
        rows = [*whole(W47)[:6], daily(W47.end, 1, status=Status.PROVISIONAL)]
        assert flow(rows, W47).status is Status.PROVISIONAL

    def test_a_week_has_the_lowest_provenance_of_its_days(self) -> None:
        rows = [*whole(W47)[:6], daily(W47.end, 1, provenance=Provenance.CSV_SEED)]
        assert flow(rows, W47).provenance is Provenance.CSV_SEED

    def test_one_restated_day_marks_the_week_restated(self) -> None:
        rows = [*whole(W47)[:6], daily(W47.end, 1, revision=2)]
        assert flow(rows, W47).restated
        assert not flow(whole(W47), W47).restated

    def test_a_point_was_observed_when_its_newest_row_was(self) -> None:
        assert flow(whole(W47), W47).observed_at == at(23, 12)

    def test_a_month_sums_its_own_days_only(self) -> None:
        rows = whole(OCTOBER) + whole(NOVEMBER, 1)
        assert (flow(rows, OCTOBER).value, flow(rows, OCTOBER).days_expected) == (310, 31)

    def test_week_53_is_a_week_like_any_other(self) -> None:
        w53 = week_named("2026-W53")
        point = flow(whole(w53), w53, now=LATER)
        assert (point.period.label, point.value, point.period.end) == ("2026-W53", 70, date(2027, 1, 3))


class TestFallback:
    def test_a_reading_of_the_whole_week_estimates_it_by_its_daily_mean(self) -> None:
        point = flow([], W47, fallbacks=[wide(date(2026, 10, 24), date(2026, 11, 22), 3000)])
        assert (point.value, point.estimated, point.fallback_id) == (700, True, WIDE)
        assert (point.days_present, point.complete) == (0, False)

    @pytest.mark.parametrize(("start", "end"), [(17, 30), (1, 21)])
    def test_a_reading_of_a_part_of_the_week_does_not(self, start: int, end: int) -> None:
        reading = wide(date(2026, 11, start), date(2026, 11, end), 3000)
        assert flow([], W47, fallbacks=[reading], now=LATER).value is None

    def test_one_own_day_beats_any_fallback(self) -> None:
        point = flow(whole(W47)[:1], W47, fallbacks=[wide(OCTOBER.start, W47.end, 9000)])
        assert (point.value, point.estimated, point.fallback_id) == (10, False, None)

    def test_the_shortest_window_wins_then_the_later_one(self) -> None:
        long = wide(date(2026, 10, 1), date(2026, 11, 30), 61_000, metric_id="m:x:month")
        early = wide(date(2026, 10, 24), date(2026, 11, 22), 3_000)
        late = wide(date(2026, 10, 25), date(2026, 11, 23), 6_000)
        assert flow([], W47, fallbacks=[long, early, late], now=LATER).value == 1400
        assert flow([], W47, fallbacks=[long, early], now=LATER).value == 700

    def test_the_catalogue_order_decides_between_equal_readings(self) -> None:
        first, second = (wide(W46.start, W47.end, 14, metric_id=name) for name in ("a:b:c", "d:e:f"))
        assert flow([], W47, fallbacks=[first, second]).fallback_id == "a:b:c"

    @pytest.mark.parametrize(("value", "estimate"), [(1, 0), (3, 2), (5, 2), (7, 4)])
    def test_halves_are_rounded_to_even(self, value: int, estimate: int) -> None:
        fortnight = wide(W46.start, W47.end, value)
        assert flow([], W47, fallbacks=[fortnight]).value == estimate

    def test_a_day_is_never_estimated(self) -> None:
        day = period_of(W47.start, Grain.DAY)
        assert flow([], day, fallbacks=[wide(W46.start, W47.end, 14)]).value is None

    def test_a_month_is_estimated_in_the_same_way(self) -> None:
        reading = wide(OCTOBER.start, OCTOBER.end, 3100, source_window=SourceWindow.MONTH)
        point = flow([], OCTOBER, fallbacks=[reading])
        assert (point.value, point.estimated, point.complete) == (3100, True, False)


class TestWideWindow:
    def test_a_month_reading_is_the_value_of_its_month(self) -> None:
        reading = wide(OCTOBER.start, OCTOBER.end, 3100, source_window=SourceWindow.MONTH)
        (point,) = points([reading], [OCTOBER], window=SourceWindow.MONTH, now=NOON)
        assert (point.value, point.complete, point.estimated) == (3100, True, False)

    def test_a_week_of_the_sources_own_is_an_estimate_of_the_week_in_which_it_ends(self) -> None:
        own_weeks = [
            wide(week.start - ONE_DAY, week.end - ONE_DAY, value, source_window=SourceWindow.WEEK)
            for week, value in ((W46, 700), (W47, 770))
        ]
        found = points(own_weeks, [W46, W47, W48], window=SourceWindow.WEEK, kind=ValueKind.FLOW, now=NOON)
        assert [(point.value, point.complete, point.estimated) for point in found] == [
            (700, False, True),
            (770, False, True),
            (None, False, False),
        ]
        assert summarize(found, ValueKind.FLOW, None).change is None

    def test_a_week_of_the_sources_own_is_not_split_into_days_or_added_up_to_months(self) -> None:
        own_weeks = [
            wide(week.start - ONE_DAY, week.end - ONE_DAY, 700, source_window=SourceWindow.WEEK)
            for week in (W46, W47)
        ]
        for period in (period_of(W47.start, Grain.DAY), NOVEMBER):
            (point,) = points(own_weeks, [period], window=SourceWindow.WEEK, kind=ValueKind.FLOW, now=LATER)
            assert point.value is None

    def test_readings_that_overlap_are_not_added_up(self) -> None:
        readings = [wide(date(2026, 9, day), date(2026, 10, day - 1), 3000) for day in range(2, 20)]
        (point,) = points(readings, [OCTOBER], window=SourceWindow.WEEK, kind=ValueKind.FLOW, now=NOON)
        assert point.value is None

    def test_a_week_inside_a_wide_reading_is_only_an_estimate(self) -> None:
        reading = wide(date(2026, 11, 1), date(2026, 11, 30), 3000, source_window=SourceWindow.MONTH)
        (point,) = points([reading], [W47], window=SourceWindow.MONTH, now=NOON)
        assert (point.value, point.estimated, point.fallback_id, point.complete) == (700, True, WIDE, False)


class TestLevel:
    def test_the_latest_reading_of_the_week_counts_and_may_be_lower(self) -> None:
        point = level_point([level(at(22, 18), 120), level(at(22, 15), 125)], W47)
        assert (point.value, point.complete, point.observed_at) == (120, True, at(22, 18))

    @pytest.mark.parametrize(
        ("day", "hour", "minute", "complete"),
        [(22, 11, 59, False), (22, 12, 0, True), (23, 0, 0, True), (23, 12, 0, True)],
    )
    def test_a_week_is_complete_if_its_level_was_read_within_12_h_of_its_end(
        self, day: int, hour: int, minute: int, *, complete: bool
    ) -> None:
        instant = at(day, hour, minute)
        point = level_point([level(instant, 9)], W47, now=LATER)
        assert (point.value, point.complete, point.observed_at) == (9, complete, instant)

    @pytest.mark.parametrize(("hour", "minute", "week"), [(12, 0, W47), (12, 1, W48)])
    def test_one_reading_is_never_two_weeks(self, hour: int, minute: int, week: Period) -> None:
        rows = [level(at(23, hour, minute), 9)]
        known = [each for each in (W46, W47, W48) if level_point(rows, each, now=LATER).value is not None]
        assert known == [week]

    def test_one_reading_is_no_change_between_two_weeks(self) -> None:
        series = points([level(at(23, 6), 9)], [W47, W48], window=SourceWindow.INSTANT, now=LATER)
        assert series.complete_values() == [9, None]

    def test_the_instant_decides_and_not_the_day_of_the_row(self) -> None:
        misfiled = wide(W47.start, W47.start, 5, source_window=SourceWindow.INSTANT, observed_at=at(25, 6))
        assert level_point([misfiled], W47, now=LATER).value is None

    def test_a_reading_before_the_week_is_not_carried_forward(self) -> None:
        assert level_point([level(at(15, 23, 59), 9)], W47).value is None

    @pytest.mark.parametrize(("instant", "day"), [(at(22, 12), 21), (at(22, 13), 22), (at(23, 0), 22)])
    def test_one_reading_is_never_two_days(self, instant: datetime, day: int) -> None:
        days = [period_of(date(2026, 11, number), Grain.DAY) for number in (20, 21, 22, 23)]
        series = points([level(instant, 9)], days, window=SourceWindow.INSTANT, now=LATER)
        assert [point.period.start.day for point in series if point.complete] == [day]

    def test_a_sample_of_the_week_is_an_estimate(self) -> None:
        samples = [level(at(17, 0), 90, metric_id=SAMPLED), level(at(19, 0), 99, metric_id=SAMPLED)]
        point = level_point([], W47, fallbacks=samples)
        assert (point.value, point.estimated, point.fallback_id, point.complete) == (99, True, SAMPLED, False)

    @pytest.mark.parametrize("day", [15, 23])
    def test_a_sample_of_another_week_does_not(self, day: int) -> None:
        sample = level(at(day, 0), 90, metric_id=SAMPLED)
        assert level_point([], W47, fallbacks=[sample], now=LATER).value is None

    def test_the_running_week_shows_its_level_but_is_not_complete(self) -> None:
        point = level_point([level(at(24, 6), 9)], W48)
        assert (point.value, point.complete) == (9, False)


class TestChange:
    def test_change_is_against_the_period_before(self) -> None:
        assert change_since([100, 95], 1, 1) == Change(absolute=-5, fraction=-0.05)

    @pytest.mark.parametrize(
        "values",
        [[None, 95], [100, None], [0, 95], [100, None, 95], [95]],
        ids=["base incomplete", "incomplete", "base is 0", "a week between", "no base"],
    )
    def test_there_is_no_change_without_two_complete_periods_and_a_base(
        self, values: list[int | None]
    ) -> None:
        assert change_since(values, len(values) - 1, 1) is None

    def test_only_complete_own_values_enter_a_change(self) -> None:
        series = points(whole(W46)[:6], [W46, W47], window=SourceWindow.DAY, now=NOON)
        estimated = points([], [W47], window=SourceWindow.DAY, now=NOON, fallbacks=[MONTH_READING])
        assert (series[0].value, series.complete_values()) == (60, [None, None])
        assert (estimated[0].value, estimated.complete_values()) == (700, [None])

    def test_four_weeks_are_compared_with_the_four_before(self) -> None:
        change = change_of_trailing([1] * 4 + [3] * 4, 7, [7] * 8)
        assert change == Change(absolute=8, fraction=2.0)

    @pytest.mark.parametrize("values", [[1] * 7, [None, *[1] * 7], [*[1] * 7, None]])
    def test_one_week_missing_of_eight_leaves_no_four_week_change(self, values: list[int | None]) -> None:
        assert change_of_trailing(values, len(values) - 1, [7] * len(values)) is None

    def test_months_are_compared_by_their_daily_mean(self) -> None:
        days = [31, 28, 31, 30, 31, 30, 31, 31]
        values = [1_000 * count for count in days]
        assert change_since(values, 1, 1, days) == Change(0, 0.0)
        assert change_of_trailing(values, 7, days) == Change(0, 0.0)
        assert change_since([31_000, 42_000], 1, 1, [31, 28]) == Change(14_000, 0.5)

    def test_levels_are_compared_and_not_added_up(self) -> None:
        change = change_of_trailing(list(range(100, 105)), 4)
        assert change == Change(absolute=4, fraction=0.04)

    @pytest.mark.parametrize(
        ("week", "earlier"),
        [
            ("2026-W47", "2025-W47"),
            ("2026-W53", "2026-W01"),
            ("2027-W10", "2026-W11"),
            ("2028-W01", "2027-W01"),
        ],
    )
    def test_a_year_earlier_is_52_weeks_back(self, week: str, earlier: str) -> None:
        assert week_named(week).shifted(-YEAR[Grain.WEEK]).label == earlier

    def test_a_year_earlier_is_the_same_month_and_the_same_weekday(self) -> None:
        day = period_of(date(2026, 11, 22), Grain.DAY)
        assert OCTOBER.shifted(-YEAR[Grain.MONTH]).label == "2025-10"
        assert day.shifted(-YEAR[Grain.DAY]).start == date(2025, 11, 23)

    def test_the_latest_complete_value_skips_incomplete_ones(self) -> None:
        assert latest_complete([1, 2, None]) == 1
        assert latest_complete([None, None]) is None
        assert latest_complete([]) is None


class TestShare:
    def test_a_share_is_a_part_of_the_whole_product(self) -> None:
        assert share(25, 100) == 0.25

    @pytest.mark.parametrize(("own", "total"), [(None, 100), (25, None), (0, 0)])
    def test_there_is_no_share_without_the_value_and_a_sum_above_zero(
        self, own: int | None, total: int | None
    ) -> None:
        assert share(own, total) is None

    def test_there_is_no_sum_while_one_part_is_not_complete(self) -> None:
        parts = [metric("d:a:x", SourceWindow.DAY), metric("d:b:x", SourceWindow.DAY)]
        rows = [replace(row, metric_id="d:a:x") for row in [*whole(W46), *whole(W47)]]
        rows += [replace(row, metric_id="d:b:x") for row in [*whole(W46), *whole(W47)[1:]]]
        grid = rules.points(parts, readings_of(rows), [W46, W47], NOON)
        assert grid.complete_totals([0, 1]) == [140, None]
        assert grid.complete_totals([]) == [None, None]

"""What enters a total, a change and a point at the edges of their rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from community_metrics.model import LevelBreak, Provenance, SourceWindow, Status, ValueKind
from community_metrics.periods import Grain, days_between, last_periods, period_of
from community_metrics.series import points as rules
from community_metrics.series.change import Change, change_of_trailing, change_since
from community_metrics.series.grid import Point
from community_metrics.series.summary import summarize
from community_metrics.series.totals import FlowTotal, flow_total, level_total
from tests.support.clock import NOON
from tests.support.readings import metric, points, readings_of
from tests.support.rows import METRIC, SAMPLED, STARS, WIDE, dailies, daily, level, week_named, wide

W46, W47 = week_named("2026-W46"), week_named("2026-W47")
SUNDAY = date(2026, 11, 22)
RUST = "downloads:lance:rust"


def days(count: int, value: int = 1) -> dict[date, int]:
    return dict.fromkeys(days_between(SUNDAY - timedelta(days=count - 1), SUNDAY), value)


# changes


@pytest.mark.parametrize(("grain", "back"), [(Grain.DAY, 364), (Grain.WEEK, 52), (Grain.MONTH, 12)])
def test_a_year_on_year_change_is_from_the_same_weekday_week_or_month(grain: Grain, back: int) -> None:
    periods = last_periods(period_of(date(2026, 10, 31), grain), back + 2)
    own = {day: 0 for period in periods for day in days_between(period.start, period.end)}
    own |= {periods[0].start: 3, periods[1].start: 40, periods[2].start: 5, periods[-1].start: 50}
    series = points(dailies(own), periods, window=SourceWindow.DAY, now=NOON)
    assert summarize(series, ValueKind.FLOW, None).year_on_year == Change(absolute=10, fraction=0.25)


def test_a_trailing_change_is_of_the_last_eight_periods_alone() -> None:
    values = [100, 200, *[1] * 4, *[3] * 4, 700]
    assert change_of_trailing(values, 9, [7] * 11) == Change(absolute=8, fraction=2.0)
    assert change_of_trailing(values[2:], 7, [7] * 9) == Change(absolute=8, fraction=2.0)


@pytest.mark.parametrize(
    ("kind", "change"),
    [(ValueKind.FLOW, Change(absolute=8, fraction=2.0)), (ValueKind.LEVEL, Change(absolute=2, fraction=2.0))],
)
def test_a_summary_has_the_trailing_change_of_its_kind(kind: ValueKind, change: Change) -> None:
    periods = last_periods(W47, 8)
    own = {day: 0 for period in periods for day in days_between(period.start, period.end)}
    own |= {period.start: 1 if at < 4 else 3 for at, period in enumerate(periods)}
    series = points(dailies(own), periods, window=SourceWindow.DAY, now=NOON)
    assert summarize(series, kind, None).trailing == change


@pytest.mark.parametrize("day", [W47.start, W47.end])
def test_a_sample_of_the_first_or_the_last_day_is_of_the_week(day: date) -> None:
    sample = level(datetime(day.year, day.month, day.day, tzinfo=UTC), 90, metric_id=SAMPLED)
    (point,) = points([], [W47], window=SourceWindow.INSTANT, now=NOON, fallbacks=[sample])
    assert (point.value, point.estimated) == (90, True)


def test_a_trailing_change_may_compare_other_numbers_of_periods() -> None:
    assert change_of_trailing([9, 1, 2, 3, 4], 4, [7] * 5, 2) == Change(absolute=4, fraction=4 / 3)
    assert change_of_trailing([9, 1, 2, 3, 4], 4, None, 2) == Change(absolute=2, fraction=1.0)


def test_a_change_to_zero_is_a_change_and_one_of_the_first_period_is_none() -> None:
    assert change_since([4, 0], 1, 1) == Change(absolute=-4, fraction=-1.0)
    assert change_since([4, 0], 0, 1) is None


# totals


def test_a_total_has_neither_a_fallback_nor_a_wide_reading() -> None:
    rows = [*dailies(days(30)), wide(date(2026, 10, 24), SUNDAY, 3000), level(NOON, 900, metric_id=SAMPLED)]
    total = flow_total(readings_of(rows), [METRIC], date(2025, 11, 23))
    assert (total.value, total.days_present, total.metric_ids) == (30, 30, (METRIC,))


def test_a_total_of_levels_has_no_sample_of_a_fallback() -> None:
    rows = readings_of([level(NOON, 7), level(NOON, 900, metric_id=SAMPLED)]).newest()
    assert level_total(rows, [metric(STARS, SourceWindow.INSTANT)]).value == 7
    assert level_total(rows, [metric("stars:other:github", SourceWindow.INSTANT)]).value is None


def test_a_sum_of_periods_has_no_estimate() -> None:
    own, other = metric(METRIC, SourceWindow.DAY), metric(RUST, SourceWindow.DAY, [WIDE])
    rows = [*dailies(days(14)), wide(date(2026, 10, 24), SUNDAY, 3000)]
    grid = rules.points([own, other], readings_of(rows), [W46, W47], NOON)
    assert grid.point(1, 1).estimated
    assert grid.complete_totals([0, 1]) == [None, None]
    assert grid.complete_totals([0]) == [7, 7]


def test_a_total_has_its_interval_and_its_days() -> None:
    rows = [*dailies(days(40)), *dailies(days(40, 10), metric_id=RUST)]
    found = flow_total(readings_of(rows), [METRIC, RUST], date(2025, 11, 23), length=7)
    assert found == FlowTotal(
        metric_ids=(METRIC, RUST),
        value=77,
        period_start=date(2026, 11, 16),
        period_end=SUNDAY,
        days_present=7,
        days_expected=7,
    )
    assert flow_total(readings_of(rows), [METRIC, RUST], date(2027, 1, 1), length=7) == FlowTotal(
        metric_ids=(METRIC, RUST), days_expected=7, waits_for=(METRIC, RUST)
    )


def test_a_total_waits_only_for_the_metric_without_a_day() -> None:
    found = flow_total(readings_of(dailies(days(5)), [METRIC, RUST]), [METRIC, RUST], date(2025, 11, 23))
    assert found == FlowTotal(metric_ids=(METRIC, RUST), days_expected=30, waits_for=(RUST,))


# points


def test_a_wide_reading_is_every_period_that_it_covers_exactly_and_no_other() -> None:
    readings = [
        wide(date(2026, 9, 1), date(2026, 9, 30), 300, source_window=SourceWindow.MONTH, revision=1),
        wide(date(2026, 10, 1), date(2026, 10, 31), 310, source_window=SourceWindow.MONTH),
        wide(date(2026, 11, 1), date(2026, 11, 30), 320, source_window=SourceWindow.MONTH),
    ]
    months = last_periods(period_of(date(2026, 11, 1), Grain.MONTH), 3)
    series = points(readings, months[:2], window=SourceWindow.MONTH, now=NOON)
    assert [(one.value, one.days_present, one.complete, one.restated) for one in series] == [
        (300, 30, True, True),
        (310, 31, True, False),
    ]
    (_, _, running) = points(readings, months, window=SourceWindow.MONTH, now=NOON)
    assert (running.value, running.complete) == (320, False)


def test_a_point_outside_the_periods_is_in_none_of_them() -> None:
    rows = dailies(
        {W46.start - timedelta(days=1): 5, W46.end: 7, W47.end: 9, W47.end + timedelta(days=1): 11}
    )
    series = points(rows, [W46, W47], window=SourceWindow.DAY, now=NOON)
    assert [(one.value, one.days_present) for one in series] == [(7, 1), (9, 1)]
    (only,) = points(rows, [W46], window=SourceWindow.DAY, now=NOON)
    assert (only.value, only.days_present) == (7, 1)


def test_an_estimate_has_the_facts_of_its_reading() -> None:
    reading = wide(
        date(2026, 10, 24),
        SUNDAY,
        3000,
        status=Status.PROVISIONAL,
        provenance=Provenance.CSV_SEED,
        revision=1,
    )
    (point,) = points([], [W47], window=SourceWindow.DAY, now=NOON, fallbacks=[reading])
    assert point == Point(
        W47,
        value=700,
        days_expected=7,
        estimated=True,
        fallback_id=WIDE,
        provenance=Provenance.CSV_SEED,
        status=Status.PROVISIONAL,
        restated=True,
        observed_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    )


def test_the_running_week_is_never_estimated() -> None:
    week = W47.shifted(1)
    reading = wide(date(2026, 11, 1), date(2026, 11, 30), 3000)
    (point,) = points([], [week], window=SourceWindow.DAY, now=NOON, fallbacks=[reading])
    assert point == Point(week, days_expected=7)


def test_a_level_is_estimated_by_a_sample_and_a_flow_by_a_wide_reading_only() -> None:
    sample, reading = level(NOON - timedelta(days=3), 90, metric_id=SAMPLED), wide(W46.start, SUNDAY, 140)
    others = [sample, reading]
    (flow,) = points([], [W47], window=SourceWindow.DAY, now=NOON, fallbacks=others)
    (stars,) = points([], [W47], window=SourceWindow.INSTANT, now=NOON, fallbacks=others)
    assert (flow.value, flow.fallback_id) == (70, WIDE)
    assert (stars.value, stars.fallback_id) == (90, SAMPLED)


def test_a_series_is_a_sequence_of_the_points_of_its_periods() -> None:
    rows = [*dailies(days(14, 2)), replace(daily(SUNDAY, 2), revision=1, revised_at=NOON, value=5)]
    series = points(rows, [W46, W47], window=SourceWindow.DAY, now=NOON)
    assert len(series) == 2
    assert list(series) == [series[0], series[1]] == [series[-2], series[-1]]
    assert (series[1:].periods, len(series[1:]), series[1:][0]) == ((W47,), 1, series[1])
    assert (series[:1].periods, series[:1].complete_values()) == ((W46,), [14])
    assert series[1:][-1].duplicated
    assert series.columns()["restated"] == [False, series[1].restated]


@pytest.mark.parametrize(
    ("back", "change", "trailing", "year"),
    [
        (0, False, False, False),
        (12, False, False, False),
        (13, True, False, False),
        (54, True, False, False),
        (55, True, True, False),
        (369, True, True, False),
        (370, True, True, True),
    ],
)
def test_no_change_is_computed_across_a_change_of_counting(
    back: int, *, change: bool, trailing: bool, year: bool
) -> None:
    periods = last_periods(W47, 53)
    known = {day: 1 for one in periods for day in days_between(one.start, one.end)}
    series = points(dailies(known), periods, window=SourceWindow.DAY, now=NOON)
    broken = LevelBreak(W47.end - timedelta(days=back), "another way")
    summary = summarize(series, ValueKind.FLOW, None, breaks=[broken])
    kept = tuple(one is not None for one in (summary.change, summary.trailing, summary.year_on_year))
    assert kept == (change, trailing, year)
    assert summary.level_break == (None if all(kept) else broken)

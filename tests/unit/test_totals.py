"""What a total covers, and what it states when it has no value."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from community_metrics.model import SourceWindow
from community_metrics.periods import days_between
from community_metrics.series.totals import (
    TOTAL_DAYS,
    FlowTotal,
    LeftOut,
    LevelTotal,
    flow_total,
    left_out,
    level_total,
    newest_days,
)
from tests.support.readings import metric, readings_of
from tests.support.rows import dailies

A, B, C = "downloads:lance:python", "downloads:lance:rust", "downloads:lance:node"
SUNDAY, LONG_AGO = date(2026, 11, 22), date(2025, 11, 23)
GONE = LeftOut(C, None)


def days(count: int, until: date = SUNDAY) -> dict[date, int]:
    return dict.fromkeys(days_between(until - timedelta(days=count - 1), until), 1)


def test_a_total_of_nothing_is_no_value_and_not_0() -> None:
    stars = [metric("stars:lance:github", SourceWindow.INSTANT)]
    assert level_total(readings_of([]), stars) == LevelTotal(None, (), ("stars:lance:github",))
    assert flow_total(readings_of([], [A, B]), [A, B], LONG_AGO).value is None


@pytest.mark.parametrize("length", [TOTAL_DAYS, 7])
def test_a_total_without_a_common_day_names_its_metrics_its_length_and_who_left(length: int) -> None:
    readings = readings_of([*dailies(days(3)), *dailies(days(3, SUNDAY - timedelta(days=9)), metric_id=B)])
    total = flow_total(readings, [A, B, C], LONG_AGO, length, left_out=[GONE])
    assert total == FlowTotal((A, B), days_expected=length, waits_for=(A, B), left_out=(GONE,))


def test_a_total_of_another_length_states_it() -> None:
    total = flow_total(readings_of(dailies(days(40))), [A], LONG_AGO, 7)
    assert (total.value, total.days_present, total.days_expected) == (7, 7, 7)
    assert (total.period_start, total.period_end) == (date(2026, 11, 16), SUNDAY)


def test_a_metric_that_left_keeps_its_newest_day() -> None:
    metrics = [metric(A, SourceWindow.DAY), replace(metric(B, SourceWindow.DAY), source="crates")]
    old = SUNDAY - timedelta(days=15)
    assert left_out(metrics, {A: SUNDAY, B: old}, {}) == (LeftOut(B, old),)


@pytest.mark.parametrize(("since", "known"), [(SUNDAY, True), (SUNDAY + timedelta(days=1), False)])
def test_the_newest_day_of_a_metric_counts_from_a_day_on(since: date, known: bool) -> None:
    readings = readings_of([*dailies(days(5)), *dailies(days(2, date(2026, 11, 1)), metric_id=B)], [C])
    assert newest_days(readings, [A, B, C], since) == ({A: SUNDAY} if known else {})
    assert newest_days(readings, [A, B, C], LONG_AGO) == {A: SUNDAY, B: date(2026, 11, 1)}

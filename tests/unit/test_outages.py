"""Which days of a registry's total are outages, by the printed rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from statistics import median
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from community_metrics.model import OutageKind
from community_metrics.periods import midnight
from community_metrics.series.outages import outages_of
from community_metrics.sources.crates_counting import CARGO_ONLY
from tests.support.insights import days_before, flow, noisy
from tests.support.rows import daily

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.model import StatRow
    from community_metrics.series.outages import Outage

PYPI = flow("registry:pypi:all", metric_family="registry", product="pypi")
END = date(2024, 12, 15)
LATER = midnight(END) + timedelta(days=10)


def read_at(values: dict[date, int], at: datetime = LATER) -> list[StatRow]:
    return [daily(day, value, metric_id=PYPI.metric_id, observed_at=at) for day, value in values.items()]


def usual(count: int = 120) -> dict[date, int]:
    return noisy(END, count, mean=1.5e9, noise=0.015)


def found(rows: list[StatRow], retention_days: int | None = 181) -> set[tuple[date, OutageKind]]:
    return {(one.day, one.kind) for one in outages_of(PYPI, rows, retention_days)}


def the_only(rows: list[StatRow]) -> Outage:
    (outage,) = outages_of(PYPI, rows, 181)
    return outage


def test_a_steady_registry_has_no_outage() -> None:
    assert found(read_at(usual())) == set()


def test_the_partial_day_of_pypi_is_the_only_outage() -> None:
    values, day = usual(), date(2024, 10, 26)
    values[day] = values[day] // 5
    outage = the_only(read_at(values))
    assert (outage.day, outage.kind, outage.value, outage.seen_at) == (
        day,
        OutageKind.PARTIAL,
        values[day],
        LATER,
    )
    assert outage.usual is not None
    assert outage.share is not None
    assert 0.18 < outage.share < 0.22
    assert outage.sentence.startswith("pypi counted 2024-10-26 only in part: ")


def test_a_day_of_two_thirds_is_low() -> None:
    values, day = usual(), END - timedelta(days=20)
    values[day] = values[day] * 2 // 3
    assert found(read_at(values)) == {(day, OutageKind.LOW)}


def test_a_day_is_not_compared_with_days_across_a_change_of_counting() -> None:
    total = flow("registry:crates:all", "crates-archive", metric_family="registry", product="crates")
    end, change = date(2025, 11, 30), CARGO_ONLY.day
    values = {
        day: value * (2 if day < change else 1)
        for day, value in noisy(end, 120, mean=4e8, noise=0.015).items()
    }
    rows = [
        daily(day, value, metric_id=total.metric_id, observed_at=midnight(end) + timedelta(days=10))
        for day, value in values.items()
    ]
    assert {one.day for one in outages_of(total, rows, None)} != set()
    assert outages_of(total, rows, None, breaks=(CARGO_ONLY,)) == ()
    low = change + timedelta(days=2)
    rows = [replace(row, value=row.value * 2 // 3) if row.period_end == low else row for row in rows]
    (outage,) = outages_of(total, rows, None, breaks=(CARGO_ONLY,))
    assert (outage.day, outage.kind) == (low, OutageKind.LOW)
    assert outage.usual == round(median(values[low + timedelta(weeks=after)] for after in range(1, 5)))


def test_a_value_of_a_day_that_was_still_settling_says_nothing() -> None:
    values = usual()
    values[END] //= 5
    assert found(read_at(values, midnight(END) + timedelta(days=2))) == set()
    assert found(read_at(values, midnight(END) + timedelta(days=3))) == {(END, OutageKind.PARTIAL)}


def test_a_day_that_an_answer_left_out_was_not_counted_and_was_seen_with_the_first_later_day() -> None:
    values, day = usual(), END - timedelta(days=20)
    del values[day]
    rows = [replace(row, observed_at=midnight(row.period_end) + timedelta(days=8)) for row in read_at(values)]
    outage = the_only(rows)
    assert (outage.day, outage.kind, outage.value) == (day, OutageKind.NOT_COUNTED, None)
    assert outage.seen_at == midnight(day) + timedelta(days=9)


def test_an_outage_was_seen_by_the_first_run_that_read_its_settled_day() -> None:
    values, day, partial = usual(), END - timedelta(days=20), END - timedelta(days=25)
    del values[day]
    values[partial] //= 5
    runs = [midnight(END) - timedelta(days=back) for back in (30, 23, 16, 9)]
    seen = {one.day: one.seen_at for one in outages_of(PYPI, read_at(values), 181, runs)}
    assert seen == {day: midnight(END) - timedelta(days=16), partial: midnight(END) - timedelta(days=16)}


def test_a_day_that_no_answer_reached_back_to_is_unknown_and_no_outage() -> None:
    values, day = usual(), END - timedelta(days=100)
    del values[day]
    rows = read_at(values, midnight(END) + timedelta(days=90))
    assert found(rows, 189) == set()
    assert found(rows, 190) == {(day, OutageKind.NOT_COUNTED)}


def test_a_registry_that_is_read_day_by_day_lacks_only_what_was_not_asked_for() -> None:
    values, day = usual(), END - timedelta(days=20)
    del values[day]
    assert found(read_at(values), None) == set()


def test_a_day_that_is_not_there_yet_is_late_and_no_outage() -> None:
    values = usual()
    del values[END - timedelta(days=1)]
    assert found(read_at(values, midnight(END) + timedelta(hours=30))) == set()


def test_a_day_that_was_read_after_later_ones_was_counted_late() -> None:
    rows = [
        replace(row, observed_at=midnight(row.period_end) + timedelta(days=8)) for row in read_at(usual())
    ]
    at = len(rows) - 20
    rows[at] = replace(rows[at], observed_at=rows[at].observed_at + timedelta(days=14))
    outage = the_only(rows)
    assert (outage.day, outage.kind) == (rows[at].period_end, OutageKind.LATE)
    assert outage.seen_at == rows[at].observed_at


def test_a_restated_day_has_both_values_and_the_instant_of_the_change() -> None:
    rows = read_at(usual())
    at = len(rows) - 20
    rows[at] = replace(rows[at], first_value=7, revision=1, revised_at=LATER + timedelta(days=3))
    outage = the_only(rows)
    assert (outage.kind, outage.first_value, outage.value) == (OutageKind.RESTATED, 7, rows[at].value)
    assert outage.seen_at == LATER + timedelta(days=3)


@given(st.permutations(days_before(END, 60)), st.sets(st.integers(1, 58), max_size=5))
def test_the_order_of_rows_changes_nothing_and_each_outage_has_an_id_of_its_own(
    order: list[date], lost: set[int]
) -> None:
    values = dict.fromkeys(days_before(END, 60), 1000000)
    for at in lost:
        del values[days_before(END, 60)[at]]
    ordered = outages_of(PYPI, read_at(values), 181)
    shuffled = outages_of(PYPI, read_at({day: values[day] for day in order if day in values}), 181)
    assert ordered == shuffled
    assert {one.day for one in ordered} == {days_before(END, 60)[at] for at in lost}
    assert len({one.outage_id for one in ordered}) == len(ordered)

"""Counters, rolling totals and uniques: what is a number, and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.errors import NotAdditive
from community_metrics.model import UNIQUES, Observation, Provenance, SourceWindow, ValueKind
from community_metrics.periods import Grain, days_between, midnight, period_of
from community_metrics.series.additive import require_grain
from community_metrics.series.change import Change
from community_metrics.series.points import points as rules
from community_metrics.series.summary import summarize
from community_metrics.series.totals import level_total
from community_metrics.storage.merge import plan
from tests.support.readings import metric, points, readings_of
from tests.support.rows import dailies, level, week_named, wide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.model import MetricDefinition, StatRow
    from community_metrics.periods import Period
    from community_metrics.series.grid import PointSeries
    from community_metrics.series.summary import Summary

FIRST, SPAN = date(2026, 11, 30), 42
LATER = datetime(2030, 1, 1, tzinfo=UTC)
REACH = timedelta(hours=12)
W46, W47, W48 = (week_named(f"2026-W{number}") for number in (46, 47, 48))
PULLS, TOTAL, VISITORS = "pulls:lance:docker", "downloads_30d:lance:conda", "views:lance:visitors"


def periods_of(grain: Grain) -> list[Period]:
    return sorted({period_of(day, grain) for day in days_between(FIRST, FIRST + timedelta(days=SPAN))})


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def counted(known: dict[datetime, int]) -> list[StatRow]:
    return [level(instant, value, metric_id=PULLS) for instant, value in known.items()]


def counter(rows: Sequence[StatRow], periods: Sequence[Period], now: datetime = LATER) -> PointSeries:
    return points(rows, periods, window=SourceWindow.INSTANT, kind=ValueKind.COUNTER, now=now)


def rolling(rows: Sequence[StatRow], periods: Sequence[Period], now: datetime = LATER) -> PointSeries:
    return points(rows, periods, window=SourceWindow.THIRTY_DAYS, now=now)


def uniques(rows: Sequence[StatRow], periods: Sequence[Period]) -> PointSeries:
    return points(rows, periods, window=SourceWindow.DAY, unit=UNIQUES, now=LATER)


def thirty_days(end: date, value: int) -> StatRow:
    return wide(end - timedelta(days=29), end, value, metric_id=TOTAL)


def at_edge(rows: Sequence[StatRow], edge: datetime) -> StatRow | None:
    """Return the reading nearest to an edge and within 12 h of it, the later of two."""
    near = [row for row in rows if abs(row.observed_at - edge) <= REACH]
    return min(near, key=lambda row: (abs(row.observed_at - edge), row.observed_at < edge), default=None)


# one reading a day, as it is stored: at any minute of it
TIMES = st.dictionaries(st.integers(0, SPAN), st.integers(0, 24 * 60 - 1), max_size=SPAN).map(
    lambda known: [midnight(FIRST) + timedelta(days=day, minutes=known[day]) for day in sorted(known)]
)
GRAINS = st.sampled_from(Grain)


READINGS = st.lists(st.integers(0, 9 * 24 * 4), max_size=30, unique=True).map(
    lambda quarters: [midnight(FIRST) + timedelta(minutes=15 * number) for number in sorted(quarters)]
)


@given(READINGS, st.sampled_from([ValueKind.LEVEL, ValueKind.COUNTER]), GRAINS)
def test_no_reading_takes_an_end_from_a_period_or_changes_one_that_ended_12_h_ago(
    instants: list[datetime], kind: ValueKind, grain: Grain
) -> None:
    table: dict[str, StatRow] = {}
    before: list[int | None] = [None] * len(periods_of(grain))
    for value, instant in enumerate(instants):
        day = instant.date()
        read = Observation(PULLS, day, day, value, SourceWindow.INSTANT, instant, "https://registry.example")
        planned = plan(
            table, [read], provenance=Provenance.API, run_id="run-1", now=instant, kinds={PULLS: kind}
        )
        table |= {row.stat_key: row for row in planned.written}
        series = points(
            list(table.values()), periods_of(grain), window=SourceWindow.INSTANT, kind=kind, now=LATER
        )
        now = series.complete_values()
        for period, old, new in zip(series.periods, before, now, strict=True):
            assert (new is None) <= (old is None)
            assert new == old or instant <= period.end_instant + REACH
        before = now


class TestCounter:
    @given(TIMES, st.data(), GRAINS)
    def test_flows_sum_to_last_minus_first_over_a_stretch_without_gaps(
        self, times: list[datetime], data: st.DataObject, grain: Grain
    ) -> None:
        steps = data.draw(st.lists(st.integers(0, 2**40), min_size=len(times), max_size=len(times)))
        rows = counted({instant: sum(steps[: number + 1]) for number, instant in enumerate(times)})
        series = counter(rows, periods_of(grain))
        for is_known, stretch in groupby(series, key=lambda point: point.value is not None):
            if is_known:
                run = list(stretch)
                first = at_edge(rows, midnight(run[0].period.start))
                last = at_edge(rows, run[-1].period.end_instant)
                assert first is not None
                assert last is not None
                assert sum(point.value or 0 for point in run) == last.value - first.value

    @given(TIMES, st.data(), GRAINS)
    def test_a_reset_or_a_missed_edge_never_yields_a_number(
        self, times: list[datetime], data: st.DataObject, grain: Grain
    ) -> None:
        values = data.draw(st.lists(st.integers(0, 100), min_size=len(times), max_size=len(times)))
        known = st.lists(st.booleans(), min_size=len(times), max_size=len(times))
        resets = data.draw(st.one_of(st.just([False] * len(times)), known))
        rows = [
            replace(row, is_reset=is_reset)
            for row, is_reset in zip(counted(dict(zip(times, values, strict=True))), resets, strict=True)
        ]
        for point in counter(rows, periods_of(grain)):
            first = at_edge(rows, midnight(point.period.start))
            last = at_edge(rows, point.period.end_instant)
            if first is None or last is None or first is last:
                assert point.value is None
                continue
            between = [row for row in rows if first.observed_at <= row.observed_at <= last.observed_at]
            was_reset = any(
                later.value < earlier.value or later.is_reset for earlier, later in pairwise(between)
            )
            assert point.reset == was_reset
            assert point.value == (None if was_reset else last.value - first.value)

    @given(TIMES, st.data())
    def test_a_fall_is_the_reset_of_one_day_at_most(self, times: list[datetime], data: st.DataObject) -> None:
        values = data.draw(st.lists(st.integers(0, 9), min_size=len(times), max_size=len(times)))
        falls = sum(later < earlier for earlier, later in pairwise(values))
        rows = counted(dict(zip(times, values, strict=True)))
        assert sum(point.reset for point in counter(rows, periods_of(Grain.DAY))) <= falls

    def test_a_week_is_the_difference_of_the_readings_nearest_to_its_edges(self) -> None:
        rows = counted({at(15, 20): 90, at(16, 2, 45): 100, at(19, 3): 130, at(22, 23): 160, at(23, 6): 170})
        (point,) = counter(rows, [W47])
        assert (point.value, point.complete, point.days_present) == (60, True, 7)
        assert point.observed_at == at(22, 23)

    @pytest.mark.parametrize(
        ("instant", "is_known"),
        [(at(22, 11, 59), False), (at(22, 12), True), (at(23, 12), True), (at(23, 12, 1), False)],
    )
    def test_an_edge_is_read_within_12_h_on_either_side(self, instant: datetime, is_known: bool) -> None:
        (point,) = counter(counted({at(16, 0): 5, instant: 9}), [W47])
        assert (point.value, point.complete) == ((4, True) if is_known else (None, False))

    def test_one_reading_is_not_both_edges_of_a_day(self) -> None:
        day = period_of(date(2026, 11, 22), Grain.DAY)
        assert counter(counted({at(22, 12): 9}), [day])[0].value is None

    def test_a_fall_that_is_made_up_for_is_a_reset_all_the_same(self) -> None:
        (point,) = counter(counted({at(16, 1): 100, at(18, 1): 3, at(23, 1): 500}), [W47])
        assert (point.value, point.reset, point.complete, point.provenance) == (None, True, False, None)

    def test_a_reset_that_growth_elsewhere_hides_yields_no_number(self) -> None:
        rows = counted({at(16, 1): 100, at(18, 1): 500, at(23, 1): 510})
        rows[1] = replace(rows[1], is_reset=True)
        (point,) = counter(rows, [W47])
        assert (point.value, point.reset, point.complete) == (None, True, False)

    def test_a_fall_over_a_missed_edge_is_a_reset_of_the_week_in_which_it_was_read(self) -> None:
        series = counter(counted({at(9, 1): 90, at(12, 1): 100, at(18, 1): 3, at(23, 1): 5}), [W46, W47])
        assert [(point.value, point.reset) for point in series] == [(None, False), (None, True)]

    def test_a_counter_that_stays_the_same_is_a_flow_of_0(self) -> None:
        assert counter(counted({at(16, 1): 7, at(23, 1): 7}), [W47])[0].value == 0

    def test_the_running_week_has_no_value_before_its_end_is_near(self) -> None:
        rows = counted({at(23, 1): 7, at(25, 1): 9})
        (point,) = counter(rows, [W48], now=at(25, 2))
        assert (point.value, point.complete) == (None, False)

    def test_without_readings_nothing_is_known(self) -> None:
        (point,) = counter([], [W47])
        assert (point.value, point.reset, point.days_expected) == (None, False, 7)

    def test_changes_are_those_of_a_flow(self) -> None:
        rows = counted({at(9, 1): 0, at(16, 1): 100, at(23, 1): 250})
        summary = summarize(counter(rows, [W46, W47]), ValueKind.COUNTER, None)
        assert summary.change == Change(absolute=50, fraction=0.5)


class TestRolling:
    KNOWN = st.dictionaries(st.integers(0, SPAN), st.integers(0, 2**40), max_size=SPAN)

    @given(KNOWN, GRAINS)
    def test_a_point_is_a_reading_whose_window_ends_in_its_period(
        self, known: dict[int, int], grain: Grain
    ) -> None:
        values = {FIRST + timedelta(days=day): value for day, value in known.items()}
        rows = [thirty_days(end, value) for end, value in values.items()]
        for point in rolling(rows, periods_of(grain)):
            ends = [day for day in days_between(point.period.start, point.period.end) if day in values]
            assert point.value == (values[ends[-1]] if ends else None)
            assert point.complete == (ends[-1:] == [point.period.end])
            assert not point.estimated

    @given(KNOWN, GRAINS)
    def test_it_is_compared_only_with_the_reading_one_whole_window_earlier(
        self, known: dict[int, int], grain: Grain
    ) -> None:
        values = {FIRST + timedelta(days=day): value for day, value in known.items()}
        summary = self.summary([thirty_days(end, value) for end, value in values.items()], grain)
        assert (summary.trailing, summary.year_on_year, summary.share) == (None, None, None)
        base = summary.latest and values.get(summary.latest.period.end - timedelta(days=30))
        if not base:
            assert summary.change is None
        else:
            assert summary.change is not None
            assert summary.latest is not None
            assert summary.change.absolute == values[summary.latest.period.end] - base

    @staticmethod
    def summary(rows: Sequence[StatRow], grain: Grain) -> Summary:
        readings, total = readings_of(rows, [TOTAL]), metric(TOTAL, SourceWindow.THIRTY_DAYS)
        series = rules([total], readings, periods_of(grain), LATER).series(0)
        return summarize(series, ValueKind.ROLLING, None, own=readings.of_metric(TOTAL))

    def test_a_fallback_of_the_same_window_is_an_estimate_and_is_not_scaled(self) -> None:
        other = replace(thirty_days(W47.end, 3_000), metric_id="downloads_30d:lance:mirror")
        (point,) = points([], [W47], window=SourceWindow.THIRTY_DAYS, fallbacks=[other], now=LATER)
        assert (point.value, point.estimated, point.complete) == (3_000, True, False)

    def test_a_fallback_of_another_window_is_none(self) -> None:
        other = wide(W47.start, W47.end, 700, metric_id="downloads_7d:x:y", source_window=SourceWindow.WEEK)
        (point,) = points([], [W47], window=SourceWindow.THIRTY_DAYS, fallbacks=[other], now=LATER)
        assert point.value is None


class TestUniques:
    KNOWN = dict.fromkeys(days_between(W47.start, W47.end), 10)

    def test_a_day_has_its_value(self) -> None:
        days = [period_of(day, Grain.DAY) for day in self.KNOWN]
        assert [point.value for point in uniques(dailies(self.KNOWN), days)] == [10] * 7

    @pytest.mark.parametrize("grain", [Grain.WEEK, Grain.MONTH])
    def test_days_are_no_week_and_no_month(self, grain: Grain) -> None:
        known = dict.fromkeys(days_between(date(2026, 11, 1), date(2026, 11, 30)), 1)
        (point,) = uniques(dailies(known), [period_of(W47.start, grain)])
        assert (point.value, point.complete, point.estimated) == (None, False, False)

    def test_a_change_over_several_periods_would_be_a_sum(self) -> None:
        days = [period_of(day, Grain.DAY) for day in days_between(W46.start, W47.end)]
        known = {period.start: 10 for period in days}
        summary = summarize(uniques(dailies(known), days), ValueKind.FLOW, None)
        assert (summary.trailing, summary.change) == (None, Change(absolute=0, fraction=0.0))

    def test_a_week_or_a_month_is_refused_with_the_reason(self) -> None:
        visitors = metric(VISITORS, SourceWindow.DAY, unit=UNIQUES)
        require_grain([visitors], Grain.DAY)
        with pytest.raises(NotAdditive, match=r"uniques, which do not add up.* so it has no value of a week"):
            require_grain([visitors], Grain.WEEK)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (metric("views:lance:visitors", SourceWindow.DAY, unit=UNIQUES), "uniques, which do not add up"),
        (metric("fans:lance:github", SourceWindow.INSTANT, unit=UNIQUES), "uniques, which do not add up"),
        (metric(TOTAL, SourceWindow.THIRTY_DAYS), "is a rolling total, whose windows overlap"),
    ],
)
def test_a_sum_over_metrics_refuses_what_does_not_add_up(other: MetricDefinition, reason: str) -> None:
    stars = metric("stars:lance:github", SourceWindow.INSTANT)
    none = readings_of([], [stars.metric_id, other.metric_id])
    grid = rules([stars, other], none, [W47], LATER)

    for sum_of in (lambda: grid.complete_totals([0, 1]), lambda: level_total(none, [stars, other])):
        with pytest.raises(NotAdditive, match=f"^{other.metric_id} .*{reason}"):
            sum_of()


def test_a_level_that_falls_is_no_reset() -> None:
    rows = [level(at(22, 18), 9), level(at(23, 6), 3)]
    series = points(rows, [W47, W48], window=SourceWindow.INSTANT, now=LATER)
    assert [point.reset for point in series] == [False, False]

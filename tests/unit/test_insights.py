"""What the rules of insights say of made-up series; docs/insights.md has the rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from community_metrics.model import (
    UNIQUES,
    Cause,
    InsightKind,
    LevelBreak,
    MissingReason,
    OutageKind,
    SourceWindow,
    ValueKind,
)
from community_metrics.periods import Grain, days_between, midnight, period_named, period_of
from community_metrics.series.insights import RULES, Insight, Release, Total, doubtful, insights_of
from community_metrics.series.insights.model import (
    GapNumbers,
    HeadlineNumbers,
    MilestoneNumbers,
    MissingNumbers,
    MoverNumbers,
    RecordNumbers,
    RestatedNumbers,
    SettlingNumbers,
    ShiftNumbers,
    UnusualNumbers,
)
from community_metrics.series.insights.records import round_below
from community_metrics.series.insights.robust import Judgement
from community_metrics.series.outages import outages_of
from tests.support import insight_docs
from tests.support.insights import days_before, flow, found_in, material, noisy
from tests.support.readings import metric
from tests.support.rows import daily, week_named

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from community_metrics.model import MetricDefinition, StatRow
    from community_metrics.series.insights import Material

W47 = week_named("2026-W47")
SUNDAY, WEDNESDAY = W47.end, date(2026, 11, 18)
A, B, C = "downloads:lance:python", "downloads:lance:rust", "downloads:lancedb:nodejs"
UNUSUAL = (InsightKind.SPIKE, InsightKind.DIP)


def with_day(values: dict[date, int], day: date, factor: float) -> dict[date, int]:
    return values | {day: round(values[day] * factor)}


def weeks(values: list[int]) -> dict[date, int]:
    """Return days of one value up to week 47: each week sums to seven times its value."""
    days = days_before(SUNDAY, 7 * len(values))
    return {day: values[at // 7] for at, day in enumerate(days)}


def unusual(insight: Insight) -> UnusualNumbers:
    assert isinstance(insight.numbers, UnusualNumbers)
    return insight.numbers


def marks(drawn: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many of the 200 judged days of each series are unusual."""
    judged = Judgement.of(drawn)
    assert judged.value.shape == (len(drawn), 200)
    assert judged.is_judged.any()
    counts: NDArray[np.int64] = np.count_nonzero(judged.is_high | judged.is_low, axis=1)
    return counts


def days_of(insights: list[Insight]) -> set[date]:
    return {one.day for insight in insights for one in unusual(insight).days}


def identities(insights: list[Insight] | tuple[Insight, ...]) -> set[tuple[object, ...]]:
    """Return what each insight is about, without the numbers of its sentence."""
    found: set[tuple[object, ...]] = set()
    for one in insights:
        if isinstance(one.numbers, UnusualNumbers):
            found |= {(one.kind, one.metric_ids, day.day, one.numbers.cause) for day in one.numbers.days}
        else:
            found.add((one.kind, one.rule, one.metric_ids))
    return found


class TestUnusualDays:
    @given(
        st.integers(0, 2**32),
        st.sampled_from(["normal", "log-normal", "poisson", "uniform"]),
        st.sampled_from([0.02, 0.1, 0.4]),
        st.sampled_from([1, 5, 50, 3_000]),
    )
    def test_shuffled_noise_has_at_most_one_unusual_day_in_200(
        self, seed: int, kind: str, noise: float, mean: int
    ) -> None:
        random = np.random.default_rng(seed)
        size = (5, 340)
        drawn = {
            "normal": np.maximum(0, np.round(mean * (1 + random.normal(0, min(noise, 0.2), size)))),
            "log-normal": np.round(mean * np.exp(random.normal(0, noise, size))),
            "poisson": random.poisson(mean, size).astype(float),
            "uniform": np.round(mean * random.uniform(0.1, 2, size)),
        }[kind]
        assert (marks(drawn) <= 1).all()

    @given(
        st.integers(0, 2**32),
        st.sampled_from([0.3, 0.5, 0.7]),
        st.sampled_from([0, 1.65, 4, 10]),
        st.sampled_from([0.02, 0.1]),
    )
    def test_a_build_server_that_is_on_or_off_makes_no_day_unusual(
        self, seed: int, share: float, factor: float, noise: float
    ) -> None:
        random = np.random.default_rng(seed)
        size = (5, 340)
        values = 1_000 * np.exp(random.normal(0, noise, size))
        assume(factor or share < 0.7)  # of mostly zeros the usual value is 0, and nothing is judged
        assert (marks(np.round(np.where(random.random(size) < share, factor, 1) * values)) <= 1).all()

    @pytest.mark.parametrize("scale", [0.02, 0.1, 0.3])
    def test_fat_tails_have_at_most_one_unusual_day_in_200_in_97_of_100_series(self, scale: float) -> None:
        random = np.random.default_rng(16)
        drawn = np.round(3_000 * np.exp(scale * random.standard_t(3, (300, 340))))
        assert np.mean(marks(drawn) <= 1) >= 0.97

    @given(st.integers(0, 2**32), st.integers(1, 8))
    def test_an_outage_of_a_week_does_not_hide_its_own_last_day(self, seed: int, length: int) -> None:
        values = np.array(list(noisy(SUNDAY, 340, seed=seed).values()), float)
        values[200 : 200 + length] = np.round(values[200 : 200 + length] / 10)
        judged = Judgement.of(values[np.newaxis])
        assert np.flatnonzero(judged.is_low).tolist() == list(range(60, 60 + length))

    @given(st.integers(0, 2**32), st.integers(140, 339))
    def test_a_planted_day_of_ten_times_the_value_is_the_only_mark(self, seed: int, at: int) -> None:
        values = np.array(list(noisy(SUNDAY, 340, seed=seed).values()), float)
        assert not (Judgement.of(values[np.newaxis]).is_high).any()
        values[at] *= 10
        judged = Judgement.of(values[np.newaxis])
        assert np.flatnonzero(judged.is_high).tolist() == [at - 140]
        assert not judged.is_low.any()

    def test_a_spike_says_its_size_its_range_and_that_it_is_one_day(self) -> None:
        values = with_day(noisy(SUNDAY, 400), WEDNESDAY, 10)
        (found,) = found_in(material(W47, {A: values}), *UNUSUAL)
        numbers = unusual(found)
        (day,) = numbers.days
        assert (found.kind, day.day, day.value) == (InsightKind.SPIKE, WEDNESDAY, values[WEDNESDAY])
        assert day.low < day.usual < day.high < day.value
        assert found.importance == day.value - day.usual
        assert numbers.is_one_day
        assert numbers.cause is Cause.UNEXPLAINED
        assert "One day, not a trend: the known days of its week are usual." in found.sentence
        assert found.link == f"/api/v1/series/{A}?grain=day&from=2026-11-18&to=2026-11-18"

    def test_a_day_of_a_week_that_is_high_throughout_is_no_single_day(self) -> None:
        values = noisy(SUNDAY, 400)
        for day in days_between(W47.start, W47.end):
            values = with_day(values, day, 10)
        (found,) = found_in(material(W47, {A: values}), *UNUSUAL)
        assert len(unusual(found).days) == 7
        assert not unusual(found).is_one_day

    def test_a_day_without_downloads_is_a_dip_where_downloads_are_usual(self) -> None:
        (found,) = found_in(material(W47, {A: with_day(noisy(SUNDAY, 400), WEDNESDAY, 0)}), *UNUSUAL)
        assert found.kind is InsightKind.DIP
        assert unusual(found).days[0].value == 0

    def test_a_series_of_few_weeks_is_not_judged(self) -> None:
        values = with_day(noisy(SUNDAY, 40), WEDNESDAY, 10)
        assert found_in(material(W47, {A: values}), *UNUSUAL) == []

    def test_only_days_of_the_period_are_told(self) -> None:
        values = with_day(noisy(SUNDAY, 400), WEDNESDAY - timedelta(days=7), 10)
        assert found_in(material(W47, {A: values}), *UNUSUAL) == []

    def test_a_month_tells_days_of_its_first_week_only_from_its_first_day(self) -> None:
        november = period_of(SUNDAY, Grain.MONTH)
        values = noisy(november.end, 500)
        values = with_day(with_day(values, date(2026, 10, 31), 10), date(2026, 11, 1), 10)
        (found,) = found_in(material(november, {A: values}), *UNUSUAL)
        assert [one.day for one in unusual(found).days] == [date(2026, 11, 1)]

    def test_a_day_of_a_week_that_goes_on_after_the_month_says_up_to_where_it_is_usual(self) -> None:
        october = period_of(date(2026, 10, 1), Grain.MONTH)
        values = with_day(noisy(SUNDAY, 500), date(2026, 10, 29), 10)
        (found,) = found_in(material(october, {A: values}), *UNUSUAL)
        assert "the known days of its week up to 2026-10-31 are usual." in found.sentence

    def test_values_from_before_a_change_of_counting_are_not_the_usual_ones(self) -> None:
        change = W47.start - timedelta(days=7)
        values = {day: value * (10 if day >= change else 1) for day, value in noisy(SUNDAY, 400).items()}
        assert len(days_of(found_in(material(W47, {A: values}), *UNUSUAL))) == 7
        breaks = {A: (LevelBreak(change, "another way"),)}
        assert found_in(material(W47, {A: values}, breaks=breaks), *UNUSUAL) == []

    def test_daily_uniques_have_spikes_whose_importance_is_no_sum(self) -> None:
        visitors = flow("view_uniques:lance:github", unit=UNIQUES)
        values = noisy(SUNDAY, 400)
        for day in (WEDNESDAY, WEDNESDAY + timedelta(days=1)):
            values = with_day(values, day, 10)
        (found,) = found_in(material(W47, {visitors.metric_id: values}, metrics=[visitors]), *UNUSUAL)
        shown = unusual(found).days
        assert len(shown) == 2
        assert found.importance == max(one.value - one.usual for one in shown)


class TestCauses:
    def values(self, factor: float, **others: float) -> dict[str, dict[date, int]]:
        factors = {A: factor, B: others.get("b", 1), C: others.get("c", 1)}
        return {
            name: with_day(noisy(SUNDAY, 400, seed=seed), WEDNESDAY, by)
            for seed, (name, by) in enumerate(factors.items())
        }

    def metrics(self) -> list[MetricDefinition]:
        return [flow(A), flow(B, "crates"), flow(C, "npm")]

    def cause_of(self, given: Material, metric_id: str = A) -> Cause:
        found = [one for one in found_in(given, *UNUSUAL) if one.metric_ids == (metric_id,)]
        (insight,) = found
        return unusual(insight).cause

    def test_series_of_unrelated_registries_that_move_together_are_a_collection_or_a_holiday(self) -> None:
        given = material(W47, self.values(0.1, b=0.1), metrics=self.metrics())
        found = found_in(given, *UNUSUAL)
        assert [unusual(one).cause for one in found] == [Cause.COLLECTION_OR_HOLIDAY] * 2
        assert {one.metric_ids: unusual(one).also for one in found} == {
            (A,): ("crates",),
            (B,): ("pypistats",),
        }

    def test_series_that_move_against_each_other_explain_nothing(self) -> None:
        given = material(W47, self.values(0.1, b=10), metrics=self.metrics())
        assert self.cause_of(given) is Cause.UNEXPLAINED

    def test_two_sources_of_one_registry_are_not_unrelated(self) -> None:
        hosts = {"pypistats": "one", "crates": "one"}
        given = material(W47, self.values(0.1, b=0.1), metrics=self.metrics(), hosts=hosts)
        assert self.cause_of(given) is Cause.UNEXPLAINED

    @pytest.mark.parametrize(
        ("hours", "product", "cause"),
        [
            (-48, "lance", Cause.RELEASE),
            (-49, "lance", Cause.UNEXPLAINED),
            (23, "lance", Cause.RELEASE),
            (24, "lance", Cause.UNEXPLAINED),
            (0, "lancedb", Cause.UNEXPLAINED),
        ],
    )
    def test_a_release_of_the_product_on_the_day_or_in_the_two_days_before_explains_it(
        self, hours: int, product: str, cause: Cause
    ) -> None:
        release = Release(product, midnight(WEDNESDAY) + timedelta(hours=hours), "v1.2")
        given = material(W47, self.values(10), metrics=self.metrics(), releases=(release,))
        assert self.cause_of(given) is cause

    def test_a_release_71_hours_before_the_end_of_the_day_is_in_the_two_days_before(self) -> None:
        release = Release("lance", midnight(WEDNESDAY) - timedelta(hours=47), "v1.2")
        given = material(W47, self.values(10), metrics=self.metrics(), releases=(release,))
        (spike,) = found_in(given, InsightKind.SPIKE)
        assert spike.sentence.endswith(" With a release on the day or in the 2 days before (v1.2).")

    def test_a_day_that_is_marked_as_low_for_everybody_is_the_registrys(self) -> None:
        given = material(W47, self.values(0.1), metrics=self.metrics(), low=frozenset({(A, WEDNESDAY)}))
        assert self.cause_of(given) is Cause.REGISTRY
        (gap,) = found_in(given, InsightKind.REGISTRY_GAP)
        assert gap.numbers == GapNumbers("pypistats", (), (WEDNESDAY,), 1)

    def test_a_day_that_others_of_the_source_lack_is_the_registrys(self) -> None:
        values = self.values(0.1)
        for name in (B, C):
            del values[name][WEDNESDAY]
        given = material(W47, values, metrics=[flow(A), flow(B), flow(C)])
        assert self.cause_of(given) is Cause.REGISTRY
        unread = material(
            W47, values, metrics=[flow(A), flow(B), flow(C)], read_on=SUNDAY - timedelta(days=1)
        )
        assert self.cause_of(unread) is Cause.UNEXPLAINED
        alone = material(W47, values, metrics=[flow(A), flow(B), flow(C, "npm")])
        assert self.cause_of(alone) is Cause.UNEXPLAINED

    def test_a_day_that_only_some_others_of_the_source_lack_explains_nothing(self) -> None:
        values = {**self.values(0.1), "downloads:lancedb:python": noisy(SUNDAY, 400, seed=7)}
        for name in (B, C):
            del values[name][WEDNESDAY]
        given = material(W47, values)
        assert self.cause_of(given) is Cause.UNEXPLAINED

    @pytest.mark.parametrize(("own", "cause"), [(0.1, Cause.REGISTRY), (10, Cause.UNEXPLAINED)])
    def test_the_registrys_own_series_explains_what_moves_in_its_direction(
        self, own: float, cause: Cause
    ) -> None:
        registry = with_day(noisy(SUNDAY, 400, seed=9, mean=10**9, noise=0.02), WEDNESDAY, own)
        given = material(W47, self.values(0.1), metrics=self.metrics(), registries={"pypistats": registry})
        assert self.cause_of(given) is cause

    def test_a_registrys_own_days_from_before_a_change_of_counting_are_not_its_usual_ones(self) -> None:
        change = W47.start - timedelta(days=7)
        own = noisy(SUNDAY, 400, seed=9, mean=10**9, noise=0.02)
        registry = {day: value // (10 if day >= change else 1) for day, value in own.items()}
        given = material(W47, self.values(0.1), metrics=self.metrics(), registries={"pypistats": registry})
        assert self.cause_of(given) is Cause.REGISTRY
        breaks = {"pypistats": (LevelBreak(change, "another way"),)}
        assert self.cause_of(replace(given, registry_breaks=breaks)) is Cause.UNEXPLAINED


NPM = flow("registry:npm:all", "npm", metric_family="registry", product="npm")
OUTAGES = {
    "2018-05-27": "2018-06-06",
    "2022-07-22": "2022-07-22",
    "2024-08-28": "2024-09-04",
}
"""The first and the last day of the known outages of npm."""


def read_weekly(total: dict[date, int]) -> list[StatRow]:
    """Return the rows of the registry's total, each read by the run of the week after its day."""
    return [
        daily(day, value, metric_id=NPM.metric_id, observed_at=midnight(day) + timedelta(days=9))
        for day, value in total.items()
    ]


@pytest.mark.parametrize("first", OUTAGES)
@pytest.mark.parametrize("counted", [0.02, 0.5, None])
def test_exactly_the_days_of_npms_known_outages_are_the_registrys(first: str, counted: float | None) -> None:
    outage = list(days_between(date.fromisoformat(first), date.fromisoformat(OUTAGES[first])))
    start, end = outage[0] - timedelta(days=20), outage[-1] + timedelta(days=40)
    series = {
        name: noisy(end, 400, seed=seed, mean=mean, noise=noise)
        for seed, (name, mean, noise) in enumerate(
            [(NPM.metric_id, 1e9, 0.02), (A, 4_000, 0.12), (B, 900, 0.12)],
        )
    }
    for own in series.values():
        for day in outage:
            if counted is None:
                del own[day]
            else:
                own[day] = round(own[day] * counted)
    total = series.pop(NPM.metric_id)
    ledger = outages_of(NPM, read_weekly(total), 548)
    assert {one.day for one in ledger} == set(outage)
    kinds = {kind: frozenset(one.day for one in ledger if one.kind is kind) for kind in OutageKind}
    found: dict[str, set[date]] = {A: set(), B: set()}
    day = start
    while day <= end:
        period = period_of(day, Grain.WEEK)
        given = material(
            period,
            series,
            metrics=[flow(A, "npm"), flow(B, "npm")],
            registries={"npm": total},
            uncounted={"npm": kinds[OutageKind.NOT_COUNTED] | kinds[OutageKind.PARTIAL]},
            low=frozenset((name, low) for name in (A, B) for low in kinds[OutageKind.LOW]),
            totals=(),
        )
        for insight in found_in(given, *UNUSUAL, InsightKind.REGISTRY_GAP):
            for name in insight.metric_ids:
                if isinstance(insight.numbers, GapNumbers):
                    found[name] |= {*insight.numbers.lacking, *insight.numbers.low}
                elif unusual(insight).cause is Cause.REGISTRY:
                    found[name] |= days_of([insight])
        day = period.end + timedelta(days=1)
    assert found == {A: set(outage), B: set(outage)}


def test_a_day_that_the_registry_did_not_count_is_its_gap_though_only_one_series_lacks_it() -> None:
    values = noisy(SUNDAY, 400)
    del values[WEDNESDAY]
    given = material(W47, {A: values}, uncounted={"pypistats": frozenset({WEDNESDAY})})
    (gap,) = found_in(given, InsightKind.REGISTRY_GAP)
    assert gap.numbers == GapNumbers("pypistats", (WEDNESDAY,), (), 1)
    assert found_in(given, InsightKind.MISSING) == []


def test_a_gap_of_the_registry_names_only_the_series_that_lack_the_day() -> None:
    values = {A: noisy(SUNDAY, 400), B: noisy(SUNDAY, 400)}
    del values[A][WEDNESDAY]
    for own in values.values():
        del own[W47.start]
    given = material(W47, values, uncounted={"pypistats": frozenset({WEDNESDAY})})
    partly, wholly = found_in(given, InsightKind.REGISTRY_GAP)
    assert (partly.metric_ids, wholly.metric_ids) == ((A,), (A, B))
    assert partly.numbers == GapNumbers("pypistats", (WEDNESDAY,), (), 2)
    assert "has no counts for 2026-11-18 in 1 of 2 series: " in partly.sentence
    assert "has no counts for 2026-11-16 in any of our series: " in wholly.sentence
    assert partly.link == "/api/v1/outages"
    assert wholly.link == f"/api/v1/series/{A}?grain=day&from=2026-11-16&to=2026-11-16"


class TestHeadline:
    def numbers(self, given: Material) -> HeadlineNumbers:
        (found,) = found_in(given, InsightKind.HEADLINE)
        assert isinstance(found.numbers, HeadlineNumbers)
        return found.numbers

    def test_a_total_has_both_changes_and_its_series(self) -> None:
        year = [100, *[50] * 51, 110]
        numbers = self.numbers(material(W47, {A: weeks(year), B: weeks(year)}))
        assert numbers.total == 2 * 7 * 110
        assert numbers.change is not None
        assert numbers.change.absolute == 2 * 7 * 60
        assert numbers.year_on_year is not None
        assert numbers.year_on_year.fraction == pytest.approx(0.1)
        assert (numbers.complete, numbers.series, numbers.waits_for) == ((A, B), 2, ())

    def test_a_series_with_a_missing_day_is_named_and_in_no_sum(self) -> None:
        lacking = weeks([50, 50])
        del lacking[SUNDAY]
        numbers = self.numbers(material(W47, {A: weeks([50, 60]), B: lacking}))
        assert (numbers.total, numbers.complete, numbers.waits_for) == (7 * 60, (A,), (B,))
        assert numbers.change is not None
        assert numbers.change.absolute == 70

    def test_a_series_that_failed_for_long_is_named_apart(self) -> None:
        total = Total("All", None, (flow(A), flow(B)), frozenset({B}))
        given = material(W47, {A: weeks([50, 60]), B: {}}, totals=(total,))
        assert (self.numbers(given).waits_for, self.numbers(given).left_out) == ((), (B,))

    def test_no_change_crosses_a_change_of_counting(self) -> None:
        breaks = {B: (LevelBreak(W47.start - timedelta(days=3), "another way"),)}
        given = material(W47, {A: weeks([50] * 53), B: weeks([50] * 53)}, breaks=breaks)
        numbers = self.numbers(given)
        assert (numbers.change, numbers.year_on_year) == (None, None)
        assert numbers.level_break == W47.start - timedelta(days=3)
        assert found_in(given, InsightKind.MOVER) == []

    def test_each_missing_change_has_its_own_reason(self) -> None:
        lacking = weeks([50] * 53)
        del lacking[SUNDAY - timedelta(days=7)]
        change = W47.start - timedelta(days=200)
        breaks = {A: (LevelBreak(change, "another way"),)}
        (found,) = found_in(material(W47, {A: lacking}, breaks=breaks), InsightKind.HEADLINE)
        assert found.sentence.endswith(
            f" A source counts in another way since {change}: no change is computed across it."
            " No change from 2026-W46: a series is not complete there, or the total is 0."
        )

    def test_months_are_compared_by_their_daily_mean(self) -> None:
        march = period_of(date(2026, 3, 1), Grain.MONTH)
        days = dict.fromkeys(days_before(march.end, 80), 100)
        (found,) = found_in(material(march, {A: days}), InsightKind.HEADLINE)
        assert isinstance(found.numbers, HeadlineNumbers)
        assert found.numbers.change is not None
        assert found.numbers.change.absolute == 0
        assert "as many as at the daily mean of 2026-02" in found.sentence


class TestMovers:
    def test_the_largest_gains_and_falls_of_each_unit_are_told(self) -> None:
        values = {f"downloads:p{at}:python": weeks([100, 100 + step]) for at, step in enumerate(range(-5, 6))}
        found = found_in(material(W47, values), InsightKind.MOVER)
        changes = [one.numbers.change.absolute for one in found if isinstance(one.numbers, MoverNumbers)]
        assert changes == [35, -35, 28, -28, 21, -21] or sorted(changes) == [-35, -28, -21, 21, 28, 35]

    def test_a_series_whose_counting_changed_takes_no_place_of_another(self) -> None:
        names = [f"downloads:p{at}:python" for at in range(4)]
        values = {name: weeks([100, 150 - at]) for at, name in enumerate(names)}
        breaks = {names[0]: (LevelBreak(WEDNESDAY, "another way"),)}
        found = found_in(material(W47, values, breaks=breaks), InsightKind.MOVER)
        assert [one.metric_ids for one in found] == [(name,) for name in names[1:]]

    def test_a_rolling_total_is_compared_with_a_whole_window_earlier(self) -> None:
        rolling = metric("downloads_30d:lance:python", SourceWindow.THIRTY_DAYS)
        days = days_before(SUNDAY, 60)
        values = {rolling.metric_id: {day: 100 + at for at, day in enumerate(days)}}
        (found,) = found_in(material(W47, values, metrics=[rolling]), InsightKind.MOVER)
        assert isinstance(found.numbers, MoverNumbers)
        assert (found.numbers.value, found.numbers.change.absolute) == (159, 30)
        assert "in the 30 days before" in found.sentence

    def test_uniques_are_never_summed(self) -> None:
        visitors = flow("view_uniques:lance:github", unit=UNIQUES)
        values = {visitors.metric_id: noisy(SUNDAY, 400)}
        found = insights_of(material(W47, values, metrics=[visitors]))
        assert [one.kind for one in found] == [InsightKind.SILENCE]


class TestLevelBreaks:
    def test_a_lasting_shift_is_told_once_in_the_week_that_makes_it_lasting(self) -> None:
        known = weeks([100, 102, 98, 101, 99, 100, 103, 97, 200, 198, 202, 201, 199, 200])
        told_in = [
            (week.label, one.numbers)
            for week in (W47.shifted(back) for back in range(-5, 1))
            for one in found_in(material(week, {A: known}), InsightKind.LEVEL_BREAK)
        ]
        assert told_in == [("2026-W45", ShiftNumbers(W47.shifted(-5).start, 700, 1404, None))]

    def test_growth_is_no_shift(self) -> None:
        known = weeks([round(100 * 1.12**at) for at in range(20)])
        assert found_in(material(W47, {A: known}), InsightKind.LEVEL_BREAK) == []

    def test_a_month_and_a_quarter_tell_the_shift_too(self) -> None:
        known = {day: 100 if day < date(2026, 7, 20) else 300 for day in days_before(date(2026, 9, 30), 400)}
        for label, count in (("2026-07", 0), ("2026-08", 1), ("2026-09", 0), ("2026-Q3", 1)):
            period = period_named(label, Grain.QUARTER if "Q" in label else Grain.MONTH)
            assert period is not None
            assert len(found_in(material(period, {A: known}), InsightKind.LEVEL_BREAK)) == count, label

    def test_a_declared_break_is_told_for_all_of_its_series_together(self) -> None:
        breaks = dict.fromkeys((A, B), (LevelBreak(WEDNESDAY, "only cargo counts"),))
        given = material(W47, {A: weeks([1, 1]), B: weeks([1, 1])}, breaks=breaks)
        (found,) = found_in(given, InsightKind.LEVEL_BREAK)
        assert (found.metric_ids, found.importance) == ((A, B), 0)
        assert "only cargo counts" in found.sentence
        assert found.link == f"/api/v1/series/{A}?grain=day&from=2026-11-16&to=2026-11-22"


class TestRecords:
    def test_a_record_is_above_each_week_of_a_year(self) -> None:
        (found,) = found_in(material(W47, {A: weeks([500, 90, *[50] * 50, 60, 91])}), InsightKind.RECORD)
        assert found.numbers == RecordNumbers(637, 630, "2025-W47", 52)
        assert found.importance == 7

    @pytest.mark.parametrize("values", [[90, *[50] * 51, 90], [*[50] * 20, 60], [*[50] * 52, 40]])
    def test_an_equal_value_a_short_series_and_a_lower_value_are_no_record(self, values: list[int]) -> None:
        assert found_in(material(W47, {A: weeks(values)}), InsightKind.RECORD) == []

    def test_a_missing_day_of_the_year_withholds_the_record(self) -> None:
        known = weeks([*[50] * 52, 60])
        del known[SUNDAY - timedelta(days=100)]
        assert found_in(material(W47, {A: known}), InsightKind.RECORD) == []

    def test_no_record_is_told_across_a_change_of_counting(self) -> None:
        breaks = {A: (LevelBreak(W47.start - timedelta(days=90), "another way"),)}
        given = material(W47, {A: weeks([*[50] * 52, 60])}, breaks=breaks)
        assert found_in(given, InsightKind.RECORD) == []


class TestMilestones:
    def test_a_sum_is_told_with_the_day_on_which_it_passed(self) -> None:
        (found,) = found_in(material(W47, {A: weeks([100, 100, 100])}), InsightKind.MILESTONE)
        day = W47.start + timedelta(days=5)
        assert found.numbers == MilestoneNumbers(2_000, 2_100, SUNDAY - timedelta(days=20), day, None)

    @pytest.mark.parametrize("weeks_away", [-30, -1, 1, 30])
    def test_a_series_of_other_weeks_has_no_sum_of_the_period(self, weeks_away: int) -> None:
        """It begins after the period, or ended before it."""
        values = {W47.start + timedelta(weeks=weeks_away, days=day): 700 for day in range(7)}
        assert not found_in(material(W47, {A: values}), InsightKind.MILESTONE)

    def test_a_sum_over_a_change_of_counting_names_it(self) -> None:
        change = SUNDAY - timedelta(days=10)
        breaks = {A: (LevelBreak(change, "another way"),)}
        (found,) = found_in(material(W47, {A: weeks([100] * 3)}, breaks=breaks), InsightKind.MILESTONE)
        assert isinstance(found.numbers, MilestoneNumbers)
        assert found.numbers.level_break == change
        assert found.sentence.endswith(f" pypistats counts in another way since {change}.")

    @pytest.mark.parametrize(("kind", "is_named"), [(ValueKind.LEVEL, False), (ValueKind.COUNTER, True)])
    def test_a_total_names_an_old_change_of_counting_only_where_it_includes_it(
        self, kind: ValueKind, is_named: bool
    ) -> None:
        total = metric("stars:lance:github", SourceWindow.INSTANT, kind=kind)
        change = W47.start - timedelta(days=100)
        given = material(
            W47,
            {total.metric_id: {W47.start - timedelta(days=1): 4_990, SUNDAY: 5_003}},
            metrics=[total],
            breaks={total.metric_id: (LevelBreak(change, "another way"),)},
        )
        (found,) = found_in(given, InsightKind.MILESTONE)
        assert isinstance(found.numbers, MilestoneNumbers)
        assert found.numbers.level_break == (change if is_named else None)

    def test_a_restatement_that_takes_the_sum_below_withdraws_it(self) -> None:
        known = weeks([100, 100, 100]) | {SUNDAY - timedelta(days=18): -1}
        known[SUNDAY - timedelta(days=18)] = 0
        known[SUNDAY] = 50
        assert found_in(material(W47, {A: known}), InsightKind.MILESTONE) == []

    def test_a_missing_day_before_withholds_it(self) -> None:
        known = weeks([100, 100, 100])
        del known[SUNDAY - timedelta(days=19)]
        assert found_in(material(W47, {A: known}), InsightKind.MILESTONE) == []

    @pytest.mark.parametrize("kind", [ValueKind.LEVEL, ValueKind.COUNTER])
    def test_a_total_passes_between_the_two_edges_of_the_period(self, kind: ValueKind) -> None:
        stars = metric("stars:lance:github", SourceWindow.INSTANT, kind=kind)
        known = {W47.start - timedelta(days=1): 4_990, SUNDAY: 5_003}
        given = material(W47, {stars.metric_id: known}, metrics=[stars])
        (found,) = found_in(given, InsightKind.MILESTONE)
        assert found.numbers == MilestoneNumbers(5_000, 5_003, None, None, None)
        earlier = known | {W47.start - timedelta(days=30): 5_001}
        again = material(W47, {stars.metric_id: earlier}, metrics=[stars])
        assert found_in(again, InsightKind.MILESTONE) == []
        del known[W47.start - timedelta(days=1)]
        unknown = material(W47, {stars.metric_id: known}, metrics=[stars])
        assert found_in(unknown, InsightKind.MILESTONE) == []

    @pytest.mark.parametrize(
        ("value", "mark"), [(0, 0), (1, 1), (4, 2), (9, 5), (10, 10), (49, 20), (999_999, 500_000)]
    )
    def test_round_numbers_are_1_2_and_5_times_a_power_of_ten(self, value: int, mark: int) -> None:
        assert round_below(value) == mark


class TestSettling:
    def test_a_fall_back_to_what_was_usual_is_settling_and_told_once(self) -> None:
        known = weeks([*[100] * 9, 300, 280, 105, 102])
        found = {
            week.label: [one.numbers for one in found_in(material(week, {A: known}), InsightKind.SETTLING)]
            for week in (W47.shifted(back) for back in (-2, -1, 0))
        }
        assert found == {
            "2026-W45": [],
            "2026-W46": [SettlingNumbers(735, 2_100, "2026-W44", 700)],
            "2026-W47": [],
        }

    def test_a_fall_below_what_was_usual_is_not_settling(self) -> None:
        known = weeks([*[100] * 9, 300, 60])
        assert found_in(material(W47, {A: known}), InsightKind.SETTLING) == []


class TestUnknown:
    def missing(self, given: Material) -> list[tuple[tuple[str, ...], MissingNumbers]]:
        found = found_in(given, InsightKind.MISSING)
        return [(one.metric_ids, one.numbers) for one in found if isinstance(one.numbers, MissingNumbers)]

    def test_days_that_all_series_of_a_source_lack_are_a_gap_of_the_registry(self) -> None:
        values = {A: weeks([1, 1]), B: weeks([1, 1])}
        for own in values.values():
            del own[WEDNESDAY]
        given = material(W47, values)
        (gap,) = found_in(given, InsightKind.REGISTRY_GAP)
        assert gap.numbers == GapNumbers("pypistats", (WEDNESDAY,), (), 2)
        assert gap.sentence.startswith("pypistats has no counts for 2026-11-18 in any of our series: ")
        assert self.missing(given) == []

    def test_a_day_that_one_series_lacks_is_missing(self) -> None:
        values = {A: weeks([1, 1]), B: weeks([1, 1])}
        del values[A][WEDNESDAY]
        given = material(W47, values)
        assert found_in(given, InsightKind.REGISTRY_GAP) == []
        assert self.missing(given) == [((A,), MissingNumbers((WEDNESDAY,), MissingReason.DAYS))]

    def test_days_after_the_newest_of_the_source_are_late(self) -> None:
        values = {A: weeks([1, 1]), B: weeks([1, 1])}
        for own in values.values():
            del own[SUNDAY]
        monday = frozenset({SUNDAY + timedelta(days=1)})
        given = material(W47, values, answered={A: monday, B: monday})
        assert self.missing(given) == [((A, B), MissingNumbers((SUNDAY,), MissingReason.LATE))]
        (late,) = found_in(given, InsightKind.MISSING)
        assert late.sentence == "pypistats has published no value of ours for 2026-11-22 yet."
        assert late.link == f"/api/v1/series/{A}?grain=day&from=2026-11-16&to=2026-11-22"
        days = tuple(days_between(SUNDAY + timedelta(days=1), SUNDAY + timedelta(days=3)))
        later = {name: own | dict.fromkeys(days, 1) for name, own in values.items()}
        assert [one.kind for one in found_in(material(W47, later), InsightKind.REGISTRY_GAP)] != []
        assert self.missing(material(W47, later)) == []

    def test_days_after_the_last_reading_are_not_said_to_be_unpublished(self) -> None:
        values = {A: noisy(WEDNESDAY, 100), B: noisy(WEDNESDAY, 100)}
        thursday = WEDNESDAY + timedelta(days=1)
        given = material(W47, values)
        unread = tuple(days_between(thursday, SUNDAY))
        assert self.missing(given) == [((A, B), MissingNumbers(unread, MissingReason.UNREAD))]
        (found,) = found_in(given, InsightKind.MISSING)
        assert found.sentence == (
            "pypistats was not read since 2026-11-19: nothing is known of 2026-11-19 to 2026-11-22."
        )
        assert doubtful(given) == {A: thursday, B: thursday}
        partly = replace(given, answered={A: frozenset({WEDNESDAY + timedelta(days=2)})})
        assert self.missing(partly) == [
            ((B,), MissingNumbers(unread, MissingReason.UNREAD)),
            ((A,), MissingNumbers(unread[1:], MissingReason.UNREAD)),
            ((A,), MissingNumbers(unread[:1], MissingReason.LATE)),
        ]

    def test_a_day_that_was_dropped_before_we_read_it_is_no_gap_of_the_registry(self) -> None:
        metrics = [flow(f"{name}:lance:github", "github-traffic", unit=name) for name in ("clones", "views")]
        lost, read_on = WEDNESDAY, WEDNESDAY + timedelta(days=15)
        values = {one.metric_id: noisy(read_on - timedelta(days=1), 400) for one in metrics}
        for own in values.values():
            del own[lost]
        given = material(
            W47, values, metrics=metrics, read_on=read_on, retention_days={"github-traffic": 14},
            now=midnight(read_on) + timedelta(hours=13),
        )  # fmt: skip
        names = tuple(one.metric_id for one in metrics)
        assert found_in(given, InsightKind.REGISTRY_GAP) == []
        assert self.missing(given) == [(names, MissingNumbers((lost,), MissingReason.UNREAD))]
        (found,) = found_in(given, InsightKind.MISSING)
        assert found.sentence == (
            f"{names[0]}, {names[1]} lack {lost}: they were not read 4 to 14 days later, "
            "when github-traffic should have had it."
        )
        assert doubtful(given) == dict.fromkeys(names, lost)
        answered = dict.fromkeys(names, frozenset({lost + timedelta(days=14)}))
        assert self.missing(replace(given, answered=answered)) == []
        (gap,) = found_in(replace(given, answered=answered), InsightKind.REGISTRY_GAP)
        assert gap.numbers == GapNumbers("github-traffic", (lost,), (), 2)
        one = replace(given, answered={names[0]: answered[names[0]]})
        assert found_in(one, InsightKind.REGISTRY_GAP) == []

    def test_what_is_read_at_an_instant_says_that_it_was_not_read(self) -> None:
        stars = metric("stars:lance:github", SourceWindow.INSTANT)
        pulls = metric("pulls:lance:docker", SourceWindow.INSTANT, kind=ValueKind.COUNTER)
        given = material(
            W47,
            {stars.metric_id: {WEDNESDAY: 5}, pulls.metric_id: {W47.start - timedelta(days=1): 9, SUNDAY: 5}},
            metrics=[stars, pulls],
        )
        assert self.missing(given) == [
            ((pulls.metric_id,), MissingNumbers((), MissingReason.RESET)),
            ((stars.metric_id,), MissingNumbers((), MissingReason.READING)),
        ]

    def restated_row(self, day: date, first: int, value: int) -> StatRow:
        at = datetime(2026, 11, 20, tzinfo=UTC)
        return replace(daily(day, value, metric_id=A), first_value=first, revision=1, revised_at=at)

    def test_restated_values_are_summed_by_metric(self) -> None:
        rows = (self.restated_row(WEDNESDAY, 10, 15), self.restated_row(W47.start, 10, 7))
        (found,) = found_in(material(W47, {A: weeks([1, 1])}, restated=rows), InsightKind.RESTATED)
        assert found.numbers == RestatedNumbers(2, W47.start, WEDNESDAY, 2, 5)
        assert found.importance == 2
        assert found.sentence.endswith(": +2 downloads together.")

    def test_a_value_that_was_restated_again_says_since_when_the_difference_is(self) -> None:
        again = replace(self.restated_row(WEDNESDAY, 10, 15), revision=2)
        (found,) = found_in(material(W47, {A: weeks([1, 1])}, restated=(again,)), InsightKind.RESTATED)
        assert found.numbers == RestatedNumbers(1, WEDNESDAY, WEDNESDAY, 5, 5)
        assert found.sentence.endswith(": +5 downloads together since it was first read.")

    def test_silence_is_an_answer(self) -> None:
        given = material(W47, {A: noisy(SUNDAY, 170), B: noisy(SUNDAY, 170, seed=3)}, totals=())
        quiet = [one for one in insights_of(given) if one.kind is not InsightKind.MOVER]
        assert [one.sentence for one in quiet if one.kind is InsightKind.SILENCE] == [
            "Nothing unusual: every series is within its usual range."
        ]

    def test_silence_does_not_speak_for_a_series_that_was_not_judged(self) -> None:
        short = dict.fromkeys(days_before(SUNDAY, 30), 5)
        given = material(W47, {A: noisy(SUNDAY, 170), B: short})
        (silence,) = found_in(given, InsightKind.SILENCE)
        assert silence.sentence.startswith("Nothing unusual in the 1 of 2 series")


KINDS_OF_DAY = st.sampled_from([0.0, 0.1, 1.0, 10.0])


class TestProperties:
    @given(st.permutations([A, B, C]), st.integers(0, 2**32), KINDS_OF_DAY)
    def test_the_order_of_metrics_changes_nothing(self, order: list[str], seed: int, factor: float) -> None:
        values = {
            name: with_day(noisy(SUNDAY, 400, seed=seed + at), WEDNESDAY, factor if at else 1)
            for at, name in enumerate((A, B, C))
        }
        metrics = {A: flow(A), B: flow(B, "crates"), C: flow(C, "npm")}
        first = material(W47, values, metrics=[metrics[name] for name in (A, B, C)])
        other = material(W47, values, metrics=[metrics[name] for name in order])
        assert insights_of(first) == insights_of(other)

    @given(st.integers(0, 2**32), KINDS_OF_DAY, KINDS_OF_DAY, st.sampled_from([10, 1_000]))
    def test_ten_times_the_values_change_no_classification(
        self, seed: int, factor: float, other: float, mean: int
    ) -> None:
        values = {
            A: with_day(noisy(SUNDAY, 400, seed=seed, mean=mean), WEDNESDAY, factor),
            B: with_day(noisy(SUNDAY, 400, seed=seed + 1, mean=mean), WEDNESDAY, other),
        }
        metrics = [flow(A), flow(B, "crates")]
        tenfold = {name: {day: 10 * value for day, value in own.items()} for name, own in values.items()}
        once = insights_of(material(W47, values, metrics=metrics))
        assert identities(once) == identities(insights_of(material(W47, tenfold, metrics=metrics)))

    @given(st.integers(0, 2**32), KINDS_OF_DAY, st.integers(1, 398))
    def test_a_missing_day_creates_nothing_about_the_metric_but_that_it_is_missing(
        self, seed: int, factor: float, back: int
    ) -> None:
        values = {
            A: with_day(noisy(SUNDAY, 400, seed=seed), WEDNESDAY, factor),
            B: noisy(SUNDAY, 400, seed=seed + 1),
        }
        metrics = [flow(A), flow(B, "crates")]
        before = identities(insights_of(material(W47, values, metrics=metrics)))
        del values[A][SUNDAY - timedelta(days=back)]
        after = insights_of(material(W47, values, metrics=metrics))
        created = identities([one for one in after if one.metric_ids == (A,)]) - before
        assert {kind for kind, *_ in created} <= {InsightKind.MISSING, InsightKind.HEADLINE}

    @given(st.integers(0, 2**32), KINDS_OF_DAY, st.integers(0, 398))
    def test_a_day_that_all_series_of_a_source_lack_unread_creates_only_that_it_is_missing(
        self, seed: int, factor: float, back: int
    ) -> None:
        values = {
            A: with_day(noisy(SUNDAY, 400, seed=seed), WEDNESDAY, factor),
            B: noisy(SUNDAY, 400, seed=seed + 1),
        }
        missed = SUNDAY - timedelta(days=back)
        # read while the day may be late, and again when the source has dropped it
        read_on, now = missed + timedelta(days=3), midnight(SUNDAY + timedelta(days=9))
        given: dict[str, Any] = {"read_on": read_on, "now": now, "retention_days": {"pypistats": 14}}
        before = identities(insights_of(material(W47, values, **given)))
        for own in values.values():
            del own[missed]
        after = insights_of(material(W47, values, **given))
        created = identities([one for one in after if one.metric_ids]) - before
        assert {kind for kind, *_ in created} <= {InsightKind.MISSING, InsightKind.HEADLINE}


class TestDocumentation:
    def test_the_page_is_that_of_the_rules(self) -> None:
        assert insight_docs.PAGE.read_text(encoding="utf-8") == insight_docs.rendered(), (
            "python -m tests.support.insight_docs writes it"
        )

    def test_every_kind_has_a_rule_that_names_it(self) -> None:
        assert {kind for rule in RULES for kind in rule.kinds} == {kind.value for kind in InsightKind}

    def test_every_insight_names_a_rule_of_its_kind(self) -> None:
        kinds = {rule.rule_id: rule.kinds for rule in RULES}
        values = {A: with_day(noisy(SUNDAY, 400), WEDNESDAY, 10), B: weeks([1, 1])}
        del values[B][WEDNESDAY]
        for insight in insights_of(material(W47, values)):
            assert insight.kind.value in kinds[insight.rule]

"""The charts that a digest stores: sums of complete periods, gaps where one is not, and of a bounded size."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community_metrics.model import SourceWindow, ValueKind
from community_metrics.model.digest_charts import PERIODS
from community_metrics.periods import Grain, last_periods, midnight, period_named
from community_metrics.views.digest_charts import MOST_PRODUCTS
from tests.support.digests import METRICS, OTHER, PYTHON, RUST, WEEK, digest_of, steady
from tests.support.insights import flow
from tests.support.readings import metric

if TYPE_CHECKING:
    from community_metrics.model import MetricDefinition
    from community_metrics.model.digest_charts import DigestChart
    from community_metrics.model.digest_content import Digest

LAST = WEEK.end
VALUES = {PYTHON: steady(100, LAST), RUST: steady(50, LAST), OTHER: steady(10, LAST)}
ANEW = date(2025, 10, 27)
"""Since this day crates.io counts in another way."""
SHOWN = PERIODS[Grain.WEEK]
STARS = metric("stars:p:github", SourceWindow.INSTANT, kind=ValueKind.LEVEL)


def charts(digest: Digest, about: str) -> list[DigestChart]:
    return [one for one in digest.charts if one.about == about]


def without(day: date, metric_id: str) -> dict[str, dict[date, int]]:
    return {**VALUES, metric_id: {known: value for known, value in VALUES[metric_id].items() if known != day}}


def many(count: int) -> tuple[dict[str, dict[date, int]], list[MetricDefinition]]:
    """Return values and metrics of so many products, of two series each; the first product is the largest."""
    values, metrics = {}, []
    for at in range(count):
        for sdk in ("python", "nodejs"):
            name = f"downloads:p{at}:{sdk}"
            values[name] = steady(10 * (count - at), LAST)
            metrics.append(flow(name, product=f"p{at}", sdk=sdk))
    return values, metrics


def test_a_chart_has_the_sums_of_complete_weeks_up_to_the_week_of_the_digest() -> None:
    digest = digest_of(VALUES)
    [total] = charts(digest, "total")
    assert total.periods == tuple(one.label for one in last_periods(WEEK, SHOWN))
    assert total.lines[0].values == (7 * 160,) * SHOWN
    assert [(one.lines[0].product, one.lines[0].values[-1]) for one in charts(digest, "product")] == [
        ("p", 7 * 150),
        ("q", 7 * 10),
    ]


@given(st.sampled_from((PYTHON, RUST, OTHER)), st.integers(0, 7 * SHOWN - 1))
@settings(max_examples=30, deadline=None)
def test_a_missing_day_is_a_gap_of_its_week_and_never_a_fall(name: str, back: int) -> None:
    day = LAST - timedelta(days=back)
    digest = digest_of(without(day, name))
    at = next(at for at, week in enumerate(last_periods(WEEK, SHOWN)) if week.start <= day <= week.end)
    hit = {None, "q" if name == OTHER else "p"}
    for chart in digest.charts:
        [line] = chart.lines
        [usual] = {value for value in line.values if value is not None}
        whole = [None if place == at and line.product in hit else usual for place in range(SHOWN)]
        first = next(place for place, value in enumerate(whole) if value is not None)
        assert list(line.values) == whole[first:]


def test_the_last_value_of_a_chart_is_that_of_the_scorecard() -> None:
    digest = digest_of(VALUES)
    scores = {one.product: one for one in (digest.total, *digest.scores) if one is not None}
    for chart in digest.charts:
        assert chart.lines[0].values[-1] == scores[chart.lines[0].product].value


def test_a_series_that_has_just_begun_makes_its_sums_begin_with_it() -> None:
    digest = digest_of({**VALUES, OTHER: steady(10, LAST, 7 * 4)})
    [total] = charts(digest, "total")
    assert (len(total.periods), total.lines[0].values) == (4, (7 * 160,) * 4)
    assert len(charts(digest, "product")[0].periods) == SHOWN


def test_a_single_value_is_no_chart() -> None:
    digest = digest_of({**VALUES, OTHER: steady(10, LAST, 7)})
    assert [one.lines[0].product for one in digest.charts] == ["p"]


def test_the_year_before_is_that_of_the_same_weeks() -> None:
    earlier = {LAST - timedelta(days=7 * 52 + back): 3 for back in range(7)}
    digest = digest_of({**VALUES, OTHER: VALUES[OTHER] | earlier})
    [_, own] = charts(digest, "product")
    assert own.lines[0].year_before == (*(70,) * (SHOWN - 1), 21)


def test_values_from_before_a_change_of_counting_are_not_compared() -> None:
    digest = digest_of(VALUES)
    [chart, _] = charts(digest, "product")
    weeks = [week.shifted(-52) for week in last_periods(WEEK, SHOWN)]
    assert chart.lines[0].year_before == tuple(None if week.start < ANEW else 7 * 150 for week in weeks)


def test_a_change_of_counting_within_the_chart_is_stored_with_it() -> None:
    week = period_named("2026-W10", Grain.WEEK)
    assert week is not None
    values = {name: steady(value, week.end) for name, value in ((PYTHON, 100), (RUST, 50), (OTHER, 10))}
    [chart, other] = charts(digest_of(values, week), "product")
    assert [one.day for one in chart.breaks] == [ANEW]
    assert other.breaks == ()


@pytest.mark.parametrize("label", ["2026-10", "2026-Q3"])
def test_months_and_quarters_have_their_own_number_of_periods(label: str) -> None:
    grain = Grain.QUARTER if "Q" in label else Grain.MONTH
    period = period_named(label, grain)
    assert period is not None
    values = {name: steady(value, period.end, 1_600) for name, value in ((PYTHON, 2), (RUST, 1), (OTHER, 1))}
    assert {len(one.periods) for one in digest_of(values, period).charts} == {PERIODS[grain]}


def test_a_period_that_goes_on_has_no_chart() -> None:
    digest = digest_of(VALUES, now=midnight(LAST))
    assert (digest.charts, digest.shares) == ((), ())


def test_one_product_is_its_own_total_and_is_drawn_once() -> None:
    digest = digest_of({PYTHON: VALUES[PYTHON]}, metrics=METRICS[:1])
    assert [one.about for one in digest.charts] == ["total"]


def test_the_largest_products_are_drawn_and_the_others_counted() -> None:
    values, metrics = many(20)
    own = charts(digest_of(values, metrics=metrics), "product")
    assert [one.lines[0].product for one in own] == [f"p{at}" for at in range(MOST_PRODUCTS)]
    assert {one.more for one in own} == {20 - MOST_PRODUCTS}


def test_the_charts_of_many_products_stay_small() -> None:
    values, metrics = many(60)
    digest = digest_of(values, metrics=metrics)
    size = len(json.dumps([one.model_dump(mode="json") for one in digest.charts]))
    assert size < 12_000


def test_stars_have_a_line_for_each_product() -> None:
    digest = digest_of({**VALUES, "stars:p:github": steady(5_000, LAST)}, metrics=(*METRICS, STARS))
    [chart] = charts(digest, "stars")
    assert (chart.is_level, chart.unit, [one.product for one in chart.lines]) == (True, "stars", ["p"])
    assert set(chart.lines[0].values) == {5_000}


def test_a_chart_names_only_metrics_of_the_digests_values() -> None:
    digest = digest_of({**VALUES, "stars:p:github": steady(5_000, LAST)}, metrics=(*METRICS, STARS))
    named = {name for chart in digest.charts for line in chart.lines for name in line.metric_ids}
    assert named == {value.metric_id for value in digest.values}


def test_shares_are_those_of_the_total_by_sdk() -> None:
    shares = digest_of(VALUES).shares
    assert [(one.sdk, one.value) for one in shares] == [("python", 770), ("rust", 350)]
    assert [one.share for one in shares] == [770 / 1120, 350 / 1120]


def test_there_is_no_share_where_a_series_is_not_complete() -> None:
    shares = digest_of(without(LAST, RUST)).shares
    assert [(one.sdk, one.value, one.share) for one in shares] == [("python", 770, None)]


def test_a_series_that_failed_for_long_is_in_no_chart() -> None:
    digest = digest_of({**VALUES, RUST: steady(50, LAST - timedelta(days=40))})
    assert all(RUST not in line.metric_ids for chart in digest.charts for line in chart.lines)
    [total] = charts(digest, "total")
    assert set(total.lines[0].values) == {770}

"""A metric before and after a day: the rule of `before-and-after` in docs/insights.md over made-up series."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.errors import DaysMissing, NotComparable
from community_metrics.model import TOGETHER, UNIQUES, LevelBreak, Measure, SourceWindow, ValueKind
from community_metrics.series.before_after import compare, days_read
from community_metrics.series.comparison import RegistryDays, Window
from community_metrics.series.points import points
from tests.support.insights import flow, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.model import MetricDefinition
    from community_metrics.series.comparison import Comparison

DAY = date(2026, 9, 16)
WINDOW = Window(DAY, 14)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PYTHON = flow("downloads:lance:python")
STARS = replace(
    PYTHON,
    metric_id="stars:lance:github",
    unit="stars",
    value_kind=ValueKind.LEVEL,
    source_window=SourceWindow.INSTANT,
)
MISSING = DAY - timedelta(days=3)


def steady(before: int, after: int, *, on_the_day: int = 500_000) -> dict[date, int]:
    """Return a value for each day before and another for each day after."""
    days = dict.fromkeys(WINDOW.before, before) | dict.fromkeys(WINDOW.after, after)
    return days | {DAY: on_the_day}


def compared(
    values: Mapping[date, int],
    metric: MetricDefinition = PYTHON,
    *,
    window: Window = WINDOW,
    registry: Mapping[date, int] | None = None,
    **options: Any,
) -> Comparison:
    own = points([metric], rows_of([metric], {metric.metric_id: values}), days_read(metric, window), NOW)
    total = RegistryDays("registry:pypi:all", registry) if registry else None
    return compare(own.series(0), window, registry=total, **options)


def numbers(one: Comparison) -> tuple[object, ...]:
    return one.before.mean, one.after.mean, one.before.days, one.after.days, one.net


sides = st.lists(st.integers(0, 10**9), min_size=14, max_size=14)


@given(sides, sides, st.randoms(use_true_random=False))
def test_the_order_of_the_days_of_a_side_changes_nothing(
    before: list[int], after: list[int], random: Any
) -> None:
    shuffled = [list(before), list(after)]
    for side in shuffled:
        random.shuffle(side)
    first, second = (
        compared(dict(zip(WINDOW.sides, [*one, *two], strict=True)))
        for one, two in ((before, after), shuffled)
    )
    assert numbers(first) == numbers(second)
    assert first.before.mean == pytest.approx(sum(before) / 14)


@given(
    st.dictionaries(st.sampled_from(WINDOW.sides), st.integers(0, 10**9), min_size=1),
    st.integers(0, 6),
    st.booleans(),
)
def test_two_days_of_one_weekday_of_a_side_may_change_places(
    values: dict[date, int], weekday: int, is_before: bool
) -> None:
    side = WINDOW.before if is_before else WINDOW.after
    one, other = (day for day in side if day.weekday() == weekday)
    swap = {one: other, other: one}
    swapped = {swap.get(day, day): value for day, value in values.items()}
    found: list[object] = []
    for given_values in (values, swapped):
        try:
            found.append(numbers(compared(given_values, skip_missing=True)))
        except NotComparable as error:
            found.append(str(error))
    assert found[0] == found[1]


def test_the_day_itself_is_on_neither_side_and_is_shown() -> None:
    one = compared(steady(100, 150))
    assert (one.before.mean, one.after.mean, one.on_the_day) == (100, 150, 500_000)
    assert (one.difference, one.fraction) == (50, 0.5)
    assert one.sentence.startswith(
        "downloads:lance:python: 150.0 downloads a day in the 14 days after 2026-09-16, 50.0 more (+50.0%) "
        "than in the 14 days before (100.0)."
    )


def test_a_comparison_says_what_happened_together_not_why() -> None:
    assert TOGETHER == "what happened together, not why"
    assert compared(steady(100, 150)).sentence.endswith(f"This says {TOGETHER}.")


def test_a_missing_day_is_refused_and_named() -> None:
    values = steady(100, 150)
    del values[MISSING]
    with pytest.raises(DaysMissing, match="lacks 1 day: 2026-09-13"):
        compared(values)


def test_a_missing_day_that_may_be_skipped_is_named_and_leaves_the_weekdays_even() -> None:
    weekend = {day: 100 if day.weekday() > 4 else 700 for day in WINDOW.sides}
    lacking = {day: value for day, value in weekend.items() if day != MISSING}
    one = compared(lacking, skip_missing=True)
    assert (one.missing_days, one.before.days, one.after.days) == ((MISSING,), 13, 14)
    assert one.difference == 0
    assert "Without the missing 2026-09-13." in one.sentence


def test_a_weekday_that_one_side_lacks_counts_on_neither() -> None:
    sundays = {MISSING, MISSING - timedelta(days=7)}
    one = compared(
        {day: value for day, value in steady(100, 150).items() if day not in sundays}, skip_missing=True
    )
    assert one.unpaired_days == (MISSING + timedelta(days=7), MISSING + timedelta(days=14))
    assert (one.before.days, one.after.days) == (12, 12)


def test_a_side_without_any_day_is_refused_even_where_days_may_be_skipped() -> None:
    with pytest.raises(NotComparable, match="no weekday with a value on both sides"):
        compared(dict.fromkeys(WINDOW.before, 7), skip_missing=True)


def test_the_movement_of_the_registry_is_taken_out() -> None:
    one = compared(steady(100, 150), registry=steady(10_000, 12_000))
    assert one.net is not None
    assert one.net.fraction == pytest.approx(0.2)
    assert (one.net.net_difference, one.net.net_fraction) == (30, 0.25)
    assert (
        "The registry (registry:pypi:all) changed by +20.0% in the same days; net of it the change is "
        "+30.0 downloads a day (+25.0%)." in one.sentence
    )


@given(st.integers(1, 1000), st.integers(1, 1000), st.integers(1, 50))
def test_what_moves_as_the_registry_does_has_no_growth_of_its_own(before: int, after: int, part: int) -> None:
    one = compared(steady(before, after), registry=steady(before * part, after * part))
    assert one.net is not None
    assert one.net.net_difference == 0
    assert one.net.net_fraction == 0


def test_without_a_series_of_the_registry_the_reason_is_given() -> None:
    one = compared(steady(100, 150))
    assert one.net is None
    assert one.net_reason == "not known, because no daily series of the whole registry is stored"


def test_a_day_that_the_registry_lacks_is_taken_out_only_where_days_may_be_skipped() -> None:
    registry = steady(1_000, 1_000)
    del registry[MISSING]
    refused = compared(steady(100, 150), registry=registry)
    assert refused.net is None
    assert refused.net_reason == "not known, because registry:pypi:all lacks 2026-09-13"
    skipped = compared(steady(100, 150), registry=registry, skip_missing=True)
    assert skipped.net is not None
    assert skipped.net.net_fraction == 0.5


def test_a_registry_without_downloads_on_one_side_gives_no_ratio() -> None:
    one = compared(steady(100, 150), registry=steady(0, 1_000))
    assert one.net_reason == "not known, because a mean is 0 and has no ratio"


@pytest.mark.parametrize("day", [WINDOW.first + timedelta(days=1), DAY, WINDOW.last])
def test_a_change_of_counting_between_the_days_is_refused(day: date) -> None:
    broken = LevelBreak(day, "downloads of robots are left out")
    with pytest.raises(NotComparable, match=f"counted in another way since {day}"):
        compared(steady(100, 150), breaks=(broken,))


@pytest.mark.parametrize("day", [WINDOW.first, WINDOW.last + timedelta(days=1)])
def test_a_change_of_counting_outside_of_the_days_is_none(day: date) -> None:
    assert compared(steady(100, 150), breaks=(LevelBreak(day, "other"),)).difference == 50


def test_a_level_is_compared_by_its_growth_which_may_be_negative() -> None:
    first = WINDOW.first - timedelta(days=1)
    values = {first + timedelta(days=at): 1_000 - 2 * at for at in range(15)}
    values |= {DAY + timedelta(days=at): 972 + 5 * at for at in range(15)}
    one = compared(values, STARS)
    assert (one.measure, one.before.mean, one.after.mean) == (Measure.GROWTH, -2, 5)
    assert one.fraction is None
    assert "+5.0 stars a day in the 14 days after 2026-09-16, 7.0 more than" in one.sentence


def test_a_level_that_was_not_read_on_a_day_lacks_the_growth_of_two_days() -> None:
    first = WINDOW.first - timedelta(days=1)
    values = {first + timedelta(days=at): 1_000 + at for at in range(30)}
    del values[MISSING]
    with pytest.raises(DaysMissing) as refused:
        compared(values, STARS)
    assert refused.value.days == (MISSING, MISSING + timedelta(days=1))


def test_daily_uniques_are_compared_by_the_mean_of_the_days() -> None:
    one = compared(steady(10, 20), flow("view_uniques:lance:github", unit=UNIQUES))
    assert (one.before.mean, one.after.mean) == (10, 20)


@pytest.mark.parametrize(
    ("window", "kind", "reason"),
    [
        (SourceWindow.THIRTY_DAYS, ValueKind.ROLLING, "is a rolling total of 30 days"),
        (SourceWindow.MONTH, ValueKind.FLOW, "has one value for each month"),
        (SourceWindow.WEEK, ValueKind.FLOW, "has one value for each 7d"),
    ],
)
def test_values_that_are_not_of_days_are_refused_with_the_reason(
    window: SourceWindow, kind: ValueKind, reason: str
) -> None:
    with pytest.raises(NotComparable, match=reason):
        compared({}, replace(PYTHON, source_window=window, value_kind=kind))


def test_days_that_were_low_for_everybody_are_named() -> None:
    assert compared(steady(100, 150), low=frozenset({MISSING, DAY})).low_days == (MISSING,)

"""The invented products of `demo`: the same for one seed and one day, of every kind, nothing too early."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community_metrics.catalog import load_catalog
from community_metrics.demo.database import CATALOG
from community_metrics.demo.events import notes, stated
from community_metrics.demo.goals import catalog_text
from community_metrics.demo.numbers import story_of, values
from community_metrics.demo.readings import Registries
from community_metrics.demo.world import (
    AIMS,
    DAYS,
    LOST_BY_REGISTRY,
    REGISTRY_STORIES,
    RESET,
    SIZES,
    STORIES,
    WATCHED_STORIES,
)
from community_metrics.model import UNIQUES, EventKind, SourceWindow, ValueKind, Visibility
from community_metrics.periods import ONE_DAY, Grain, last_completed, midnight
from tests.support.clock import NOON

if TYPE_CHECKING:
    from pathlib import Path

    from community_metrics.catalog import Metric
    from community_metrics.sources.base import FetchResult

DEMO = load_catalog(CATALOG)
TODAY = NOON.date()
DAYS_OF_DEMOS = st.dates(date(2026, 1, 1), date(2031, 12, 31))
METRICS = st.sampled_from(DEMO.active)


@pytest.mark.parametrize("metric", DEMO.active[::6])
def test_one_seed_and_one_day_are_the_same_numbers_and_another_seed_is_not(metric: Metric) -> None:
    def read(seed: int) -> FetchResult:
        return Registries(seed, TODAY).read(metric, date.min, midnight(TODAY))

    assert read(1) == read(1)
    assert read(1) != read(2)


def test_every_product_has_a_story_and_every_metric_a_size() -> None:
    assert {product.id for product in DEMO.products} == STORIES.keys() | WATCHED_STORIES.keys()
    assert {metric.product for metric in DEMO.metrics if not metric.is_watched} == STORIES.keys()
    assert {metric.metric_id for metric in (*DEMO.metrics, *DEMO.registries)} == SIZES.keys()
    assert {metric.product for metric in DEMO.registries} == REGISTRY_STORIES.keys()
    assert {metric.product for metric in DEMO.metrics if metric.is_watched} == WATCHED_STORIES.keys()


@given(DAYS_OF_DEMOS)
def test_everything_that_is_told_is_told_once_by_its_own_place_and_of_days_that_are_over(today: date) -> None:
    told = [(result.metric_id, event) for result in stated(DEMO.readings, today) for event in result.events]
    noted = list(notes(today))
    launches = [launch for story in STORIES.values() for launch in story.launches]
    assert sorted([*(event.title for _, event in told), *(note.title for note in noted)]) == sorted(
        launch.title for launch in launches
    )
    assert {event.kind for _, event in told} == {EventKind.RELEASE, EventKind.POST, EventKind.MENTION}
    assert all((name.partition("/")[0] == "feed") == (event.kind is EventKind.POST) for name, event in told)
    assert all(note.author for note in noted)
    assert max([*(event.happened_at.date() for _, event in told), *(note.day for note in noted)]) < today


@given(DAYS_OF_DEMOS)
def test_the_last_week_that_is_over_has_something_to_show(today: date) -> None:
    last = last_completed(midnight(today), Grain.WEEK)
    days = [launch.day(today) for story in STORIES.values() for launch in story.launches]
    assert sum(last.start <= day <= last.end for day in days) == 2


def test_goals_are_in_the_catalogue_with_dates_counted_from_the_day(tmp_path: Path) -> None:
    file = tmp_path / "catalog.toml"
    file.write_text(catalog_text(CATALOG.read_text(), TODAY))
    goals = load_catalog(file).goals
    assert [goal.name for goal in goals] == [aim.name for aim in AIMS]
    assert all(goal.day > TODAY for goal in goals)


def test_every_kind_of_number_is_there() -> None:
    assert {metric.value_kind for metric in DEMO.active} == set(ValueKind)
    assert UNIQUES in {metric.unit for metric in DEMO.active}
    assert {metric.visibility for metric in DEMO.active} == set(Visibility)
    assert {SourceWindow.DAY, SourceWindow.WEEK, SourceWindow.THIRTY_DAYS} < {m.window for m in DEMO.active}
    lists = [
        Registries(1, TODAY).read(metric, date.min, NOON).items
        for metric in DEMO.active
        if metric.source in {"github-referrers", "github-paths"}
    ]
    assert [len(found) for found in lists] == [30, 30]


def test_no_invented_package_has_a_name_that_a_real_one_could_have() -> None:
    assert all("sample" in metric.subject for metric in DEMO.metrics)


@settings(max_examples=25)
@given(METRICS, DAYS_OF_DEMOS, st.integers(0, 99))
def test_values_reach_yesterday_and_a_day_without_one_is_missing_not_zero(
    metric: Metric, today: date, seed: int
) -> None:
    rows = Registries(seed, today).read(metric, date.min, midnight(today)).observations
    found = {row.period_end: row.value for row in rows}
    assert min(found.values()) > 0
    newest = today if metric.window is SourceWindow.INSTANT else today - ONE_DAY
    late = timedelta(days=6 if metric.window is SourceWindow.WEEK else 0)
    assert newest - late <= max(found) <= newest
    age = min(DAYS, story_of(metric).age_days)
    assert (today - min(found)).days <= age
    lost = {today - ago * ONE_DAY for ago in LOST_BY_REGISTRY.get(metric.source, ())}
    assert not lost & found.keys()


@settings(max_examples=25)
@given(METRICS, DAYS_OF_DEMOS, st.integers(0, 80), st.integers(0, 86_399))
def test_nothing_is_read_before_its_days_are_over(metric: Metric, today: date, ago: int, second: int) -> None:
    at = midnight(today - ago * ONE_DAY) + timedelta(seconds=second)
    result = Registries(1, today).read(metric, today - timedelta(days=120), at)
    for row in result.observations:
        over_at = midnight(row.period_end) + (
            timedelta(0) if metric.window is SourceWindow.INSTANT else ONE_DAY
        )
        assert over_at <= row.observed_at <= at
    assert all(listed.observed_at <= at for listed in result.items)


def test_unique_visitors_are_never_more_than_visits() -> None:
    for what in ("view", "clone"):
        visits = values(DEMO.metric(f"{what}s:orchard:github"), 1, TODAY)
        people = values(DEMO.metric(f"{what}_uniques:orchard:github"), 1, TODAY)
        assert people.keys() == visits.keys()
        assert all(people[day] <= visits[day] for day in visits)


@pytest.mark.parametrize("metric", [one for one in DEMO.active if one.value_kind is ValueKind.COUNTER])
def test_a_counter_only_grows_but_for_a_reset(metric: Metric) -> None:
    found = values(metric, 1, TODAY)
    days = sorted(found)
    falls = [later for day, later in pairwise(days) if found[later] < found[day]]
    assert len(falls) == (metric.metric_id in RESET)


def test_a_level_may_fall() -> None:
    stars = values(DEMO.metric("stars:orchard:github"), 1, TODAY)
    days = sorted(stars)
    assert any(stars[later] < stars[day] for day, later in pairwise(days))


def test_a_registry_corrects_days_after_it_published_them() -> None:
    python = DEMO.metric("downloads:orchard:python")

    def stated(day: date) -> dict[date, int]:
        result = Registries(1, TODAY).read(python, date.min, midnight(day))
        return {row.period_end: row.value for row in result.observations}

    before, after = stated(TODAY - 20 * ONE_DAY), stated(TODAY)
    assert sum(before[day] != after[day] for day in before) == 3

"""The made-up world has every built-in source and kind, and days of it leave exactly its numbers stored."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.model import OutcomeStatus, RunStatus, ValueKind, Visibility
from community_metrics.periods import ONE_DAY, days_between
from community_metrics.runs.daily import is_daily
from community_metrics.runs.registry import DailyRefresh, WeeklyRefresh
from community_metrics.sources import EVERYTHING, available_sources
from tests.support.clock import NOON
from tests.support.registries import github, platforms, totals
from tests.support.registries.archive import ARCHIVE
from tests.support.registry import CRATES, NPM, PYPI, STARS, Registry
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable

    from community_metrics.catalog import Metric
    from tests.support.jobs import Rig
    from tests.support.replay import Replay

CATALOG_FILE = Path(__file__).parents[1] / "support" / "catalog_all_sources.toml"
CATALOG = load_catalog(CATALOG_FILE)
FIRST, LIMITED, RESET, LAST = (date(2026, 11, 29) + n * ONE_DAY for n in range(4))
LATE, OLDEST_TRAFFIC = FIRST - ONE_DAY, FIRST - 14 * ONE_DAY
DOCKER_METRIC, GEM_METRIC = "pulls:anvil:docker", "downloads_total:anvil:ruby"
PYPI_METRIC, RENAMED_METRIC = "downloads:anvil:python", "views:hammer:github"
Values = dict[date, int]


def _flow(registry: Registry, metric: Metric, first: date | None = None) -> Values:
    days = days_between(first or registry.first_day, registry.today - ONE_DAY)
    subject = "registry total" if (metric.source, metric.subject) == (NPM, EVERYTHING) else metric.subject
    found = {day: registry.value(metric.source, subject, day) for day in days}
    return {day: value for day, value in found.items() if value is not None}


def _archive(registry: Registry, metric: Metric) -> Values:
    days = days_between(registry.first_day, registry.today - timedelta(days=91))
    return {day: registry.value(metric.source, metric.subject, day) or 0 for day in days}


def _traffic(registry: Registry, metric: Metric) -> Values:
    name = registry.renamed.get(metric.subject, metric.subject)
    count = metric.options["count"]
    days = days_between(registry.today - 14 * ONE_DAY, registry.today - ONE_DAY)
    if metric.options.get("unique"):
        return {day: github.uniques(registry, count, name, day) or 0 for day in days}
    return {day: registry.value(count, name, day) or 0 for day in days}


def _duckdb_weeks(registry: Registry, metric: Metric) -> Values:
    last = registry.today - timedelta(days=registry.today.isoweekday() % 7)
    sundays = [last - n * timedelta(weeks=1) for n in range(100)]
    found = {sunday - ONE_DAY: platforms.week_total(registry, metric.subject, sunday) for sunday in sundays}
    return {day: value for day, value in found.items() if value}


def _today(read: Callable[[Registry, Metric], int | None]) -> Callable[[Registry, Metric], Values]:
    return lambda registry, metric: {registry.today: read(registry, metric) or 0}


def _to_yesterday(read: Callable[[Registry, Metric], int | None]) -> Callable[[Registry, Metric], Values]:
    return lambda registry, metric: {registry.today - ONE_DAY: read(registry, metric) or 0}


def _total(registry: Registry, metric: Metric) -> int | None:
    return totals.total(registry, metric.source, metric.subject)


def _platform(days: int | None = None) -> Callable[[Registry, Metric], int | None]:
    return lambda registry, metric: platforms.total(registry, metric.source, metric.subject, days)


STATED: dict[str, Callable[[Registry, Metric], Values]] = {
    PYPI: _flow,
    NPM: _flow,
    CRATES: _flow,
    ARCHIVE: _archive,
    STARS: _flow,
    "github": _today(lambda world, it: world.stars(world.renamed.get(it.subject, it.subject))),
    "github-repo": _today(lambda world, it: github.level(world, it.options["count"], it.subject)),
    "github-releases": _today(lambda world, it: sum(github.asset_downloads(world, it.subject).values())),
    "github-traffic": _traffic,
    "github-referrers": _today(lambda world, it: len(github.referrers(world, it.subject))),
    "github-paths": _today(lambda world, it: len(github.paths(world, it.subject))),
    "docker": _today(_platform()),
    "huggingface": _to_yesterday(_platform(30)),
    "huggingface-likes": _today(_platform(9)),
    "duckdb-extensions": _duckdb_weeks,
    "conda": _today(_platform()),
    "homebrew": _to_yesterday(_platform(30)),
    "homebrew-90d": _to_yesterday(_platform(90)),
    "homebrew-365d": _to_yesterday(_platform(365)),
    "rubygems": _today(_total),
    "nuget": _today(lambda world, it: totals.total(world, "nuget", it.subject, totals.last_sunday(world))),
    "packagist": _today(_total),
    "packagist-30d": _to_yesterday(lambda world, it: totals.last_30_days(world, "packagist", it.subject)),
    "open-vsx": _today(_total),
}
"""What each source states at the noon of `Registry.today`."""


def test_the_world_has_every_source_and_every_kind() -> None:
    assert {metric.source for metric in CATALOG.defined} == set(available_sources()) == set(STATED)
    assert {metric.value_kind for metric in CATALOG.metrics} == set(ValueKind)
    assert {metric.visibility for metric in CATALOG.metrics} == set(Visibility)
    assert "uniques" in {metric.unit for metric in CATALOG.metrics}


@pytest.fixture
def registry() -> Registry:
    """Return a world in which a repository has no viewers at weekends and a day of PyPI is late."""
    world = Registry(FIRST)
    world.usual |= {("views", name): 2 for name in ("anvil/hammer", "anvil/mallet")}
    world.overrides |= {(PYPI, subject, LATE): None for subject in ("__all__", "anvil")}
    return world


@pytest.fixture
def rig(rig: Rig) -> Rig:
    rig.settings_overrides |= {"catalog": CATALOG_FILE, "github_token": "ghp_x"}
    return rig


async def _pass_a_day(rig: Rig, registry: Registry, stated: dict[str, Values]) -> None:
    """Run what the day needs, and note what the registries stated to it."""
    rig.now = NOON + (registry.today - NOON.date())
    is_whole = registry.today in {FIRST, LAST}
    await rig.run(WeeklyRefresh() if is_whole else DailyRefresh())
    for metric in CATALOG.defined:
        limited = metric.metric_id == DOCKER_METRIC and registry.today == LIMITED
        if (is_whole or is_daily(metric, available_sources()[metric.source])) and not limited:
            stated[metric.metric_id] |= STATED[metric.source](registry, metric)
    registry.today += ONE_DAY


async def _four_days(rig: Rig, replay: Replay, registry: Registry) -> dict[str, Values]:
    """Return what was stated in four days, by metric; on the second, Docker Hub limits every request."""
    stated: dict[str, Values] = defaultdict(dict)
    await _pass_a_day(rig, registry, stated)
    replay.always("/v2/repositories/*", Scripted(429, body={"message": "slow down"}))
    await _pass_a_day(rig, registry, stated)
    replay.recover()
    registry.numbers["anvil/mallet"] = registry.repository_id("anvil/hammer")
    registry.renamed["anvil/hammer"] = "anvil/mallet"
    await _pass_a_day(rig, registry, stated)
    registry.overrides.clear()  # what was late is published
    await _pass_a_day(rig, registry, stated)
    return stated


def _recent(values: Values) -> set[date]:
    """Return the days that every source retains, if it retains any."""
    return {day for day in values if day > FIRST - timedelta(weeks=4)}


async def test_days_of_the_world_leave_exactly_its_numbers(
    rig: Rig, replay: Replay, registry: Registry
) -> None:
    stated = await _four_days(rig, replay, registry)
    stored: dict[str, Values] = defaultdict(dict)
    for row in [*await rig.stats(), *await rig.totals()]:
        stored[row.metric_id][row.period_end] = row.value
    invented = {it: sorted(days.items() - stated[it].items()) for it, days in stored.items()}
    assert {it: days for it, days in invented.items() if days} == {}
    lost = {it: sorted(_recent(days) - stored[it].keys()) for it, days in stated.items()}
    # a day before the first row is no zero: the repository may not have existed
    left_open = {it: [OLDEST_TRAFFIC] for it in (RENAMED_METRIC, "view_uniques:hammer:github")}
    assert {it: days for it, days in lost.items() if days} == left_open
    assert LIMITED not in stored[DOCKER_METRIC]
    assert stored[PYPI_METRIC][LATE] == registry.value(PYPI, "anvil", LATE)
    assert 0 in stored[RENAMED_METRIC].values()
    assert stored[GEM_METRIC][RESET] < stored[GEM_METRIC][LIMITED]


async def test_a_limit_fails_its_own_metric_and_no_other(
    rig: Rig, replay: Replay, registry: Registry
) -> None:
    await _four_days(rig, replay, registry)
    statuses = {run.ingestion_run_id: run.status for run in await rig.runs()}
    failed = [outcome for outcome in await rig.outcomes() if outcome.status is OutcomeStatus.FAILED]
    assert [outcome.metric_id for outcome in failed] == [DOCKER_METRIC]
    assert sorted(statuses.values()) == [RunStatus.PARTIAL, *[RunStatus.SUCCESS] * 3]
    assert statuses[failed[0].run_id] is RunStatus.PARTIAL

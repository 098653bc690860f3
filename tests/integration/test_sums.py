"""Sums of stored metrics, and the views behind the other answers for assistants, over a small database."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import TYPE_CHECKING, Final

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.errors import NotAlike
from community_metrics.model import SourceWindow
from community_metrics.periods import Grain, days_between, midnight
from community_metrics.storage import LanceDBStore
from community_metrics.storage.reader import LanceDBReader
from community_metrics.views.before_after import load_before_after
from community_metrics.views.explanation import load_explanation, sum_problem
from community_metrics.views.sums import read_sum
from tests.support.api import LAST_DAY, PYTHON, RUST, STARS, days_of, local_place, observed, write
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.config import Settings
    from community_metrics.views.sums import Sum

REGISTRY: Final = "registry:pypi:all"
SAMPLED: Final = "stars_sampled:lance:github"
OLD: Final = "downloads:lancedb:nodejs"
FAILED: Final = "downloads:lancedb:rust"
FIRST: Final = date(2026, 9, 7)
READ_AT: Final = midnight(date(2026, 11, 10))


async def fill(settings: Settings) -> None:
    """Store two months of two metrics, one that failed in October, one week of a year ago, and levels."""
    catalog = load_catalog(None)
    async with LanceDBStore.open(settings) as store:
        await store.create_tables()
        await store.upsert_metrics([one.definition(NOON) for one in (*catalog.metrics, *catalog.registries)])
        for name in (PYTHON, RUST, REGISTRY):
            await write(store, days_of(name, FIRST, LAST_DAY, at=READ_AT))
        await write(store, days_of(FAILED, FIRST, date(2026, 10, 18)))
        await write(store, days_of(OLD, date(2025, 6, 2), date(2025, 6, 10), plus=1_000))
        for name in (STARS, SAMPLED):
            days = days_between(FIRST, LAST_DAY)
            await write(
                store, [observed(name, day, day, 9, SourceWindow.INSTANT, midnight(day)) for day in days]
            )


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    place = local_place(tmp_path_factory.mktemp("sums"))
    asyncio.run(fill(place.writing))
    return place.reading


async def summed(settings: Settings, metric_ids: Sequence[str]) -> Sum:
    async with LanceDBReader.open(settings) as reader:
        rows = await read_sum(
            reader,
            load_catalog(None),
            NOON,
            metric_ids=metric_ids,
            grain=Grain.WEEK,
            first=date(2026, 10, 5),
            last=LAST_DAY,
        )
    return rows.build()


@pytest.mark.parametrize(
    ("metric_ids", "words"),
    [
        ([REGISTRY, PYTHON], "counts every package of its registry"),
        ([RUST, REGISTRY], "counts every package of its registry"),
        ([STARS, SAMPLED], "so it counts the same events"),
    ],
)
async def test_what_would_count_twice_has_no_sum(
    settings: Settings, metric_ids: list[str], words: str
) -> None:
    with pytest.raises(NotAlike, match=words):
        await summed(settings, metric_ids)


async def test_a_sum_says_which_metric_it_is_without(settings: Settings) -> None:
    view = await summed(settings, [PYTHON, RUST, FAILED])
    assert [one.metric_id for one in view.metrics] == [PYTHON, RUST]
    assert [one.metric_id for one in view.without] == [one.metric_id for one in view.left_out] == [FAILED]
    assert {(point.complete, point.observed_at) for point in view.points} == {(2, READ_AT)}
    both = await summed(settings, [PYTHON, RUST])
    assert (both.without, both.points) == ((), view.points)


def test_the_list_of_metrics_says_that_a_registry_is_not_summed() -> None:
    (registry,) = [one for one in load_catalog(None).registries if one.metric_id == REGISTRY]
    assert "counts every package of its registry" in (sum_problem(registry.definition(NOON)) or "")


async def test_the_newest_complete_week_is_found_however_old(settings: Settings) -> None:
    async with LanceDBReader.open(settings) as reader:
        view = await load_explanation(reader, load_catalog(None), NOON, metric_id=OLD)
    assert view.recent.latest is not None
    assert view.recent.latest.period.label == "2025-W23"


async def test_a_comparison_knows_when_its_days_were_read(settings: Settings) -> None:
    async with LanceDBReader.open(settings) as reader:
        catalog, day = load_catalog(None), date(2026, 10, 14)
        view = await load_before_after(reader, catalog, NOON, metric_id=PYTHON, at=day, days=7)
    assert view.observed_at == READ_AT

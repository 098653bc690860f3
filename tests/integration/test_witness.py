"""The second witness: what is kept of it, how often it is asked, and where a dispute is shown."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.cli.render.status import dispute_texts
from community_metrics.model import InsightKind, RunStatus
from community_metrics.periods import Grain, period_of
from community_metrics.runs.registry import WeeklyRefresh
from community_metrics.runs.witness import WITNESS_LIMITS
from community_metrics.series.insights.model import DisputedNumbers
from community_metrics.storage import LanceDBReader
from community_metrics.views.insights import read_insights
from community_metrics.views.series import DayRange, load_series
from community_metrics.views.status import load_status
from tests.integration.test_jobs_etiquette import catalog_of
from tests.support.clock import NOON
from tests.support.jobs import finished
from tests.support.registry import PYPI
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from pathlib import Path

    from community_metrics.model import WitnessedDay
    from community_metrics.series.disputes import Dispute
    from tests.support.jobs import Rig

PYTHON = "downloads:p:python"
YESTERDAY = NOON.date() - timedelta(days=1)
DAY = YESTERDAY - timedelta(days=10)


@pytest.fixture
def rig(rig: Rig, tmp_path: Path) -> Rig:
    """A database for one package, since nobody else is witnessed."""
    rig.settings_overrides["catalog"] = catalog_of(tmp_path, (PYTHON, "pypistats", "pylance", "1d"))
    return rig


def disagree(rig: Rig) -> None:
    """Let pypistats count half of a day, after ClickPy counted all of it."""
    registry = rig.replay.registry
    assert registry is not None
    registry.clickpy_overrides[DAY] = 1_000
    registry.overrides[PYPI, "pylance", DAY] = 500


async def seen(rig: Rig) -> list[WitnessedDay]:
    async with LanceDBReader.open(rig.settings) as reader:
        return await reader.witnessed([PYTHON], since=YESTERDAY - timedelta(days=99))


async def shown(rig: Rig) -> tuple[Dispute, ...]:
    async with LanceDBReader.open(rig.settings) as reader:
        return (await load_status(reader, load_catalog(rig.settings.catalog), rig.now)).disputes


def queries(rig: Rig) -> int:
    return sum(request.method == "POST" and request.path == "/" for request in rig.replay.requests)


async def test_five_weeks_are_kept_and_a_witness_that_agrees_disputes_nothing(rig: Rig) -> None:
    await rig.run(WeeklyRefresh())
    days = [row.day for row in await seen(rig)]
    assert days == [YESTERDAY - timedelta(days=back) for back in reversed(range(35))]
    assert await shown(rig) == ()


async def test_it_is_asked_once_a_week(rig: Rig) -> None:
    for wait in (timedelta(), timedelta(days=2), timedelta(days=5)):
        rig.now += wait
        await rig.run(WeeklyRefresh())
    assert queries(rig) == 2


async def test_a_metric_that_its_own_source_refuses_asks_no_witness(rig: Rig) -> None:
    rig.replay.always("/api/packages/*", Scripted(404, body={}))
    await rig.run(WeeklyRefresh())
    assert (queries(rig), await seen(rig)) == (0, [])


async def test_a_disputed_day_is_shown_with_both_values_and_nothing_is_corrected(rig: Rig) -> None:
    disagree(rig)
    await rig.run(WeeklyRefresh())
    assert dispute_texts(await shown(rig)) == [
        f"{PYTHON} is disputed on 1 day: {DAY} (500, clickpy counts 1,000)"
    ]
    (stored,) = [row for row in await rig.stats() if row.period_end == DAY]
    assert stored.value == 500
    days = DayRange(Grain.DAY, DAY, DAY, 9)
    async with LanceDBReader.open(rig.settings) as reader:
        catalog = load_catalog(rig.settings.catalog)
        view = await load_series(reader, catalog, rig.now, metric_id=PYTHON, days=days)
    assert [(one.day, one.value, one.witness_value) for one in view.disputes] == [(DAY, 500, 1_000)]


async def test_an_insight_says_that_a_day_is_disputed(rig: Rig) -> None:
    disagree(rig)
    await rig.run(WeeklyRefresh())
    week = period_of(DAY, Grain.WEEK)
    async with LanceDBReader.open(rig.settings) as reader:
        rows = await read_insights(reader, load_catalog(rig.settings.catalog), rig.now, period=week)
    (found,) = [one for one in rows.build().insights if one.kind is InsightKind.DISPUTED]
    assert found.sentence == (
        f"{PYTHON} is disputed on 1 day, {DAY}: on {DAY} pypistats counts 500 downloads, clickpy 1,000. "
        "Nothing is corrected."
    )
    assert (found.importance, found.numbers) == (500, DisputedNumbers((DAY,), "clickpy", (500,), (1_000,)))


async def test_a_day_that_the_source_corrects_is_disputed_no_longer(rig: Rig) -> None:
    disagree(rig)
    await rig.run(WeeklyRefresh())
    assert rig.replay.registry is not None
    rig.replay.registry.overrides[PYPI, "pylance", DAY] = 1_010
    rig.now += timedelta(days=1)
    await rig.run(WeeklyRefresh())
    assert await shown(rig) == ()


async def test_a_witness_that_fails_takes_nothing_from_the_refresh(rig: Rig) -> None:
    rig.replay.always("/", Scripted(404, {"x-clickhouse-exception-code": "60"}, body_text="Code: 60."))
    report = await rig.run(WeeklyRefresh())
    assert report.run.status is RunStatus.SUCCESS
    assert report.notes[-1].startswith("The second witness was not compared: ")
    assert await seen(rig) == []


async def test_the_values_of_a_run_are_stored_before_the_witness_is_asked(rig: Rig) -> None:
    code, _, _ = finished(rig.start(WeeklyRefresh(), kill_at="before:record_witnessed:1"))
    assert code == -9
    assert queries(rig) == 1
    assert YESTERDAY in {row.period_end for row in await rig.stats()}


def test_a_query_may_take_a_minute_and_holds_up_a_refresh_only_once() -> None:
    assert 60 < WITNESS_LIMITS.read_s < WITNESS_LIMITS.attempt_s <= 90
    assert WITNESS_LIMITS.total_s < WITNESS_LIMITS.read_s


async def test_a_stalled_witness_says_nothing_of_the_days_that_it_lacks(rig: Rig) -> None:
    assert rig.replay.registry is not None
    rig.replay.registry.clickpy_until = YESTERDAY - timedelta(days=20)
    await rig.run(WeeklyRefresh())
    assert max(row.day for row in await seen(rig)) == YESTERDAY - timedelta(days=20)


@pytest.mark.parametrize(("usual", "kept"), [(1_000, []), (3, [0])])
async def test_a_day_without_a_row_is_a_zero_only_beside_small_days(
    rig: Rig, usual: int, kept: list[int]
) -> None:
    registry = rig.replay.registry
    assert registry is not None
    registry.usual[PYPI, "pylance"] = usual
    registry.clickpy_overrides[DAY] = 0
    await rig.run(WeeklyRefresh())
    assert [row.value for row in await seen(rig) if row.day == DAY] == kept


async def test_a_metric_may_have_no_witness(rig: Rig) -> None:
    path = rig.settings.catalog
    assert path is not None
    path.write_text(path.read_text().replace('window = "1d"', 'window = "1d"\nwitness = "none"'))
    await rig.run(WeeklyRefresh())
    assert (queries(rig), await seen(rig)) == (0, [])

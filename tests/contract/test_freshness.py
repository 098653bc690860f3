"""How old the data are, over every kind of storage: however it is found, it is the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from community_metrics.model import Provenance, RunStatus, SourceWindow, ValueMark
from community_metrics.periods import today
from community_metrics.storage.reader import NEWEST_RUNS
from community_metrics.views.runs import load_freshness
from tests.support.clock import NOON
from tests.support.readings import metric
from tests.support.rows import run
from tests.support.worlds import METRIC, OTHER, observed_days

if TYPE_CHECKING:
    from community_metrics.storage import LanceDBStore
    from tests.support.worlds import World

MINUTE = timedelta(minutes=1)
LONGER = "downloads:b:rust"


async def write(store: LanceDBStore, metric_id: str, days: int, provenance: Provenance) -> None:
    await store.upsert_observations(
        observed_days(days, metric_id=metric_id), provenance=provenance, run_id="first", now=NOON
    )


async def test_the_last_runs_are_found_however_many_others_came_after_them(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await store.record_run(run(NOON, run_id="complete"))
        await store.record_run(run(NOON + MINUTE, RunStatus.PARTIAL, run_id="read"))
        for number in range(NEWEST_RUNS):
            other = run(NOON + (2 + number) * MINUTE, run_id=f"other-{number:02}", job_name="digest")
            await store.record_run(other)
        found = await load_freshness(store, NOON + timedelta(hours=2))
    assert found.last_complete_run is not None
    assert found.last_complete_run.ingestion_run_id == "complete"
    assert found.read_at == run(NOON + MINUTE).finished_at


async def test_rows_that_are_read_anyway_say_how_new_a_source_is_like_a_search(local_world: World) -> None:
    """A row of a seed file does not count, and no source of which only some metrics are read."""
    python, *crates = (metric(name, SourceWindow.DAY) for name in (METRIC, OTHER, LONGER))
    definitions = [python, *(replace(one, source="crates") for one in crates)]
    async with local_world.open() as store:
        await store.create_tables()
        await store.upsert_metrics(definitions)
        await write(store, METRIC, 5, Provenance.API)
        await write(store, METRIC, 9, Provenance.CSV_SEED)
        await write(store, OTHER, 3, Provenance.API)
        await write(store, LONGER, 6, Provenance.API)
        searched = await load_freshness(store, NOON, definitions)
        for names in ([METRIC], [METRIC, OTHER], [one.metric_id for one in definitions]):
            read = store.readings(names, until=today(NOON))
            assert (await load_freshness(store, NOON, definitions, read)).newest_days == searched.newest_days
    assert len(searched.newest_days) == 2


async def test_a_day_that_a_registry_counted_low_keeps_its_mark(world: World) -> None:
    low, usual = observed_days(2)
    async with world.open() as store:
        await store.create_tables()
        rows = [replace(low, mark=ValueMark.LOW_FOR_EVERYBODY), usual]
        await store.upsert_observations(rows, provenance=Provenance.API, run_id="first", now=NOON)
        readings = await store.readings([METRIC])
    whole = {"since": low.period_end, "until": usual.period_end}
    assert readings.marked(ValueMark.LOW_FOR_EVERYBODY, **whole) == {(METRIC, low.period_end)}
    assert not readings.marked(ValueMark.IMPLIED_ZERO, **whole)
    assert not readings.marked(ValueMark.LOW_FOR_EVERYBODY, since=usual.period_end, until=usual.period_end)

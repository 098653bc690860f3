"""What one run wrote is taken back, from kept versions or from a backup, or refused with the reason."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.backup.manifest import backup_ids
from community_metrics.backup.place import place_of
from community_metrics.backup.writing import back_up
from community_metrics.catalog import load_catalog
from community_metrics.errors import UndoRefused
from community_metrics.model import (
    BACKFILL_JOB,
    LastRead,
    OutcomeStatus,
    Provenance,
    RunOutcome,
    RunStatus,
    TrafficSet,
    ValueKind,
    Witness,
    WitnessedDay,
)
from community_metrics.runs import record
from community_metrics.runs.batches import Batches
from community_metrics.runs.execute import execute
from community_metrics.runs.job import NoProgress, RunContext
from community_metrics.runs.registry import WeeklyRefresh
from community_metrics.runs.restore import restore
from community_metrics.runs.to_read import to_read
from community_metrics.runs.undo import undo
from community_metrics.views.backfill import load_fill_back
from community_metrics.views.runs import load_freshness, ran_since
from tests.contract.test_runs import OneRow
from tests.contract.test_storage_contract import a_metric, a_run
from tests.support.backups import KilledError, elsewhere, rows_of
from tests.support.clock import NOON, FakeClock
from tests.support.worlds import DAY_ONE, METRIC, OTHER, SmallPagesStore, World, observed_days

if TYPE_CHECKING:
    import pyarrow as pa

    from community_metrics.storage import LanceDBStore

REFERRERS = "referrers:lance:github"
HOUR = timedelta(hours=1)
RNG = Random(0)  # noqa: S311  jitter


@pytest.fixture(params=["local", "enterprise"])
def written_world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """A database whose backups go to a folder of the test."""
    world: World = request.getfixturevalue(f"{request.param}_world")
    target = {"backup_target": str(tmp_path / "backups")}
    return World(world.settings.model_copy(update=target), world.enterprise)


async def run(
    store: LanceDBStore, number: int, days: int, *, first_value: int, metric_id: str = METRIC
) -> str:
    """Write values and a list of places as a run does that ends in hour `number`; return its id."""
    run_id, at = f"run-{number}", NOON + number * HOUR
    rows = observed_days(days, metric_id=metric_id, first_value=first_value)
    counts = await store.upsert_observations(rows, provenance=Provenance.API, run_id=run_id, now=at)
    names = (f"site-{number}",)
    listed = TrafficSet(REFERRERS, NOON.date(), names, (), (1,), (1,), at, "https://x.example")
    await store.upsert_traffic([listed], run_id=run_id)
    ended = {"finished_at": at + timedelta(minutes=5), "status": RunStatus.SUCCESS}
    counted = {"rows_inserted": counts.inserted, "rows_updated": counts.updated}
    await store.record_run(a_run(run_id, started_at=at, **ended, **counted))
    return run_id


async def read(store: LanceDBStore, run_id: str, days: int) -> None:
    """Record that a run read values of the metric, the newest for the last day that `run` writes."""
    last_day = observed_days(days)[-1].period_end
    success = RunOutcome(run_id, METRIC, OutcomeStatus.SUCCESS, None, None, None, days, last_day)
    await store.record_outcomes([success])


async def save(world: World, hour: float) -> None:
    place = place_of(world.settings)
    await back_up(world.settings, place, keep_all=True, clock=FakeClock(NOON + hour * HOUR))


async def taken_back(world: World, run_id: str, **options: Any) -> tuple[int, int]:
    report = await undo(world.settings, run_id, clock=FakeClock(NOON + 9 * HOUR), **options)
    return report.restored, report.deleted


async def values_of(world: World) -> list[list[dict[str, Any]]]:
    rows = await rows_of(world)
    return [rows["stats"], rows["traffic_items"]]


async def test_the_values_of_before_come_back_and_new_rows_go(written_world: World) -> None:
    async with written_world.open() as store:
        await store.create_tables()
        await run(store, 1, 4, first_value=100)
        before = await values_of(written_world)
        await save(written_world, 2)
        bad = await run(store, 3, 6, first_value=900)
        other = LastRead(OTHER, NOON, NOON, "run-1")
        await store.record_reads([other, LastRead(METRIC, NOON, NOON, bad)])
        assert await taken_back(written_world, bad, dry_run=True) == (5, 2)
        assert await values_of(written_world) != before
        assert await taken_back(written_world, bad) == (5, 2)  # 4 values and the list, and 2 new days
        assert await values_of(written_world) == before
        assert await store.last_reads() == [other]  # so that the metric is read again, also on the same day
        undone, *others = await store.runs(limit=9)
    assert (undone.job_name, undone.scope, undone.status) == ("undo", bad, RunStatus.SUCCESS)
    assert undone.rows_updated == 7
    assert [one.ingestion_run_id for one in others] == [bad, "run-1"]


async def test_kept_versions_are_enough(local_world: World) -> None:
    async with local_world.open() as store:
        await store.create_tables()
        await run(store, 1, 4, first_value=100)
        before = await values_of(local_world)
        bad = await run(store, 3, 6, first_value=900)
        await store.optimize()
        assert await taken_back(local_world, bad) == (5, 2)
    assert await values_of(local_world) == before


class Forgetful(SmallPagesStore):
    """Keeps no old version, as the next run a day later."""

    keep_versions = timedelta(milliseconds=1)


async def test_the_upkeep_at_the_end_of_a_run_leaves_the_versions_from_before_it(local_world: World) -> None:
    async with local_world.open() as store:
        await store.create_tables()
        await run(store, 1, 4, first_value=100)
        before = await store.stats([METRIC])
        clock = FakeClock(NOON + 3 * HOUR)
        report = await execute(OneRow(), local_world.settings, clock=clock, rng=RNG, store_type=Forgetful)
        assert await store.stats([METRIC]) != before
        restored, deleted = await taken_back(local_world, report.run.ingestion_run_id)
        assert (restored + deleted, await store.stats([METRIC])) == (1, before)


async def test_two_runs_are_taken_back_one_after_the_other(local_world: World) -> None:
    """A version in which the second had replaced every row of the first is not one from before the first."""
    async with local_world.open() as store:
        await store.create_tables()
        await run(store, 1, 2, first_value=100)
        before = await values_of(local_world)
        first = await run(store, 3, 4, first_value=500)
        between = await values_of(local_world)
        second = await run(store, 5, 4, first_value=900)
        await taken_back(local_world, second)
        assert await values_of(local_world) == between
        await taken_back(local_world, first)
    assert await values_of(local_world) == before


async def test_a_version_with_values_of_an_unknown_run_is_not_used(
    local_world: World, tmp_path: Path
) -> None:
    """Such a run was lost by a restore, so whether its values are from before the run is not known."""
    world = World(local_world.settings.model_copy(update={"backup_target": str(tmp_path / "none")}), None)
    async with world.open() as store:
        await store.create_tables()
        values = observed_days(4, first_value=100)
        await store.upsert_observations(values, provenance=Provenance.API, run_id="lost", now=NOON)
        bad = await run(store, 3, 4, first_value=900)
        stored = await values_of(world)
        with pytest.raises(UndoRefused, match="the tables keep no version"):
            await taken_back(world, bad)
    assert await values_of(world) == stored


async def test_what_later_runs_replaced_is_refused_and_names_them_newest_first(written_world: World) -> None:
    async with written_world.open() as store:
        await store.create_tables()
        bad = await run(store, 1, 4, first_value=900)
        await read(store, bad, 4)
        await run(store, 2, 2, first_value=910)
        await run(store, 3, 1, first_value=920)
        before = await values_of(written_world)
        await run(store, 4, 2, first_value=1, metric_id=OTHER)
        with pytest.raises(UndoRefused, match=r"metrics: run-3, run-2\. .*runs undo run-3") as caught:
            await taken_back(written_world, bad)
    assert caught.value.later == ("run-3", "run-2")
    assert (await values_of(written_world))[0][: len(before[0])] == before[0]


@pytest.mark.parametrize("kind", [ValueKind.FLOW, ValueKind.COUNTER])
async def test_a_later_run_of_other_days_is_in_the_way_only_of_a_counter(
    local_world: World, kind: ValueKind
) -> None:
    async with local_world.open() as store:
        await store.create_tables()
        await store.upsert_metrics([a_metric(value_kind=kind)])
        bad = await run(store, 1, 4, first_value=900)
        await read(store, bad, 4)
        await run(store, 2, 6, first_value=900)  # the first 4 days are stored, as they are
        if kind is ValueKind.COUNTER:
            with pytest.raises(UndoRefused, match="run-2"):
                await taken_back(local_world, bad)
        else:
            assert await taken_back(local_world, bad) == (0, 4)


async def test_without_a_version_or_a_backup_the_values_of_before_are_not_known(
    enterprise_world: World, tmp_path: Path
) -> None:
    target = {"backup_target": str(tmp_path / "backups")}
    world = World(enterprise_world.settings.model_copy(update=target), enterprise_world.enterprise)
    async with world.open() as store:
        await store.create_tables()
        await run(store, 1, 4, first_value=100)
        bad = await run(store, 3, 6, first_value=900)
        with pytest.raises(UndoRefused, match="backups has no backup from before it"):
            await taken_back(world, bad)
        await save(world, 4)  # made after it
        with pytest.raises(UndoRefused, match="backups has no backup from before it"):
            await taken_back(world, bad)


async def test_a_backup_that_lacks_a_run_of_before_is_not_used(
    enterprise_world: World, tmp_path: Path
) -> None:
    target = {"backup_target": str(tmp_path / "backups")}
    world = World(enterprise_world.settings.model_copy(update=target), enterprise_world.enterprise)
    async with world.open() as store:
        await store.create_tables()
        await store.record_run(a_run("run-0", finished_at=NOON, status=RunStatus.SUCCESS))
        await save(world, 0)
        await run(store, 1, 4, first_value=100)
        bad = await run(store, 3, 6, first_value=900)
        with pytest.raises(UndoRefused, match=r"these runs wrote values after that: run-1\. Nothing"):
            await taken_back(world, bad)


@pytest.fixture
def remote_world(enterprise_world: World, tmp_path: Path) -> World:
    """A cluster, of which no version is read, with backups in a folder of the test."""
    target = {"backup_target": str(tmp_path / "backups")}
    return World(enterprise_world.settings.model_copy(update=target), enterprise_world.enterprise)


async def test_a_backup_that_was_begun_before_the_run_and_read_after_it_is_not_used(
    remote_world: World,
) -> None:
    async with remote_world.open() as store:
        await store.create_tables()
        await run(store, 1, 4, first_value=100)
        before = await values_of(remote_world)
        await save(remote_world, 2)
        bad = await run(store, 3, 6, first_value=900)
        await save(remote_world, 2.9)  # its id is older than the run, whose rows it has
        assert await taken_back(remote_world, bad) == (5, 2)
    assert await values_of(remote_world) == before


async def test_values_that_this_database_did_not_have_are_not_taken(remote_world: World) -> None:
    place = place_of(remote_world.settings)
    async with remote_world.open() as store:
        await store.create_tables()
        await run(store, 1, 4, first_value=100)
        await save(remote_world, 2)
        await run(store, 3, 4, first_value=900)
        await save(remote_world, 4)
    oldest = backup_ids(place.keys())[0]
    await restore(remote_world.settings, place, oldest, replaces=True, clock=FakeClock(NOON + 5 * HOUR))
    before = await values_of(remote_world)
    other = elsewhere(remote_world)
    async with other.open() as store:
        await store.create_tables()
        await run(store, 1, 4, first_value=7)
        await save(other, 5.5)
    async with remote_world.open() as store:
        bad = await run(store, 6, 4, first_value=500)
        assert await taken_back(remote_world, bad) == (5, 0)
    assert await values_of(remote_world) == before


async def test_a_loaded_run_does_not_make_the_values_of_a_lost_one_known(remote_world: World) -> None:
    place = place_of(remote_world.settings)
    async with remote_world.open() as store:
        await store.create_tables()
        await run(store, 1, 4, first_value=100)
        await save(remote_world, 2)
        lost = await store.run(await run(store, 3, 4, first_value=900))
        await save(remote_world, 4)
    oldest = backup_ids(place.keys())[0]
    await restore(remote_world.settings, place, oldest, replaces=True, clock=FakeClock(NOON + 5 * HOUR))
    before = await values_of(remote_world)
    async with remote_world.open() as store:
        assert lost is not None
        await store.insert_runs([replace(lost, loaded_by="import-1")])  # from an export of what was lost
        bad = await run(store, 6, 4, first_value=500)
        assert await taken_back(remote_world, bad) == (5, 0)
    assert await values_of(remote_world) == before


async def test_an_undo_that_was_stopped_is_continued_by_the_next(written_world: World) -> None:
    class Stopping(SmallPagesStore):
        async def put_back(self, table: str, run_id: str, before: pa.Table) -> int:
            count = await super().put_back(table, run_id, before)
            if table == "stats":
                raise KilledError(table)
            return count

    async with written_world.open() as store:
        await store.create_tables()
        await run(store, 1, 4, first_value=100)
        before = await values_of(written_world)
        await save(written_world, 2)
        bad = await run(store, 3, 6, first_value=900)
        with pytest.raises(KilledError, match="stats"):
            await taken_back(written_world, bad, store_type=Stopping)
        assert await taken_back(written_world, bad) == (1, 0)
        assert await values_of(written_world) == before
        with pytest.raises(UndoRefused, match=f"No stored value is of the run {bad}"):
            await taken_back(written_world, bad)


def forget_table(manifest: Path, name: str) -> None:
    """Make the backup one of a version that did not have the table."""
    older = json.loads(manifest.read_text(encoding="utf-8"))
    older["tables"] = [table for table in older["tables"] if table["name"] != name]
    manifest.write_text(json.dumps(older), encoding="utf-8")


async def test_a_table_that_the_backup_of_an_older_version_lacks_had_no_rows(remote_world: World) -> None:
    place = place_of(remote_world.settings)
    async with remote_world.open() as store:
        await store.create_tables()
        await run(store, 1, 4, first_value=100)
        before = await values_of(remote_world)
        await save(remote_world, 2)
        forget_table(Path(str(place), backup_ids(place.keys())[0], "manifest.json"), "witness")
        bad = await run(store, 3, 6, first_value=900)
        await store.record_witnessed(
            [WitnessedDay(METRIC, DAY_ONE, Witness.CLICKPY, 5, NOON, "https://x", bad)]
        )
        assert await taken_back(remote_world, bad) == (5, 3)
        assert (await rows_of(remote_world))["witness"] == []
    assert await values_of(remote_world) == before


async def leave_unfinished(store: LanceDBStore, run_id: str, *, is_killed: bool = False) -> None:
    """Make the run one that the next weekly refresh continues."""
    begun = await store.run(run_id)
    assert begun is not None
    ended = {"status": RunStatus.RUNNING, "finished_at": None} if is_killed else {"metrics_left": 1}
    await store.record_run(replace(begun, lookback_weeks=WeeklyRefresh().lookback_weeks, **ended))


async def read_next(world: World, store: LanceDBStore) -> list[str]:
    """Return the metric if the next weekly refresh reads it."""
    catalog, job, clock = load_catalog(None), WeeklyRefresh(), FakeClock(NOON + 10 * HOUR)
    batches = Batches(record.begun(job, "next", clock.now()))
    context = RunContext(job, world.settings, catalog, store, clock, RNG, NoProgress(), "next", batches)
    return [one.metric_id for one in (await to_read(job, catalog.select((METRIC,)), context)).metrics]


@pytest.mark.parametrize("is_killed", [False, True])
async def test_an_undone_run_is_not_continued(local_world: World, is_killed: bool) -> None:
    """A run that left metrics is continued by the next, which takes what it read as read."""
    async with local_world.open() as store:
        await store.create_tables()
        bad = await run(store, 3, 6, first_value=900)
        await read(store, bad, 6)
        await leave_unfinished(store, bad, is_killed=is_killed)
        assert await read_next(local_world, store) == []
        await taken_back(local_world, bad)
        assert await read_next(local_world, store) == [METRIC]


async def test_what_a_later_run_confirmed_is_read_again(local_world: World) -> None:
    """It found the values unchanged and wrote none, so that they went with the run that was taken back."""
    at = NOON + 4 * HOUR
    async with local_world.open() as store:
        await store.create_tables()
        bad = await run(store, 3, 6, first_value=900)
        await read(store, bad, 6)
        later = await run(store, 4, 6, first_value=900)
        await read(store, later, 6)
        await leave_unfinished(store, later)
        other = LastRead(OTHER, at, at, later)
        await store.record_reads([other, LastRead(METRIC, at, at, later)])
        assert await read_next(local_world, store) == []
        await taken_back(local_world, bad)
        assert await store.last_reads() == [other]
        assert await read_next(local_world, store) == [METRIC]


async def test_an_undone_run_is_not_the_last_complete_one(written_world: World) -> None:
    """Else the page stays fresh, and no catch-up is due, while the values are gone."""
    now = NOON + 9 * HOUR
    async with written_world.open() as store:
        await store.create_tables()
        await run(store, 1, 4, first_value=100)
        await save(written_world, 2)
        bad = await run(store, 3, 6, first_value=900)
        found = await load_freshness(store, now)
        assert found.last_complete_run is not None
        assert found.last_complete_run.ingestion_run_id == bad
        assert await ran_since(store, "weekly_refresh", NOON + 2 * HOUR, now)
        await taken_back(written_world, bad)
        found = await load_freshness(store, now)
        assert found.last_complete_run is not None
        assert found.last_complete_run.ingestion_run_id == "run-1"
        assert found.read_at == found.last_success_at == found.last_complete_run.finished_at
        assert not await ran_since(store, "weekly_refresh", NOON + 2 * HOUR, now)


async def test_what_an_undone_backfill_had_filled_is_to_be_filled_again(local_world: World) -> None:
    async def is_done() -> bool:
        rows = await load_fill_back(store, load_catalog(None), NOON + 9 * HOUR)
        return next(row.is_done for row in rows if row.metric_id == METRIC)

    async with local_world.open() as store:
        await store.create_tables()
        bad = await run(store, 3, 6, first_value=900)
        await read(store, bad, 6)
        ended = await store.run(bad)
        assert ended is not None
        begin = NOON.date() - timedelta(days=20_000)
        await store.record_run(replace(ended, job_name=BACKFILL_JOB, window_start=begin))
        assert await is_done()
        await taken_back(local_world, bad)
        assert not await is_done()


async def test_an_unknown_run_is_refused(local_world: World) -> None:
    async with local_world.open() as store:
        await store.create_tables()
        with pytest.raises(UndoRefused, match="No run 'nine' is stored"):
            await taken_back(local_world, "nine")

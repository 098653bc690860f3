"""A backup has every row of one instant, and a restore returns them, from and into every kind of storage."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.backup.place import Place, place_of
from community_metrics.backup.reading import chosen_manifest, verify
from community_metrics.backup.writing import back_up
from community_metrics.errors import (
    BackupDamaged,
    ConfigurationError,
    NoBackup,
    RestoreRefused,
    RunLocked,
    StorageSchemaMismatch,
)
from community_metrics.model import Provenance
from community_metrics.runs.restore import drill, move, restore
from community_metrics.storage.schemas import STATS, TABLES
from community_metrics.storage.whole import DATA_TABLES
from tests.contract.conftest import BUCKET
from tests.support.backups import DAYS, KilledError, ScriptedPlace, elsewhere, fill, rows_of
from tests.support.clock import NOON, FakeClock
from tests.support.enterprise import READ_KEY
from tests.support.worlds import METRIC, NOW, OTHER, SmallPagesStore, World, observed, only_writer, raw_table

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from community_metrics.backup.manifest import Manifest


IN_PROCESS_AND_REMOTE = pytest.mark.parametrize("world", ["local", "enterprise"], indirect=True)


@pytest.fixture
def folder(tmp_path: Path, local_world: World) -> Place:
    return place_of(local_world.settings, str(tmp_path / "backups"))


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest) -> Place:
    """Each kind of place, for backups of a database in a folder."""
    if request.param == "folder":
        found: Place = request.getfixturevalue("folder")
        return found
    bucket: World = request.getfixturevalue("s3_world")
    return place_of(bucket.settings, f"s3://{BUCKET}/some/backups")


async def backed_up(world: World, place: Place, **options: Any) -> Manifest:
    clock = options.pop("clock", FakeClock())
    return (await back_up(world.settings, place, clock=clock, **options)).manifest


def stored_keys(place: Place) -> list[str]:
    return place.keys()


async def add_a_day(world: World, value: int = 7) -> None:
    async with world.open() as store:
        await store.upsert_observations(
            [observed(value, metric_id=OTHER)], provenance=Provenance.API, run_id="run-2", now=NOW
        )


# backup and restore


async def test_a_restored_database_has_every_row_of_the_backup(world: World, folder: Place) -> None:
    await fill(world)
    before = await rows_of(world)
    manifest = await backed_up(world.with_key(READ_KEY), folder)
    target = elsewhere(world)
    report = await restore(target.settings, folder, clock=FakeClock())
    assert await rows_of(target) == before
    assert all(before.values())
    assert {table.name: table.rows for table in manifest.tables} == {
        name: len(rows) for name, rows in before.items()
    }
    assert report.manifest == manifest == await verify(folder)
    async with target.open() as store:
        assert await store.unusable_indexes() == {}


@pytest.mark.parametrize("source", ["local_world", "enterprise_world"])
async def test_a_move_to_the_other_mode_leaves_the_source_as_it_is(
    source: str, request: pytest.FixtureRequest, local_world: World, enterprise_world: World
) -> None:
    world: World = request.getfixturevalue(source)
    target = enterprise_world if world is local_world else local_world
    await fill(world)
    before = await rows_of(world)
    await move(world.settings, target.settings, clock=FakeClock())
    assert await rows_of(world) == await rows_of(target) == before


async def test_no_run_writes_to_the_source_of_a_move(local_world: World) -> None:
    await fill(local_world)
    async with local_world.open() as store:
        await store.acquire_lease("run-7", "another-host", 1, NOON, timedelta(minutes=2))
    with pytest.raises(RunLocked, match="run-7"):
        await move(local_world.settings, elsewhere(local_world).settings, clock=FakeClock())


async def test_a_database_is_not_moved_onto_itself(local_world: World) -> None:
    await fill(local_world)
    with pytest.raises(ConfigurationError, match="is this database"):
        await move(local_world.settings, local_world.settings, clock=FakeClock())


@IN_PROCESS_AND_REMOTE
async def test_a_backup_has_the_rows_of_one_instant_while_others_write(world: World, folder: Place) -> None:
    await fill(world)
    before = await rows_of(world)

    class Busy(ScriptedPlace):
        def put(self, key: str, file: Path) -> None:
            super().put(key, file)
            if len(self.puts) == 1:  # the tables after the first are read when the row is there
                writer = SmallPagesStore.open(world.settings)
                connection = _in_a_thread(writer)
                assert connection == len(before["stats"]) + 1

    await back_up(world.settings, Busy(folder), clock=FakeClock())
    target = elsewhere(world)
    await restore(target.settings, folder, clock=FakeClock())
    assert await rows_of(target) == before


def _in_a_thread(store: Any) -> int:
    import asyncio  # noqa: PLC0415  the place is called in a thread, which has no loop

    async def add() -> int:
        async with store:
            await store.upsert_observations(
                [observed(7, metric_id=OTHER)], provenance=Provenance.API, run_id="run-2", now=NOW
            )
            count: int = await store.count("stats")
            return count

    return asyncio.run(add())


async def test_a_column_of_a_newer_version_stops_a_backup_that_would_lose_it(
    local_world: World, folder: Place
) -> None:
    await fill(local_world)
    async with local_world.open() as store:
        await (await raw_table(store, STATS)).add_columns({"mood": "'good'"})
    with pytest.raises(StorageSchemaMismatch, match=r"stats in .* does not know, and would leave out: mood"):
        await backed_up(local_world, folder)
    assert folder.keys() == []


async def test_the_lease_is_not_part_of_a_backup(local_world: World, folder: Place) -> None:
    await fill(local_world)
    names = {table.name for table in (await backed_up(local_world, folder)).tables}
    assert names == {spec.name for spec in DATA_TABLES} == {spec.name for spec in TABLES} - {"leases"}


async def test_a_key_that_is_stored_twice_can_be_restored(local_world: World, folder: Place) -> None:
    await fill(local_world)
    before = await rows_of(local_world)
    async with local_world.open() as store:
        table = await raw_table(store, STATS)
        await table.add(await table.query().limit(2).to_arrow())
    await backed_up(local_world, folder)
    whole, in_parts = elsewhere(local_world), elsewhere(local_world)
    await restore(whole.settings, folder, clock=FakeClock())
    assert len((await rows_of(whole))["stats"]) == len(before["stats"]) + 2

    class InParts(SmallPagesStore):
        merge_rows = 1

    await restore(in_parts.settings, folder, clock=FakeClock(), store_type=InParts)
    async with whole.open() as store:
        await store.repair_duplicates(renew=only_writer)
    assert await rows_of(whole) == await rows_of(in_parts) == before


# what a place has


async def test_a_place_that_may_only_be_written_is_neither_listed_nor_read(
    local_world: World, place: Place
) -> None:
    await fill(local_world)
    written = ScriptedPlace(place, may=frozenset({"put"}))
    for _ in range(2):
        report = await back_up(local_world.settings, written, write_only=True, clock=FakeClock())
        assert (report.reused, report.removal) == ((), None)
        assert all(file.key.startswith(report.manifest.backup_id) for file in report.manifest.files)
    assert written.puts[-1] == f"{report.manifest.backup_id}/manifest.json"
    assert await verify(place, report.manifest.backup_id) == report.manifest


async def test_an_unchanged_table_is_stored_once_and_stays_while_it_is_needed(
    local_world: World, place: Place
) -> None:
    await fill(local_world)
    first = await backed_up(local_world, place)
    await add_a_day(local_world)
    second = await backed_up(
        local_world, place, clock=FakeClock(NOON + timedelta(days=1))
    )  # replaces the first
    keys = place.keys()
    assert f"{first.backup_id}/manifest.json" not in keys
    assert f"{first.backup_id}/stats.parquet" not in keys
    assert sorted(file.key for file in second.files) == [key for key in keys if "manifest" not in key]
    assert {file.key.partition("/")[0] for file in second.files} == {first.backup_id, second.backup_id}
    await drill(place, clock=FakeClock())


async def test_a_backup_that_was_killed_is_none_and_its_files_go_a_day_later(
    local_world: World, place: Place
) -> None:
    await fill(local_world)
    with pytest.raises(KilledError, match=r"manifest\.json"):
        await backed_up(local_world, ScriptedPlace(place, dies_at="manifest.json"))
    with pytest.raises(NoBackup, match=r"no complete backup\. Fix: make one"):
        chosen_manifest(place)
    (killed,) = {key.partition("/")[0] for key in stored_keys(place)}
    soon = await backed_up(local_world, place, clock=FakeClock(NOON + timedelta(hours=1)))
    assert killed in {key.partition("/")[0] for key in stored_keys(place)}
    later = await backed_up(local_world, place, clock=FakeClock(NOON + timedelta(days=2)))
    assert {key.partition("/")[0] for key in stored_keys(place)} == {soon.backup_id, later.backup_id}


async def test_nothing_is_removed_where_a_kept_manifest_cannot_be_read(
    local_world: World, folder: Place
) -> None:
    await fill(local_world)
    first = await backed_up(local_world, folder, clock=FakeClock(NOON - timedelta(days=40)))
    second = await backed_up(local_world, folder, clock=FakeClock(NOON - timedelta(days=1)))
    changed = place_path(folder, f"{first.backup_id}/manifest.json")
    changed.write_text(json.dumps({**json.loads(changed.read_text()), "format_version": 2}))
    report = await back_up(local_world.settings, folder, clock=FakeClock(NOON - timedelta(hours=1)))
    assert report.removal is not None
    assert "format_version" in (report.removal.problem or "")
    assert f"{second.backup_id}/manifest.json" in stored_keys(folder)


def place_path(place: Place, key: str) -> Path:
    from pathlib import Path  # noqa: PLC0415  a name of types otherwise

    return Path(str(place), key)


@pytest.mark.parametrize("damage", ["a byte", "missing", "cut"])
async def test_a_damaged_file_is_found_before_anything_is_written(
    local_world: World, folder: Place, damage: str
) -> None:
    await fill(local_world)
    manifest = await backed_up(local_world, folder)
    path = place_path(folder, f"{manifest.backup_id}/stats.parquet")
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content if damage == "a byte" else content[:-1])
    target = elsewhere(local_world)
    for work in (verify(folder), restore(target.settings, folder), drill(folder)):
        with pytest.raises(BackupDamaged, match=r"stats\.parquet.* Fix: choose another backup"):
            await work
    assert not place_path(folder, target.settings.db_path).exists()


async def test_another_backup_can_be_chosen_and_an_unknown_one_is_refused(
    local_world: World, folder: Place
) -> None:
    await fill(local_world)
    before = await rows_of(local_world)
    first = await backed_up(local_world, folder)
    await add_a_day(local_world)
    await backed_up(local_world, folder, keep_all=True, clock=FakeClock(NOON + timedelta(hours=1)))
    target = elsewhere(local_world)
    with pytest.raises(NoBackup, match=rf"'nine'\. Fix: choose one of .*{first.backup_id}"):
        await restore(target.settings, folder, "nine", clock=FakeClock())
    await restore(target.settings, folder, first.backup_id, clock=FakeClock())
    assert await rows_of(target) == before


# a database that is not empty


async def test_a_database_with_other_rows_is_refused(local_world: World, folder: Place) -> None:
    await fill(local_world)
    await backed_up(local_world, folder)
    target = elsewhere(local_world)
    await fill(target)
    await add_a_day(target)
    before = await rows_of(target)
    with pytest.raises(RestoreRefused, match=r"rows of stats \(1\) are not in the backup .*--replace"):
        await restore(target.settings, folder, clock=FakeClock())
    assert await rows_of(target) == before


async def test_a_changed_value_is_another_row(local_world: World, folder: Place) -> None:
    await fill(local_world)
    await backed_up(local_world, folder)
    async with local_world.open() as store:
        await (await raw_table(store, STATS)).update({"value": 999}, where=f"metric_id = '{METRIC}'")
    with pytest.raises(RestoreRefused, match=rf"stats \({DAYS}\)"):
        await restore(local_world.settings, folder, clock=FakeClock())


@IN_PROCESS_AND_REMOTE
async def test_a_restore_that_was_stopped_is_continued_by_the_next(world: World, folder: Place) -> None:
    await fill(world)
    before = await rows_of(world)
    await backed_up(world, folder)
    target = elsewhere(world)

    class Stopping(SmallPagesStore):
        async def insert_rows(self, table: str, rows: pa.Table) -> None:
            await super().insert_rows(table, rows)
            if table == "stats":
                raise KilledError(table)

    with pytest.raises(KilledError, match="stats"):
        await restore(target.settings, folder, clock=FakeClock(), store_type=Stopping)
    after_the_kill = await rows_of(target)
    assert after_the_kill["stats"] == before["stats"]
    assert after_the_kill["history"] == []
    await restore(target.settings, folder, clock=FakeClock())
    assert await rows_of(target) == before


async def test_rows_that_something_else_wrote_meanwhile_are_found(local_world: World, folder: Place) -> None:
    await fill(local_world)
    await backed_up(local_world, folder)
    target = elsewhere(local_world)

    class Disturbed(SmallPagesStore):
        async def insert_rows(self, table: str, rows: pa.Table) -> None:
            await super().insert_rows(table, rows)
            if table == "stats":
                await (await raw_table(self, STATS)).update({"value": 999}, where=f"metric_id = '{METRIC}'")

    with pytest.raises(BackupDamaged, match="restored table stats has 12 rows, and they are not the 12"):
        await restore(target.settings, folder, clock=FakeClock(), store_type=Disturbed)


async def test_a_replaced_database_is_backed_up_first(local_world: World, folder: Place) -> None:
    await fill(local_world)
    before = await rows_of(local_world)
    await backed_up(local_world, folder)
    await add_a_day(local_world)
    changed = await rows_of(local_world)
    report = await restore(local_world.settings, folder, replaces=True, clock=FakeClock())
    assert await rows_of(local_world) == before
    saved_to, _, saved_id = str(report.note).rstrip(".").rpartition(" ")[2].rpartition("/")
    target = elsewhere(local_world)
    await restore(target.settings, place_of(local_world.settings, saved_to), saved_id, clock=FakeClock())
    assert await rows_of(target) == changed


async def test_a_restore_waits_for_no_run_that_holds_the_database(local_world: World, folder: Place) -> None:
    await fill(local_world)
    await backed_up(local_world, folder)
    target = elsewhere(local_world)
    async with target.open() as store:
        await store.create_tables()
        await store.acquire_lease("run-7", "another-host", 1, NOON, timedelta(minutes=2))
    with pytest.raises(RunLocked, match="run-7"):
        await restore(target.settings, folder, clock=FakeClock())
    assert not any((await rows_of(target)).values())


async def test_a_drill_finds_rows_that_break_a_rule_of_their_table(local_world: World, folder: Place) -> None:
    await fill(local_world)
    await backed_up(local_world, folder)
    await drill(folder, clock=FakeClock())
    async with local_world.open() as store:
        await (await raw_table(store, STATS)).update({"value": -1}, where=f"metric_id = '{METRIC}'")
    await backed_up(local_world, folder, clock=FakeClock(NOON + timedelta(hours=1)))
    with pytest.raises(BackupDamaged, match=f"stats: numbers are at least 0: {DAYS} rows"):
        await drill(folder, clock=FakeClock())

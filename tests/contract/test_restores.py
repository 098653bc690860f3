"""A restore returns every row of a backup, into every kind of storage, or changes nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.backup.manifest import backup_ids, manifest_key
from community_metrics.backup.place import Place, place_of
from community_metrics.backup.reading import chosen_manifest, verify
from community_metrics.config import given_settings
from community_metrics.errors import (
    BackupDamaged,
    ConfigurationError,
    NoBackup,
    RestoreRefused,
    RunLocked,
)
from community_metrics.runs.restore import drill, move, restore, saved
from community_metrics.storage.schemas import STATS
from tests.contract.test_storage_contract import a_run
from tests.support.backups import (
    DAYS,
    KilledError,
    ScriptedPlace,
    WithEachPart,
    add_a_day,
    backed_up,
    elsewhere,
    fill,
    rows_of,
)
from tests.support.clock import NOON, FakeClock
from tests.support.enterprise import READ_KEY
from tests.support.worlds import METRIC, SmallPagesStore, World, only_writer, raw_table

if TYPE_CHECKING:
    from community_metrics.backup.manifest import Manifest


IN_PROCESS_AND_REMOTE = pytest.mark.parametrize("world", ["local", "enterprise"], indirect=True)


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
    assert report.manifest == manifest == await verify(folder, clock=FakeClock())
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


async def backed_up_with_copies(world: World, folder: Place) -> None:
    """Back up a table of 12 rows, and twice two copies of them, which are parts of their own."""
    async with world.open() as store:
        table = await raw_table(store, STATS)
        for _ in range(2):
            await table.add(await table.query().limit(2).to_arrow())
    await backed_up(world, folder)


async def without_copies(world: World) -> dict[str, list[dict[str, Any]]]:
    async with world.open() as store:
        await store.repair_duplicates(renew=only_writer)
    return await rows_of(world)


async def test_a_key_that_is_stored_twice_can_be_restored(local_world: World, folder: Place) -> None:
    await fill(local_world)
    before = await rows_of(local_world)
    await backed_up_with_copies(local_world, folder)
    target = elsewhere(local_world)
    await restore(target.settings, folder, clock=FakeClock())
    assert len((await rows_of(target))["stats"]) == len(before["stats"]) + 4
    assert await without_copies(target) == before


@pytest.mark.parametrize("killed_after", [1, 2, 3])
async def test_a_killed_restore_of_copies_is_continued(
    local_world: World, folder: Place, killed_after: int
) -> None:
    """It merges what is left, and a merge inserts no copy of a key that is stored."""
    await fill(local_world)
    before = await rows_of(local_world)
    await backed_up_with_copies(local_world, folder)
    target, written = elsewhere(local_world), []

    class InParts(SmallPagesStore):
        most_merge_rows = 1

    class Stopping(WithEachPart, InParts):
        async def after(self, table: str) -> None:
            written.append(table)
            if written.count("stats") == killed_after:
                raise KilledError(table)

    with pytest.raises(KilledError, match="stats"):
        await restore(target.settings, folder, clock=FakeClock(), store_type=Stopping)
    await restore(target.settings, folder, clock=FakeClock(), store_type=InParts)
    assert await without_copies(target) == before


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

    class Stopping(WithEachPart):
        async def after(self, table: str) -> None:
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

    class Disturbed(WithEachPart):
        async def after(self, table: str) -> None:
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
    settings = local_world.settings.model_copy(update={"backup_target": str(folder)})
    report = await restore(settings, folder, replaces=True, clock=FakeClock(NOON + timedelta(hours=1)))
    assert await rows_of(local_world) == before
    assert chosen_manifest(folder, NOON).backup_id == report.manifest.backup_id
    saved_to, _, saved_id = str(report.note).rstrip(".").rpartition(" ")[2].rpartition("/")
    target = elsewhere(local_world)
    await restore(target.settings, place_of(local_world.settings, saved_to), saved_id, clock=FakeClock())
    assert await rows_of(target) == changed


async def test_what_is_deleted_is_saved_in_files_of_its_own_that_can_be_read(
    local_world: World, folder: Place
) -> None:
    await fill(local_world)
    settings = local_world.settings.model_copy(update={"backup_target": str(folder)})
    await backed_up(local_world, folder)
    await saved(settings, FakeClock(NOON + timedelta(hours=1)))
    later = NOON + timedelta(hours=1)
    assert chosen_manifest(folder, later).made_at == NOON  # no rule removes the other one
    newest = await verify(place_of(settings, f"{folder}/replaced"), clock=FakeClock(later))
    assert newest.made_at > NOON
    assert all(file.key.startswith(newest.backup_id) for file in newest.files)

    class Losing(ScriptedPlace):
        def put(self, key: str, file: Path) -> None:
            if key.endswith("stats.parquet"):
                file.write_bytes(file.read_bytes()[:-1])
            super().put(key, file)

    with pytest.raises(BackupDamaged, match=r"stats\.parquet is damaged"):
        await saved(settings, FakeClock(NOON + timedelta(hours=2)), Losing(folder))


async def test_backups_of_other_databases_in_the_same_place_stay_and_are_not_restored_by_chance(
    local_world: World, folder: Place
) -> None:
    await fill(local_world)
    own = await backed_up(local_world, folder)
    other, third = elsewhere(local_world), elsewhere(local_world)
    async with other.open() as store:
        await store.create_tables()
        await store.record_run(a_run())
    later = FakeClock(NOON + timedelta(hours=1))
    newer = await backed_up(other, folder, clock=later)
    assert backup_ids(folder.keys()) == [own.backup_id, newer.backup_id]
    await verify(folder, own.backup_id)
    with pytest.raises(RestoreRefused, match=rf"several databases.* {own.backup_id} \(.* Fix: choose one"):
        await restore(third.settings, folder, clock=later)
    assert (await restore(local_world.settings, folder, clock=later)).manifest == own
    assert await drill(folder, clock=later) == newer


async def test_databases_of_two_machines_are_two_although_both_have_the_same_relative_path(
    tmp_path: Path, folder: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, made = given_settings({"db_path": "metrics.lancedb"}), {}
    for day, machine in enumerate(["one", "two", "two", "two"]):
        (tmp_path / machine).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / machine)
        async with SmallPagesStore.open(settings) as store:
            await store.create_tables()
            await store.record_run(a_run(f"{machine}-1"))
            await store.record_run(a_run(f"{machine}-0", started_at=NOON + timedelta(days=day + 1)))
        manifest = await backed_up(World(settings), folder, clock=FakeClock(NOON + timedelta(days=3 * day)))
        made[machine] = manifest.backup_id
    assert made["one"] in backup_ids(folder.keys())  # of the same month as the others
    monkeypatch.chdir(tmp_path)
    later = FakeClock(NOON + timedelta(days=10))
    with pytest.raises(RestoreRefused, match=rf"all have the name .*{made['one']} \(.*, first run one-1\)"):
        await restore(settings, folder, clock=later)
    await restore(settings, folder, made["one"], clock=later)
    again = await backed_up(World(settings), folder, clock=later)
    assert (again.database, again.first_run) == ("metrics.lancedb", "one-1")


def leave_out(name: str, manifest: Manifest, folder: Place) -> None:
    """Change a manifest to one of an earlier version, which had no such table."""
    tables = tuple(table for table in manifest.tables if table.name != name)
    file = Path(str(folder), manifest_key(manifest.backup_id))
    file.write_text(manifest.model_copy(update={"tables": tables}).model_dump_json())


async def test_rows_of_a_table_that_the_backup_has_not_are_other_rows(
    local_world: World, folder: Place
) -> None:
    await fill(local_world)
    manifest = await backed_up(local_world, folder)
    leave_out("witness", manifest, folder)
    with pytest.raises(RestoreRefused, match=r"rows of witness \(1\) are not in the backup"):
        await restore(local_world.settings, folder, clock=FakeClock())


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
        await drill(folder, clock=FakeClock(NOON + timedelta(hours=1)))

"""A backup has every row of one instant, and a restore returns them, from and into every kind of storage."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.aws.backups import backup_gauges
from community_metrics.backup.manifest import backup_ids
from community_metrics.backup.reading import chosen_manifest, verify
from community_metrics.backup.removing import Removal
from community_metrics.backup.writing import back_up
from community_metrics.errors import (
    BackupDamaged,
    BackupRefused,
    NoBackup,
    StorageSchemaMismatch,
)
from community_metrics.model import Provenance
from community_metrics.runs.restore import drill, restore
from community_metrics.runs.short import short_run_id
from community_metrics.storage.schemas import STATS, TABLES
from community_metrics.storage.whole import DATA_TABLES
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
    stored_keys,
)
from tests.support.clock import NOON, FakeClock
from tests.support.enterprise import READ_KEY
from tests.support.worlds import METRIC, NOW, OTHER, SmallPagesStore, World, observed, only_writer, raw_table

if TYPE_CHECKING:
    from pathlib import Path

    from community_metrics.backup.manifest import StoredFile
    from community_metrics.backup.place import Place


IN_PROCESS_AND_REMOTE = pytest.mark.parametrize("world", ["local", "enterprise"], indirect=True)


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


# an unfinished restore


class Stopping(WithEachPart):
    async def before(self, table: str) -> None:
        if table == "history":
            raise KilledError(table)


@IN_PROCESS_AND_REMOTE
async def test_a_database_whose_restore_is_unfinished_is_not_backed_up(world: World, folder: Place) -> None:
    await fill(world)
    before = await rows_of(world)
    made = await backed_up(world, folder)
    target, later = elsewhere(world), FakeClock(NOON + timedelta(hours=1))
    with pytest.raises(KilledError, match="history"):
        await restore(target.settings, folder, clock=FakeClock(), store_type=Stopping)
    with pytest.raises(BackupRefused, match=r"no row in `history`.* Fix: finish the restore with"):
        await backed_up(target.with_key(READ_KEY), folder, clock=later)
    assert backup_ids(folder.keys()) == [made.backup_id]
    await restore(target.settings, folder, clock=later)
    assert await rows_of(target) == before
    await backed_up(target, folder, clock=later)


@IN_PROCESS_AND_REMOTE
async def test_a_database_that_a_restore_holds_is_not_backed_up(world: World, folder: Place) -> None:
    await fill(world)
    async with world.open() as store:
        await store.acquire_lease(
            short_run_id("restore", FakeClock()), "another-host", 1, NOON, timedelta(minutes=2)
        )
    with pytest.raises(BackupRefused, match=r"The restore \S+-restore-\S+ on another-host writes to"):
        await backed_up(world.with_key(READ_KEY), folder)
    assert folder.keys() == []
    await backed_up(world, folder, clock=FakeClock(NOON + timedelta(minutes=3)))  # that restore is dead


async def test_a_database_that_is_emptied_for_a_restore_is_not_backed_up(
    local_world: World, folder: Place
) -> None:
    await fill(local_world)
    async with local_world.open() as store:
        await store.drop_tables(renew=only_writer)
        await store.create_tables()
    with pytest.raises(BackupRefused, match="no row in `history`"):
        await backed_up(local_world, folder)


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
    second = await backed_up(local_world, place, clock=FakeClock(NOON + timedelta(days=1)))
    assert {first.backup_id, second.backup_id} == set(
        backup_ids(place.keys())
    )  # one may be reusing the first
    third = await backed_up(local_world, place, clock=FakeClock(NOON + timedelta(days=4)))
    keys = place.keys()
    assert backup_ids(keys) == [second.backup_id, third.backup_id]
    assert f"{first.backup_id}/stats.parquet" not in keys
    used = {file.key for one in (second, third) for file in one.files}
    assert sorted(used) == [key for key in keys if "manifest" not in key]
    assert {file.key.partition("/")[0] for file in third.files} == {first.backup_id, second.backup_id}
    await drill(place, clock=FakeClock(NOON + timedelta(days=4)))


async def test_a_file_that_was_damaged_since_is_stored_again(
    local_world: World, place: Place, tmp_path: Path
) -> None:
    await fill(local_world)
    first = await backed_up(local_world, place)
    key, cut = f"{first.backup_id}/stats.parquet", tmp_path / "cut"
    place.fetch(key, cut)
    cut.write_bytes(cut.read_bytes()[:-1])
    place.put(key, cut)
    second = await backed_up(local_world, place, clock=FakeClock(NOON + timedelta(hours=1)))
    own = {file.key for file in second.files if file.key.startswith(second.backup_id)}
    assert own == {f"{second.backup_id}/stats.parquet"}
    assert await verify(place, clock=FakeClock(NOON + timedelta(hours=1))) == second


async def test_a_reused_file_that_another_backup_removes_meanwhile_is_stored_again(
    local_world: World, folder: Place
) -> None:
    await fill(local_world)
    first = await backed_up(local_world, folder)

    class Racing(ScriptedPlace):
        def holds(self, file: StoredFile) -> bool:
            is_there = super().holds(file)
            if file.key.endswith("catalog.toml"):  # the last one
                self.remove([f"{first.backup_id}/stats.parquet"])
            return is_there

    later = FakeClock(NOON + timedelta(hours=1))
    second = await backed_up(local_world, Racing(folder), keep_all=True, clock=later)
    assert f"{second.backup_id}/stats.parquet" in {file.key for file in second.files}
    assert await verify(folder, clock=later) == second


async def test_a_backup_that_ends_meanwhile_removes_no_file_that_is_reused(
    local_world: World, folder: Place
) -> None:
    await fill(local_world)
    first = await backed_up(local_world, folder)

    async def another() -> None:
        await add_a_day(local_world)
        await backed_up(local_world, folder, clock=FakeClock(NOON + timedelta(hours=1)))

    class Racing(ScriptedPlace):
        def put(self, key: str, file: Path) -> None:
            if key.endswith("manifest.json"):  # after the last check that nothing is missing
                asyncio.run(another())
            super().put(key, file)

    later = FakeClock(NOON + timedelta(hours=2))
    second = await backed_up(local_world, Racing(folder), keep_all=True, clock=later)
    assert f"{first.backup_id}/stats.parquet" in {file.key for file in second.files}
    assert await verify(folder, clock=later) == second


async def test_a_backup_with_rows_that_the_newest_lacks_stays(local_world: World, folder: Place) -> None:
    await fill(local_world)
    full = await backed_up(local_world, folder)
    async with local_world.open() as store:
        await (await raw_table(store, STATS)).delete(f"metric_id = '{METRIC}'")

    async def removal(**since: int) -> Removal:
        later = FakeClock(NOON + timedelta(**since))
        return (await back_up(local_world.settings, folder, clock=later)).removal or Removal()

    few = await removal(hours=1)
    assert re.search(
        rf"has 0 rows of stats, and {full.backup_id} has {DAYS}\..* --backup {full.backup_id}`",
        str(few.warning),
    )
    await add_a_day(local_world)
    assert [(await removal(days=day)).removed.count(full.backup_id) for day in (3, 4, 5)] == [0, 0, 0]
    await fill(local_world)
    found = await removal(days=6)
    assert full.backup_id in found.removed
    assert found.warning is None


async def test_a_backup_by_a_clock_that_was_ahead_is_the_newest_of_nothing(
    local_world: World, folder: Place
) -> None:
    await fill(local_world)
    first = await backed_up(local_world, folder, clock=FakeClock(NOON - timedelta(days=4)))
    ahead = await backed_up(local_world, folder, keep_all=True, clock=FakeClock(NOON + timedelta(days=4)))
    with pytest.raises(NoBackup, match=rf"only backups of the future: .*{ahead.backup_id}.* machine's clock"):
        chosen_manifest(folder, NOON - timedelta(days=9))
    assert chosen_manifest(folder, NOON) == first
    target = elsewhere(local_world)
    assert (await restore(target.settings, folder, clock=FakeClock())).manifest == first
    assert await drill(folder, ahead.backup_id, clock=FakeClock()) == ahead
    settings = local_world.settings.model_copy(update={"backup_target": str(folder)})
    assert backup_gauges(settings, NOON) == {"BackupAgeHours": 96}
    assert backup_gauges(settings, NOON - timedelta(days=9)) == {}


async def test_a_backup_that_was_killed_is_none_and_its_files_go_a_day_later(
    local_world: World, place: Place
) -> None:
    await fill(local_world)
    with pytest.raises(KilledError, match=r"manifest\.json"):
        await backed_up(local_world, ScriptedPlace(place, dies_at="manifest.json"))
    with pytest.raises(NoBackup, match=r"no complete backup\. Fix: make one"):
        chosen_manifest(place, NOON)
    (killed,) = {key.partition("/")[0] for key in stored_keys(place)}
    soon = await backed_up(local_world, place, clock=FakeClock(NOON + timedelta(hours=1)))
    assert killed in {key.partition("/")[0] for key in stored_keys(place)}
    later = await backed_up(local_world, place, clock=FakeClock(NOON + timedelta(days=2)))
    assert {key.partition("/")[0] for key in stored_keys(place)} == {soon.backup_id, later.backup_id}


async def test_the_file_that_a_killed_backup_was_writing_goes_a_day_later(
    local_world: World, folder: Place
) -> None:
    await fill(local_world)
    old, new = (
        place_path(folder, f"{NOON - timedelta(hours=hours):%Y%m%dT%H%M%SZ}-0000000a/stats.parquet.part")
        for hours in (25, 23)
    )
    for path in (old, new):
        path.parent.mkdir(parents=True)
        path.write_text("a part")
    await backed_up(local_world, folder)
    assert not old.parent.exists()
    assert new.exists()  # that backup may be at work


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
    for work in (
        verify(folder, clock=FakeClock()),
        restore(target.settings, folder, clock=FakeClock()),
        drill(folder, clock=FakeClock()),
    ):
        with pytest.raises(BackupDamaged, match=r"stats\.parquet.* Fix: choose another backup"):
            await work
    assert not place_path(folder, target.settings.db_path).exists()

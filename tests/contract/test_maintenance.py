"""Upkeep: damaged indexes, old versions, rows from the future."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from community_metrics.errors import ConfigurationError, StorageError
from community_metrics.model import Provenance, Run, RunStatus
from community_metrics.runs.execute import execute
from community_metrics.runs.registry import BootstrapTables
from community_metrics.runs.repair import repair
from community_metrics.storage.schemas import HISTORY, LEASES, RUN_OUTCOMES, STATS
from tests.support.clock import FakeClock
from tests.support.rows import fetched
from tests.support.worlds import (
    METRIC,
    NOW,
    OTHER,
    SmallPagesStore,
    observed,
    observed_days,
    only_writer,
    raw_table,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from community_metrics.model import Observation
    from community_metrics.storage import LanceDBStore
    from tests.support.worlds import World

AHEAD = timedelta(days=400)
FAR = NOW + AHEAD


async def upsert(store: LanceDBStore, observations: Sequence[Observation], run_id: str = "run-1") -> None:
    await store.upsert_observations(observations, provenance=Provenance.API, run_id=run_id, now=NOW)


def index_files(world: World) -> list[Path]:
    folder = Path(world.settings.db_path) / f"{STATS.name}.lance" / "_indices"
    return [path for path in folder.rglob("*") if path.is_file()]


# indexes


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


def overwritten_with_zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def half_flipped(path: Path) -> None:
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(bytes(byte ^ 0x55 for byte in content[:middle]) + content[middle:])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut_off, overwritten_with_zeros, half_flipped, emptied, Path.unlink])
async def test_a_repair_rebuilds_a_damaged_index_from_the_rows(
    local_world: World, damage: Callable[[Path], None]
) -> None:
    async with local_world.open() as store:
        await store.create_tables()
        await upsert(store, [*observed_days(6), *observed_days(3, metric_id=OTHER)])
        rows = await store.stats([METRIC, OTHER])
    for path in index_files(local_world):
        damage(path)
    async with local_world.open() as store:
        with pytest.raises(StorageError, match="`community-metrics repair`"):
            await store.stats([METRIC])
        assert list(await store.unusable_indexes()) == ["stats.metric_id"]
        report = await repair(local_world.settings, clock=FakeClock(NOW))
        assert report.indexes == ("stats.metric_id",)
    async with local_world.open() as store:
        assert await store.unusable_indexes() == {}
        assert await store.stats([METRIC, OTHER]) == rows


async def test_an_index_in_order_is_usable_also_for_rows_written_since(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        assert await store.unusable_indexes() == {}
        for count in (3, 9):
            await upsert(store, observed_days(count))
            assert await store.unusable_indexes() == {}


# versions


class TidyStore(SmallPagesStore):
    most_versions = 12
    keep_run_versions = timedelta(milliseconds=1)


async def kept_versions(store: LanceDBStore) -> dict[str, int]:
    tables = {spec.name: await raw_table(store, spec) for spec in (LEASES, HISTORY, RUN_OUTCOMES)}
    return {name: len(await table.list_versions()) for name, table in tables.items()}


async def test_runs_that_store_nothing_do_not_pile_up_versions(local_world: World) -> None:
    for _ in range(12):
        await execute(BootstrapTables(), local_world.settings, clock=FakeClock(NOW), store_type=TidyStore)
    async with local_world.open() as store:
        assert max((await kept_versions(store)).values()) < TidyStore.most_versions + 6
        assert len(await store.runs(limit=99)) == 12


async def test_runs_that_fail_do_not_pile_up_versions(local_world: World) -> None:
    class Failing(TidyStore):
        async def upsert_metrics(self, definitions: object) -> None:  # type: ignore[override]
            raise StorageError("no")

    for _ in range(12):
        with pytest.raises(StorageError, match="no"):
            await execute(BootstrapTables(), local_world.settings, clock=FakeClock(NOW), store_type=Failing)
    async with local_world.open() as store:
        assert max((await kept_versions(store)).values()) < TidyStore.most_versions + 6


async def test_a_run_below_the_limit_compacts_nothing(local_world: World) -> None:
    async with local_world.open() as store:
        await store.create_tables()
        before = await store.table_versions()
        await store.tidy()
        assert await store.table_versions() == before


async def test_a_failed_removal_of_old_versions_does_not_fail_the_run(local_world: World) -> None:
    class Broken(TidyStore):
        async def tidy(self) -> None:
            raise StorageError("no")

    report = await execute(BootstrapTables(), local_world.settings, clock=FakeClock(NOW), store_type=Broken)
    assert report.run.status is RunStatus.SUCCESS


# rows from the future


async def two_runs(store: LanceDBStore) -> None:
    """Store two runs of today with five days, and one of a clock 400 days ahead with three."""
    await store.create_tables()
    for number, at in enumerate((NOW, NOW, FAR)):
        run_id = f"run-{number}"
        await store.record_run(Run(run_id, "weekly_refresh", at, at, RunStatus.SUCCESS))
        await store.record_outcomes([fetched(run_id, METRIC)])
    await upsert(store, observed_days(5))
    ahead = [observed(7, day=FAR.date() - timedelta(days=day), at=FAR) for day in (1, 2)]
    await upsert(store, [*ahead, observed(9, metric_id=OTHER, at=FAR)], "run-2")


async def test_rows_and_runs_of_a_clock_ahead_are_found_and_deleted(world: World) -> None:
    async with world.open() as store:
        await two_runs(store)
        found = await store.future_rows(NOW)
        assert [(row.table, row.key) for row in found] == [
            ("stats", f"{METRIC}|2027-12-26"),
            ("stats", f"{METRIC}|2027-12-27"),
            ("stats", f"{OTHER}|2026-01-01"),
            ("history", "run-2"),
            ("run_outcomes", f"run-2|{METRIC}"),
        ]
        assert await store.delete_future(NOW, renew=only_writer) == found
        assert await store.future_rows(NOW) == []
        assert len(await store.stats([METRIC, OTHER])) == 5
        assert {run.ingestion_run_id for run in await store.runs(limit=9)} == {"run-0", "run-1"}


async def test_clocks_that_differ_by_minutes_leave_no_row_from_the_future(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, [observed(7, at=NOW + timedelta(minutes=5))])
        assert await store.future_rows(NOW) == []


async def test_a_repair_is_a_run_in_history_with_the_number_of_deleted_rows(world: World) -> None:
    async with world.open() as store:
        await two_runs(store)
        report = await repair(world.settings, clock=FakeClock(NOW), store_type=SmallPagesStore)
        assert len(report.future) == 5
        [run] = await store.runs(limit=1, jobs=["repair"])
        assert (run.status, run.rows_updated) == (RunStatus.SUCCESS, 5)


async def test_a_clock_that_is_behind_deletes_nothing_unless_confirmed(world: World) -> None:
    async with world.open() as store:
        await two_runs(store)
        before = await store.table_versions()
        behind = FakeClock(NOW - AHEAD)
        with pytest.raises(
            ConfigurationError, match=r"8 of 8 rows are later .* `community-metrics repair --yes`"
        ):
            await repair(world.settings, clock=behind, store_type=SmallPagesStore)
        after = await store.table_versions()
        assert {**after, "leases": 0} == {**before, "leases": 0}
        report = await repair(world.settings, even_most=True, clock=behind, store_type=SmallPagesStore)
        assert len(report.future) == 8 + 3 + 3


async def test_a_repair_that_fails_is_recorded_as_failed(world: World) -> None:
    class Failing(SmallPagesStore):
        async def repair_duplicates(self, *, renew: object) -> list[object]:  # type: ignore[override]
            raise StorageError("no")

    async with world.open() as store:
        await two_runs(store)
        with pytest.raises(StorageError, match="no"):
            await repair(world.settings, clock=FakeClock(NOW), store_type=Failing)
        [run] = await store.runs(limit=1, jobs=["repair"])
        assert run.status is RunStatus.FAILED

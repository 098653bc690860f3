"""An export of definitions or of runs that was loaded since a backup does not keep an undo from using it."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

from community_metrics.api.spreadsheet import plain_cell
from community_metrics.backup.place import place_of
from community_metrics.backup.writing import back_up
from community_metrics.catalog import load_catalog
from community_metrics.model import Provenance, RunStatus
from community_metrics.runs.execute import execute
from community_metrics.runs.registry import ImportFile
from community_metrics.runs.undo import undo
from community_metrics.storage.schemas import HISTORY, METRICS
from tests.contract.test_storage_contract import a_run
from tests.support.clock import NOON, FakeClock
from tests.support.worlds import METRIC, World, observed_days, values

if TYPE_CHECKING:
    from pathlib import Path

    from community_metrics.model import MetricDefinition, Run
    from community_metrics.storage import LanceDBStore
    from community_metrics.storage.schemas import AnyTable

HOUR = timedelta(hours=1)
RNG = Random(0)  # noqa: S311  run ids


def exported(folder: Path, spec: AnyTable, row: MetricDefinition | Run) -> Path:
    """Return the CSV of a table with this row."""
    file = folder / f"{spec.name}.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        names = spec.schema.names
        csv.writer(out).writerows([names, [plain_cell(getattr(row, name)) for name in names]])
    return file


async def write(store: LanceDBStore, run_id: str, hour: int, value: int) -> None:
    at = NOON + hour * HOUR
    rows = observed_days(2, metric_id=METRIC, first_value=value)
    counts = await store.upsert_observations(rows, provenance=Provenance.API, run_id=run_id, now=at)
    run = a_run(run_id, started_at=at, finished_at=at, status=RunStatus.SUCCESS)
    await store.record_run(replace(run, rows_inserted=counts.inserted, rows_updated=counts.updated))


@pytest.mark.parametrize("spec", [METRICS, HISTORY], ids=lambda spec: str(spec.name))
async def test_the_values_of_before_are_those_of_a_backup_from_before_an_export_was_loaded(
    enterprise_world: World, tmp_path: Path, spec: AnyTable
) -> None:
    target = {"backup_target": str(tmp_path / "backups")}  # a cluster, of which no version is read
    settings = enterprise_world.settings.model_copy(update=target)
    loaded: dict[str, MetricDefinition | Run] = {
        METRICS.name: replace(load_catalog(None).defined[0].definition(NOON), metric_id="of:another:place"),
        HISTORY.name: a_run("elsewhere", started_at=NOON, finished_at=NOON, status=RunStatus.SUCCESS),
    }
    async with enterprise_world.open() as store:
        await store.create_tables()
        await write(store, "good", 1, 100)
        await back_up(settings, place_of(settings), keep_all=True, clock=FakeClock(NOON + 2 * HOUR))
        job = ImportFile(exported(tmp_path, spec, loaded[spec.name]), "export")
        report = await execute(job, settings, clock=FakeClock(NOON + 3 * HOUR), rng=RNG)
        assert report.notes == (f"{spec.name}.csv is an export of {spec.name}: 1 row, 1 of them new.",)
        await write(store, "bad", 4, 900)
        undone = await undo(settings, "bad", clock=FakeClock(NOON + 5 * HOUR))
        assert (undone.restored, undone.deleted) == (2, 0)
        assert values(await store.stats([METRIC])) == [100, 101]

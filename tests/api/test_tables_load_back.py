"""Exports of `metrics` and `history` load back as they were, and change nothing that is stored."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.api.middleware.tokens import token_hash
from community_metrics.catalog import PACKAGED_CATALOG, load_catalog
from community_metrics.config import Settings
from community_metrics.errors import ConfigurationError, SeedFileError
from community_metrics.model import MetricDefinition, Run, RunStatus, Visibility
from community_metrics.runs.execute import execute
from community_metrics.runs.registry import BootstrapTables, ImportFile
from community_metrics.storage import LanceDBReader, LanceDBStore
from community_metrics.views.runs import last_runs, load_history
from tests.support.api import PYTHON, RUNS, serving
from tests.support.clock import NOON, FakeClock
from tests.support.rows import run as a_run

if TYPE_CHECKING:
    from pathlib import Path

    from community_metrics.runs.job import RunReport
    from tests.support.api import Api, Place

FILES = ["metrics.csv", "metrics.parquet", "metrics.csv?excel=true", "history.csv", "history.parquet"]


def empty_place(tmp_path: Path, **changes: Any) -> Settings:
    return Settings(_env_file=None, db_path=str(tmp_path / "empty"), **changes)


async def saved(api: Api, name: str, tmp_path: Path, **options: Any) -> Path:
    """Return the file of an export."""
    answer = await api.get(f"export/{name}", **options)
    assert answer.status_code == 200
    file = tmp_path / name.partition("?")[0]
    file.write_bytes(answer.content)
    os.utime(file, (NOON.timestamp(), NOON.timestamp()))
    return file


async def load(file: Path, settings: Settings, **options: Any) -> RunReport:
    return await execute(ImportFile(file, "export"), settings, clock=FakeClock(NOON), **options)


async def tables(settings: Settings) -> tuple[list[MetricDefinition], dict[str, Run]]:
    async with LanceDBStore.open(settings) as store:
        return await store.metrics(), await store.all_runs()


def new_rows(report: RunReport) -> tuple[int, int]:
    """Return how many rows the file has, and how many of them were new; the run counts only values."""
    run = report.run
    assert (run.rows_inserted, run.rows_updated, run.rows_unchanged) == (0, 0, 0)
    (found,) = [re.search(r": (\d+) rows?, (\d+) of them new", note) for note in report.notes]
    assert found is not None
    return int(found[1]), int(found[2])


def told(runs: dict[str, Run]) -> dict[str, Run]:
    """Return the runs without those of `import` here, and without what says that they were loaded."""
    kept = {name: run for name, run in runs.items() if run.job_name != ImportFile.name}
    return {name: replace(run, loaded_by=None) for name, run in kept.items()}


@pytest.mark.parametrize("name", FILES)
async def test_the_export_of_a_table_loads_back_and_is_exported_alike(
    local_api: Api, filled_local: Place, name: str, tmp_path: Path
) -> None:
    settings = empty_place(tmp_path)
    file = await saved(local_api, name, tmp_path)
    every, runs = await tables(filled_local.writing)
    metrics = [metric for metric in every if metric.visibility is Visibility.PUBLIC]
    count = len(metrics) if name.startswith("metrics") else len(runs)
    assert new_rows(await load(file, settings)) == (count, count)
    loaded, loaded_runs = await tables(settings)
    assert (loaded, told(loaded_runs)) == ((metrics, {}) if name.startswith("metrics") else ([], runs))
    assert new_rows(await load(file, settings)) == (count, 0)
    if name == "metrics.csv":  # an export of `history` has a row for the import too
        async for api in serving(settings):
            back = await api.get(f"export/{name}")
            assert sorted(back.content.splitlines()) == sorted(file.read_bytes().splitlines())


def loaded_over(stored: MetricDefinition) -> MetricDefinition:
    """Return a stored definition after an export for everybody was loaded, whose definitions are of NOON."""
    in_file = {one.metric_id for one in load_catalog(None).metrics if one.visibility is Visibility.PUBLIC}
    is_in_file = stored.metric_id in in_file
    return replace(stored, created_at=min(stored.created_at, NOON)) if is_in_file else stored


@pytest.mark.parametrize("hours", [2, -2])
@pytest.mark.parametrize("name", ["metrics.csv", "metrics.parquet"])
@pytest.mark.parametrize("first", ["bootstrap", "stats.csv"])
async def test_definitions_load_back_after_another_job_wrote_them(
    local_api: Api, tmp_path: Path, first: str, name: str, hours: int
) -> None:
    settings = empty_place(tmp_path)
    then = NOON + timedelta(hours=hours)
    job = BootstrapTables() if first == "bootstrap" else ImportFile(await saved(local_api, first, tmp_path))
    await execute(job, settings, clock=FakeClock(then))
    before, _ = await tables(settings)
    assert {one.created_at for one in before} == {then}
    file, later = await saved(local_api, name, tmp_path), FakeClock(NOON + timedelta(hours=3))
    for _ in range(2):
        await execute(ImportFile(file), settings, clock=later)
        after = {one.metric_id: one for one in (await tables(settings))[0]}
        assert after == {one.metric_id: loaded_over(one) for one in before}


async def test_of_a_definition_only_what_its_numbers_mean_is_compared(local_api: Api, tmp_path: Path) -> None:
    settings = empty_place(tmp_path)
    file = await saved(local_api, "metrics.csv", tmp_path)
    await load(file, settings)
    async with LanceDBStore.open(settings) as store:
        (python,) = [one for one in await store.metrics() if one.metric_id == PYTHON]
        await store.upsert_metrics([replace(python, display_name="Renamed", is_active=False)])
        before = await store.metrics()
        await load(file, settings)
        assert await store.metrics() == before
        await store.upsert_metrics([replace(python, subject="another", unit="pulls")])
    with pytest.raises(SeedFileError) as caught:
        await load(file, settings)
    assert caught.value.faults[:2] == [
        f"{PYTHON}: subject is {python.subject} in the file, and another in the database",
        f"{PYTHON}: unit is {python.unit} in the file, and pulls in the database",
    ]


@pytest.mark.parametrize("is_most", [False, True])
async def test_the_next_run_retires_loaded_definitions_of_another_catalogue_unless_they_are_most(
    local_api: Api, tmp_path: Path, is_most: bool
) -> None:
    settings, clock = empty_place(tmp_path), FakeClock(NOON)
    file = await saved(local_api, "metrics.csv", tmp_path)
    header, *lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    others = [line.replace(":", ":other-", 1) for line in lines]  # of each the id, and so its product
    file.write_text("".join([header, *(others if is_most else others[:3])]), encoding="utf-8")
    if not is_most:
        await execute(BootstrapTables(), settings, clock=clock)
    await load(file, settings)
    if is_most:
        with pytest.raises(ConfigurationError, match="run once with --retire"):
            await execute(BootstrapTables(), settings, clock=clock)
    await execute(BootstrapTables(retire=is_most), settings, clock=clock)
    active = {one.metric_id for one in (await tables(settings))[0] if one.is_active}
    assert active == {one.metric_id for one in load_catalog(None).defined if one.is_active}


async def test_a_dry_run_counts_the_rows_and_stores_none(local_api: Api, tmp_path: Path) -> None:
    settings = empty_place(tmp_path)
    file = await saved(local_api, "history.csv", tmp_path)
    report = await load(file, settings, dry_run=True)
    assert report.notes == ("history.csv is an export of history: 3 rows, 3 of them new.",)
    assert not (tmp_path / "empty").exists()


async def test_a_row_that_contradicts_a_stored_one_is_refused_by_name(local_api: Api, tmp_path: Path) -> None:
    settings = empty_place(tmp_path)
    file = await saved(local_api, "history.csv", tmp_path)
    async with LanceDBStore.open(settings) as store:
        await store.create_tables()
        await store.record_run(replace(RUNS[0], rows_inserted=77))
    with pytest.raises(SeedFileError) as caught:
        await load(file, settings)
    fault, fix = caught.value.faults
    assert fault == f"good: rows_inserted is {RUNS[0].rows_inserted} in the file, and 77 in the database"
    assert fix == "Fix: take these rows out of the file, or load it into an empty database"
    assert told((await tables(settings))[1]) == {"good": replace(RUNS[0], rows_inserted=77)}


@pytest.mark.parametrize("is_stored", [True, False])
async def test_a_metric_of_the_team_does_not_become_public(
    local_api: Api, tmp_path: Path, is_stored: bool
) -> None:
    file = await saved(local_api, "metrics.csv", tmp_path)
    settings = empty_place(tmp_path)
    if is_stored:
        await load(file, settings)
        async with LanceDBStore.open(settings) as store:
            (python,) = [one for one in await store.metrics() if one.metric_id == PYTHON]
            await store.upsert_metrics([replace(python, visibility=Visibility.TEAM)])
        message = f"{PYTHON}: visibility is public in the file, and team in the database"
    else:
        catalog = tmp_path / "catalog.toml"
        text = PACKAGED_CATALOG.read_text(encoding="utf-8").replace(
            f'id = "{PYTHON}"', f'id = "{PYTHON}"\nvisibility = "team"'
        )
        catalog.write_text(text, encoding="utf-8")
        settings = empty_place(tmp_path, catalog=catalog)
        message = f"{PYTHON}: it is for everybody in the file, and the team's in {catalog}"
    with pytest.raises(SeedFileError) as caught:
        await load(file, settings)
    assert caught.value.faults[0] == message


async def test_an_export_for_everybody_that_lacks_numbers_is_refused(
    filled_local: Place, tmp_path: Path
) -> None:
    guarded = filled_local.reading.model_copy(
        update={"api_token_hashes": (token_hash("cmt_x"),), "public_read": True}
    )
    async for api in serving(guarded):
        file = await saved(api, "history.csv", tmp_path)
        with pytest.raises(SeedFileError, match="rows have no rows_inserted") as caught:
            await load(file, empty_place(tmp_path))
        assert "Fix: export it with a token of the team" in str(caught.value)


async def test_a_loaded_run_is_told_and_counts_for_nothing_else(local_api: Api, tmp_path: Path) -> None:
    settings = empty_place(tmp_path)
    await load(await saved(local_api, "history.csv", tmp_path), settings)
    async with LanceDBReader.open(settings) as reader:
        assert [run.job_name for run in await reader.runs(limit=9)] == [ImportFile.name]
        assert await last_runs(reader, NOON) == (None, None)
        shown = await load_history(reader, NOON, limit=9)
    assert {view.run.ingestion_run_id: view.state for view in shown.runs if view.run.loaded_by} == {
        "good": "success",
        "half": "partial",
        "lost": "abandoned",
    }


FAULTY = [
    ("started_at", "2026-11-23", "line 2, started_at: '2026-11-23' has no time zone"),
    ("started_at", "2027-01-01T00:00:00Z", "good: is later than the clock of this machine"),
    ("rows_inserted", "1.5", "line 2, rows_inserted: '1.5' is not a whole number"),
    ("rows_inserted", "-1", "good: not true: numbers are at least 0"),
    ("status", "paused", "good: not true: status is one of"),
    ("status", "", "good: not true: status is one of"),
    ("is_aborted", "yes", "line 2, is_aborted: 'yes' is neither true nor false"),
    ("ingestion_run_id", "half", "ingestion_run_id 'half' is there 2 times"),
    ("sample_data", "true", "it is sample data of a demo"),
    ("mood", "good", "history has no column 'mood' in this version"),
]


@pytest.mark.parametrize(("column", "cell", "message"), FAULTY)
async def test_a_faulty_file_is_refused_whole(tmp_path: Path, column: str, cell: str, message: str) -> None:
    runs = [
        a_run(NOON - timedelta(hours=hours), RunStatus.SUCCESS, run_id=name)
        for hours, name in ((2, "good"), (3, "half"))
    ]
    source = Settings(_env_file=None, db_path=str(tmp_path / "source"))
    async with LanceDBStore.open(source) as store:
        await store.create_tables()
        for run in runs:
            await store.record_run(run)
    async for api in serving(source):
        file = await saved(api, "history.csv", tmp_path)
    file.write_text(changed(file.read_text(encoding="utf-8"), column, cell), encoding="utf-8")
    with pytest.raises(SeedFileError) as caught:
        await load(file, empty_place(tmp_path))
    assert message in str(caught.value)
    assert not (tmp_path / "empty").exists()


def changed(text: str, column: str, cell: str) -> str:
    """Return a CSV text with a cell of the run `good` changed; the column is added if it is none."""
    header, *lines = [line.split(",") for line in text.splitlines()]
    if column not in header:
        header, lines = [*header, column], [[*line, cell] for line in lines]
    for line in sorted(lines):
        if line[0] == "good":
            line[header.index(column)] = cell
    ordered = sorted(lines, key=lambda line: line[0] != "good")
    return "".join(",".join(line) + "\n" for line in [header, *ordered])

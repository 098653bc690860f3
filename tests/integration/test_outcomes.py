"""How each metric ended in each run: stored as rows, and read back as the last error of each metric."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import lancedb
import pytest

from community_metrics.catalog import load_catalog
from community_metrics.errors import RunInterrupted, StorageUnavailable
from community_metrics.model import SEED_SOURCE, OutcomeStatus, RunStatus
from community_metrics.runs.answers import groups_of
from community_metrics.runs.job import NoProgress
from community_metrics.runs.registry import BootstrapTables, SeedFromCsv, WeeklyRefresh
from community_metrics.sources import available_sources
from community_metrics.storage import LanceDBReader, LanceDBStore
from community_metrics.views.outcomes import newest_errors, run_views
from tests.integration.test_cli import PROGRAM, start
from tests.integration.test_faults import wait_for
from tests.support.clock import NOON
from tests.support.jobs import finished
from tests.support.replay import HOSTS
from tests.support.rows import failed, fetched, run
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from community_metrics.errors import SourceError
    from community_metrics.model import UpsertCounts
    from tests.support.jobs import Rig
    from tests.support.replay import Replay

PYTHON, RUST = "downloads:lance:python", "downloads:lance:rust"
GONE = Scripted(404, body={"message": "Not Found"})


async def last_errors(rig: Rig) -> dict[str, str | None]:
    """Return the last error of each shown metric that has one, as a reader gets it."""
    shown = [metric.metric_id for metric in load_catalog(rig.settings.catalog).shown]
    async with LanceDBReader.open(rig.settings) as reader:
        errors = await newest_errors(reader, await reader.runs(limit=100), shown)
    return {name: outcome.message for name, outcome in errors.items()}


def pass_a_minute(rig: Rig) -> None:
    rig.now += timedelta(minutes=1)


async def test_a_run_stores_one_row_for_each_metric(rig: Rig, replay: Replay) -> None:
    replay.always("/api/v1/crates/lance/*", GONE)
    report = await rig.run(WeeklyRefresh(only=("downloads:lance:*",)))
    python, rust, registry = await rig.outcomes()
    assert (python, rust, registry) == report.outcomes
    assert (registry.metric_id, registry.status) == ("registry:pypi:all", OutcomeStatus.SUCCESS)
    assert (python.status, python.observations, str(python.last_day)) == (
        OutcomeStatus.SUCCESS,
        181,
        "2026-11-22",
    )
    assert (rust.status, rust.error_class, rust.observations) == (OutcomeStatus.FAILED, "UnknownSubject", 0)
    assert rust.url == f"{replay.origin}/api/v1/crates/lance/downloads?include=versions"
    host = replay.origin.removeprefix("http://")
    assert str(rust.message).startswith(f"{host} returned 404: no crate of that name (CM_SOURCE_URL_CRATES")


async def test_values_beside_an_error_are_a_partial_outcome(rig: Rig, replay: Replay) -> None:
    registry = rig.replay.registry
    assert registry is not None
    registry.overrides["crates", "lance", rig.now.date() - timedelta(days=10)] = None
    replay.always("/api/v1/crates/serde/*", Scripted(503, body={"errors": []}))
    await rig.run(WeeklyRefresh(only=(RUST,)))
    (rust,) = await rig.outcomes()
    assert (rust.status, rust.observations) == (OutcomeStatus.PARTIAL, 88)


async def test_the_last_error_goes_with_the_next_success(rig: Rig, replay: Replay) -> None:
    replay.always("/api/v1/crates/lance/*", GONE)
    await rig.run(WeeklyRefresh())
    assert set(await last_errors(rig)) == {RUST}
    replay.recover()
    pass_a_minute(rig)
    await rig.run(WeeklyRefresh(only=(RUST,)))
    assert await last_errors(rig) == {}


async def test_a_narrowed_run_leaves_the_errors_of_the_other_metrics(rig: Rig, replay: Replay) -> None:
    replay.always("/api/v1/crates/lance/*", GONE)
    await rig.run(WeeklyRefresh())
    pass_a_minute(rig)
    await rig.run(WeeklyRefresh(only=(PYTHON,)))
    assert set(await last_errors(rig)) == {RUST}


async def test_seeding_files_does_not_hide_what_a_registry_did(rig: Rig, replay: Replay) -> None:
    replay.always("/api/v1/crates/lance/*", GONE)
    await rig.run(WeeklyRefresh())
    pass_a_minute(rig)
    await rig.run(SeedFromCsv())
    assert set(await last_errors(rig)) == {RUST}


async def test_an_interrupted_run_leaves_earlier_errors_of_metrics_that_it_did_not_reach(
    rig: Rig, replay: Replay
) -> None:
    second = "downloads:lancedb:python"  # pypistats reads it after pylance, as the catalogue has it
    only = (PYTHON, second, RUST)
    for path in ("/api/v1/crates/lance/*", "/api/packages/pylance/*"):
        replay.always(path, GONE)
    await rig.run(WeeklyRefresh(only=only))
    assert set(await last_errors(rig)) == {PYTHON, RUST}
    replay.recover()
    replay.always("/api/v1/crates/lance/*", Scripted(hang=True))
    pass_a_minute(rig)
    replay.requests.clear()
    process = rig.start(WeeklyRefresh(only=only))
    wait_for(
        lambda: (
            {"/api/packages/lancedb/overall", "/api/v1/crates/lance/downloads?include=versions"}
            <= set(replay.paths)
        )
    )
    process.send_signal(signal.SIGTERM)
    finished(process)
    newest = (await rig.runs())[0]
    assert newest.status is RunStatus.FAILED
    assert set(await last_errors(rig)) == {RUST}


class Signal(NoProgress):
    """Stops the run of this process as soon as a metric was read."""

    def metric_done(self, name: str, metric_id: str, error: SourceError | None) -> None:
        if metric_id == PYTHON:
            signal.raise_signal(signal.SIGTERM)


class CancelledOnceMore(LanceDBStore):
    """Its run is cancelled while it stores what it had read last, as by a lease that is lost."""

    worker: ClassVar[asyncio.Task[Any]]

    async def upsert_observations(self, *args: Any, **options: Any) -> UpsertCounts:
        counts = await super().upsert_observations(*args, **options)
        type(self).worker.cancel()
        await asyncio.sleep(0)
        return counts


async def test_a_stopped_run_that_is_cancelled_while_it_stores_its_last_batch_is_closed(
    rig: Rig, replay: Replay
) -> None:
    replay.always("/api/v1/crates/lance/*", Scripted(hang=True))
    job = WeeklyRefresh(only=(PYTHON, RUST))
    running = asyncio.create_task(rig.run(job, progress=Signal(), store_type=CancelledOnceMore))
    CancelledOnceMore.worker = running
    with pytest.raises(RunInterrupted, match="stopped by SIGTERM"):
        await running
    (run,) = await rig.runs()
    assert (run.status, run.error_summary) == (RunStatus.FAILED, "stopped by SIGTERM")
    assert {row.metric_id for row in await rig.stats()} == {PYTHON}


class FailsOnce(LanceDBStore):
    """A storage that is unavailable at the first merge of values."""

    has_failed: ClassVar[bool] = False

    async def upsert_observations(self, *args: Any, **options: Any) -> UpsertCounts:
        if not self.has_failed:
            type(self).has_failed = True
            raise StorageUnavailable("the storage is away")
        return await super().upsert_observations(*args, **options)


async def test_what_was_read_before_the_storage_failed_for_a_moment_is_stored_with_its_answers(
    rig: Rig,
) -> None:
    stars = "stars:lance:github"
    with pytest.raises(StorageUnavailable, match="the storage is away"):
        await rig.run(WeeklyRefresh(only=(PYTHON, stars)), store_type=FailsOnce)
    (run,) = await rig.runs()
    kept, totals = await rig.stats(), await rig.totals()
    assert {row.metric_id for row in kept} == {PYTHON, stars}
    assert (run.status, run.metrics_left) == (RunStatus.FAILED, 0)
    assert run.rows_inserted == len(kept) + len(totals)
    async with LanceDBReader.open(rig.settings) as reader:
        (answers,) = groups_of(await reader.answers(NOON - timedelta(days=1), NOON + timedelta(days=1)))
    assert [step.metric_ids for step in answers.steps] == [{stars}]


async def test_a_killed_run_leaves_every_earlier_error(rig: Rig, replay: Replay) -> None:
    replay.always("/api/v1/crates/lance/*", GONE)
    await rig.run(WeeklyRefresh())
    replay.recover()
    pass_a_minute(rig)
    finished(rig.start(WeeklyRefresh(), kill_at="before:record_outcomes:1"))
    assert set(await last_errors(rig)) == {RUST}


async def test_what_a_killed_run_stored_counts(rig: Rig, replay: Replay) -> None:
    replay.always("/api/v1/crates/lance/*", GONE)
    await rig.run(WeeklyRefresh())
    replay.recover()
    pass_a_minute(rig)
    finished(rig.start(WeeklyRefresh(), kill_at="after:record_outcomes:1"))
    assert (await rig.runs())[0].status is RunStatus.RUNNING
    assert await last_errors(rig) == {}


async def test_all_metrics_behind_an_unreachable_network_are_one_line_for_each_host(rig: Rig) -> None:
    nowhere = {f"CM_SOURCE_URL_{host.upper()}": "http://127.0.0.1:9" for host in HOSTS}
    catalog = load_catalog(None)
    metrics = [metric for metric in catalog.select([]) if metric.source != SEED_SOURCE]
    places = [reading for reading in catalog.readings if reading.is_active]
    hosts = len({available_sources()[metric.source].host for metric in metrics} | {"hackernews", "deps_dev"})
    refresh = start(rig, "refresh", program=PROGRAM, **nowhere)
    run_json = json.loads(start(rig, "history", "--json").stdout)["runs"][0]
    status = start(rig, "status")
    logged = [json.loads(line) for line in refresh.stderr.splitlines()]
    assert len(await rig.outcomes()) == len(metrics) + len(places)
    assert refresh.stdout.count("connection refused") == hosts
    assert len(run_json["error_summary"].splitlines()) == hosts
    assert status.stdout.count("connection refused") == hosts + 1, "GitHub's metrics, and its releases"
    assert [line["level"] for line in logged].count("warning") == hosts
    assert start(rig, "history").stdout.count("connection refused") == hosts


async def test_forty_metrics_that_fail_have_forty_errors(rig: Rig) -> None:
    entry = (
        '[[metric]]\nid = "downloads:p:m{0:02}"\nsource = "pypistats"\nsubject = "some-package-{0:02}"\n'
        'window = "1d"\ndisplay_name = "P {0}"\n'
    )
    catalog = rig.folder.with_name("catalog.toml")
    catalog.write_text('[[product]]\nid = "p"\nname = "P"\n' + "".join(map(entry.format, range(40))))
    rig.settings_overrides["catalog"] = catalog
    rig.replay.always("*", Scripted(403, body={"message": "no"}))
    report = await rig.run(WeeklyRefresh())
    assert len(await last_errors(rig)) == 40
    assert len((report.run.error_summary or "").splitlines()) == 2, "of the downloads and of the releases"
    assert (report.run.status, report.run.is_aborted) == (RunStatus.FAILED, False)


async def test_a_database_of_an_older_version_has_no_errors_and_gets_the_table(rig: Rig) -> None:
    await rig.run(BootstrapTables())
    connection = await lancedb.connect_async(rig.folder)
    await connection.drop_table("run_outcomes")
    assert await last_errors(rig) == {}
    async with LanceDBReader.open(rig.settings) as reader:
        assert (await reader.table_versions())["run_outcomes"] == 0
    await rig.run(WeeklyRefresh(only=(RUST,)))
    assert len(await rig.outcomes()) == 1


class Counting(LanceDBReader):
    """Counts the rows of `run_outcomes` that are read."""

    read = 0

    async def outcomes(self, *args: Any, **options: Any) -> Any:
        found = await super().outcomes(*args, **options)
        self.read += len(found)
        return found


async def test_no_more_is_read_than_the_runs_since_the_last_whole_one(rig: Rig) -> None:
    await rig.run(BootstrapTables())
    async with LanceDBStore.open(rig.settings) as store:
        for minute in range(60):
            run_id = f"run-{minute:02}"
            await store.record_outcomes([failed(run_id, PYTHON, "x"), fetched(run_id, RUST)])
            status = RunStatus.PARTIAL if minute == 57 else RunStatus.FAILED
            await store.record_run(run(rig.now + timedelta(minutes=minute), status, run_id=run_id))
    async with Counting.open(rig.settings) as reader:
        runs = await reader.runs(limit=100)
        errors = await newest_errors(reader, runs, [PYTHON, RUST, "downloads:lance:other"])
    assert (errors[PYTHON].run_id, list(errors), reader.read) == ("run-59", [PYTHON], 6)


@pytest.mark.parametrize("count", [1, 45])
async def test_the_failures_of_a_run_come_as_data(rig: Rig, count: int) -> None:
    await rig.run(BootstrapTables())
    runs = [run(rig.now, RunStatus.PARTIAL, run_id=f"run-{n}") for n in range(count)]
    async with LanceDBStore.open(rig.settings) as store:
        outcomes = [failed(each.ingestion_run_id, name, "x") for each in runs for name in (PYTHON, RUST)]
        await store.record_outcomes([*outcomes, fetched("run-0", "downloads:lance:other")])
        views = await run_views(store, runs, None, rig.now)
    assert len(views) == count
    assert {tuple(failure.metric_ids for failure in view.failures) for view in views} == {((PYTHON, RUST),)}

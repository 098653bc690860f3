"""A run killed at any instant loses nothing and duplicates nothing; two runs never write at once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import RunLocked, StorageUnavailable
from community_metrics.model import RunStatus
from community_metrics.runs.execute import execute
from community_metrics.runs.registry import BootstrapTables, WeeklyRefresh
from community_metrics.series.freshness import run_view
from community_metrics.storage import LanceDBReader, LanceDBStore
from tests.support.clock import NOON, FakeClock
from tests.support.jobs import Rig, finished, without_run
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from community_metrics.model import Run, UpsertCounts
    from tests.support.replay import Replay

ONLY = ("downloads:lance:*", "stars:*")
STEPS = [
    "before:acquire_lease:1",
    "after:acquire_lease:1",
    "after:record_run:1",
    "before:upsert_metrics:1",
    "before:upsert_observations:1",
    "during:merge:0",
    "during:merge:3",
    "during:merge:8",
    "during:merge:20",
    "after:upsert_observations:1",
    "before:record_outcomes:1",
    "after:record_outcomes:1",
    "before:record_run:2",
    "after:record_run:2",
    "before:release_lease:1",
]


@pytest.mark.parametrize("step", STEPS)
async def test_a_refresh_killed_at_any_step_and_run_again_equals_a_clean_one(
    rig: Rig, replay: Replay, tmp_path: Path, step: str
) -> None:
    killed, _, _ = finished(rig.start(WeeklyRefresh(only=ONLY), kill_at=step))
    report = await rig.run(WeeklyRefresh(only=ONLY))
    clean = Rig(replay, tmp_path / "clean.lancedb")
    await clean.run(WeeklyRefresh(only=ONLY))
    assert killed == -signal.SIGKILL
    assert report.run.status is RunStatus.SUCCESS
    assert without_run(await rig.stats()) == without_run(await clean.stats())
    assert await rig.duplicate_keys() == {}


async def test_what_was_merged_before_the_kill_is_not_written_again(rig: Rig) -> None:
    finished(rig.start(WeeklyRefresh(only=ONLY), kill_at="after:upsert_observations:1"))
    versions = await rig.versions()
    report = await rig.run(WeeklyRefresh(only=ONLY))
    assert report.run.rows_inserted + report.run.rows_updated == 0
    assert await rig.versions() == versions


async def test_a_killed_run_shows_as_abandoned_and_the_next_one_does_not_wait(rig: Rig) -> None:
    finished(rig.start(WeeklyRefresh(only=ONLY), kill_at="before:upsert_observations:1"))
    rig.now += timedelta(seconds=1)
    await rig.run(WeeklyRefresh(only=ONLY))
    async with LanceDBReader.open(rig.settings) as reader:
        newest, killed = await reader.runs(limit=2)
        lease = await reader.lease()
    assert killed.status is RunStatus.RUNNING
    assert run_view(killed, lease, rig.now).state == "abandoned"
    assert run_view(newest, lease, rig.now).state == "success"


async def test_two_refreshes_started_together_are_one_run(rig: Rig, replay: Replay) -> None:
    replay.always("/api/packages/pylance/*", Scripted(hang=True))
    first = rig.start(WeeklyRefresh(only=ONLY))
    wait_for(lambda: bool(replay.requests))
    code, _, message = finished(rig.start(WeeklyRefresh(only=ONLY)))
    first.kill()
    finished(first)
    running = (await rig.runs())[0]
    assert code == RunLocked.exit_code
    assert running.ingestion_run_id in message


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_closes_the_run_and_frees_the_database(
    rig: Rig, replay: Replay, number: signal.Signals
) -> None:
    replay.always("/api/packages/pylance/*", Scripted(hang=True))
    process = rig.start(WeeklyRefresh(only=ONLY))
    wait_for(lambda: bool(replay.requests))
    process.send_signal(number)
    code, _, message = finished(process)
    run = (await rig.runs())[0]
    assert (code, run.status) == (1, RunStatus.FAILED)
    assert run.error_summary == f"stopped by {number.name}"
    assert "safe to run again" in message


class Interrupting(LanceDBStore):
    """A store that does its work, and sends itself a SIGTERM, or fails, at a step of it."""

    step = ""

    async def upsert_observations(self, *args: Any, **options: Any) -> UpsertCounts:
        if self.step == "during the merge":
            os.kill(os.getpid(), signal.SIGTERM)
        return await super().upsert_observations(*args, **options)

    async def record_run(self, run: Run) -> None:
        await super().record_run(run)
        if self.step == "after the close" and run.finished_at is not None:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.01)

    async def optimize(self, begun: Mapping[str, int] | None = None) -> None:
        if self.step == "housekeeping fails":
            raise StorageUnavailable("LanceDB, while compacting stats: the disk is full.")
        if self.step == "during housekeeping":
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(5)
        await super().optimize(begun)


STEPS_OF_THE_END = ["during the merge", "after the close", "during housekeeping", "housekeeping fails"]


@pytest.mark.parametrize("step", STEPS_OF_THE_END)
async def test_what_comes_once_the_write_has_begun_leaves_history_true(rig: Rig, step: str) -> None:
    store = type("Interrupted", (Interrupting,), {"step": step})
    report = await execute(
        WeeklyRefresh(only=ONLY),
        rig.settings,
        clock=FakeClock(),
        store_type=store,
    )
    run = (await rig.runs())[0]
    assert (run.status, report.run.status) == (RunStatus.SUCCESS, RunStatus.SUCCESS)
    assert run.rows_inserted == len([*await rig.stats(), *await rig.totals()]) > 0
    async with LanceDBReader.open(rig.settings) as reader:
        lease = await reader.lease()
    assert lease is not None
    assert lease.expires_at < NOON


async def test_a_run_on_another_machine_is_waited_for_until_its_lease_expires(rig: Rig) -> None:
    await rig.run(BootstrapTables())
    ttl = timedelta(minutes=2)
    async with LanceDBStore.open(rig.settings) as store:
        await store.acquire_lease("elsewhere", "another-host", 1, NOON, ttl)
    with pytest.raises(RunLocked, match="another-host"):
        await rig.run(WeeklyRefresh(only=ONLY))
    rig.now = NOON + ttl + timedelta(seconds=1)
    report = await rig.run(WeeklyRefresh(only=ONLY))
    assert report.run.status is RunStatus.SUCCESS


async def test_a_clock_before_the_last_run_changes_nothing_that_was_stored(rig: Rig) -> None:
    await rig.run(WeeklyRefresh(only=ONLY))
    rows = await rig.stats()
    rig.now = NOON - timedelta(days=10)
    report = await rig.run(WeeklyRefresh(only=ONLY))
    stored = {row.stat_key: row for row in await rig.stats()}
    assert report.run.status is RunStatus.SUCCESS
    assert all(stored[row.stat_key] == row for row in rows)


FAULTS = {
    "401": Scripted(401, body={"message": "Bad credentials"}),
    "429 storm": Scripted(429, {"content-type": "text/html"}, body_text="<html>slow down</html>"),
    "503": Scripted(503, body={"message": "unavailable"}),
    "HTML with status 200": Scripted(
        200, {"content-type": "text/html"}, body_text="<html>maintenance</html>"
    ),
    "truncated JSON": Scripted(200, body={"data": [1, 2, 3]}, truncate=True),
    "a redirect to another host": Scripted(301, {"location": "https://elsewhere.example/"}, body={}),
    "a closed connection": Scripted(close=True),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_registry_at_fault_fails_its_own_metrics_and_changes_no_stored_row(
    rig: Rig, replay: Replay, fault: Scripted
) -> None:
    await rig.run(WeeklyRefresh(only=ONLY))
    rows = [row for row in await rig.stats() if row.metric_id == "downloads:lance:rust"]
    replay.always("/api/v1/crates/*", fault)
    report = await rig.run(WeeklyRefresh(only=ONLY))
    failed = [outcome.metric_id for outcome in report.outcomes if outcome.message]
    assert (report.run.status, failed) == (RunStatus.PARTIAL, ["downloads:lance:rust"])
    assert [row for row in await rig.stats() if row.metric_id == "downloads:lance:rust"] == rows


def wait_for(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    """Wait until the condition holds; another process is at work."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.02)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB; only root can make one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("a full disk needs `mount`, which needs root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


async def test_a_full_disk_is_named_and_loses_nothing(rig: Rig, small_disk: Path, replay: Replay) -> None:
    rig.folder = small_disk / "metrics.lancedb"
    await rig.run(WeeklyRefresh(only=("downloads:lance:rust",)))
    rows = await rig.stats()
    filler = small_disk / "filler"
    with suppress(OSError):
        filler.write_bytes(bytes(4 << 20))
    with pytest.raises(StorageUnavailable, match="disk is full"):
        await rig.run(WeeklyRefresh(only=ONLY))
    filler.unlink()
    assert await rig.stats() == rows
    report = await rig.run(WeeklyRefresh(only=ONLY))
    assert report.run.status is RunStatus.SUCCESS

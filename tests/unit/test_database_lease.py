"""One run at a time: a lock on this machine's folder, and a lease that the run keeps until it ends."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import structlog
from filelock import FileLock
from pydantic import SecretStr

from community_metrics.config import Settings, StorageMode
from community_metrics.errors import LeaseLost, RunLocked, StorageDenied, StorageUnavailable
from community_metrics.model import Lease, RunStatus
from community_metrics.runs.lock import LEASE_TTL, LeaseHolder, database_lease
from community_metrics.storage import LanceDBStore, leases
from community_metrics.storage.reader import DATABASE
from tests.support.clock import NOON, FakeClock
from tests.support.rows import run

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from community_metrics.errors import StorageError
    from community_metrics.model import Run

HERE = socket.gethostname()
BEAT_S = 0.01


class OneLease(LanceDBStore):
    """Keeps the one lease in memory, by the same rules as a database; `failures` are of the next calls."""

    stored: Lease | None = None
    recorded: Run | None = None
    failures: list[StorageError]
    renewals: int = 0

    async def lease(self, _resource: str = DATABASE) -> Lease | None:
        return self.stored

    async def run(self, run_id: str) -> Run | None:
        assert self.stored is not None
        return self.recorded if run_id == self.stored.run_id else None

    async def acquire_lease(
        self,
        run_id: str,
        host: str,
        pid: int,
        now: datetime,
        ttl: timedelta,
        *,
        known_dead_run_id: str | None = None,
    ) -> Lease:
        rival = leases.rival([self.stored] if self.stored else [], run_id, now)
        if rival is not None and rival.run_id != known_dead_run_id:
            raise leases.locked(rival, await self.run(rival.run_id))
        self.stored = Lease("database", run_id, host, pid, now, now + ttl)
        return self.stored

    async def renew_lease(self, lease: Lease, now: datetime, ttl: timedelta) -> Lease:
        self.renewals += 1
        if self.failures:
            raise self.failures.pop(0)
        if self.stored is None or self.stored.run_id != lease.run_id:
            raise leases.lost(lease, [self.stored] if self.stored else [], now)
        self.stored = replace(lease, heartbeat_at=now, expires_at=now + ttl)
        return self.stored

    async def release_lease(self, lease: Lease, now: datetime) -> None:
        if self.failures:
            raise self.failures.pop(0)
        if self.stored is not None and self.stored.run_id == lease.run_id:
            self.stored = replace(lease, heartbeat_at=now, expires_at=leases.RELEASED)


def of_run(run_id: str, host: str = "elsewhere") -> Lease:
    return Lease("database", run_id, host, 22, NOON, NOON + LEASE_TTL)


@pytest.fixture
def folder(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, db_path=str(tmp_path))


def store_with(settings: Settings, stored: Lease | None = None, *failures: StorageError) -> OneLease:
    store = OneLease.open(settings)
    store.stored, store.failures = stored, list(failures)
    return store


async def settled(store: OneLease, renewals: int) -> None:
    """Wait until the heart has beaten so often."""
    async with asyncio.timeout(20):
        while store.renewals < renewals:  # noqa: ASYNC110  the store has no event to wait for
            await asyncio.sleep(BEAT_S)


# taking it


async def test_a_run_holds_the_lease_for_two_minutes_and_releases_it_when_it_ends(folder: Settings) -> None:
    store, clock = store_with(folder), FakeClock()
    async with database_lease(store, folder, "own", clock):
        assert store.stored == Lease("database", "own", HERE, os.getpid(), NOON, NOON + timedelta(minutes=2))
        clock.advance(7)
    assert store.stored is not None
    assert (store.stored.run_id, store.stored.expires_at) == ("own", leases.RELEASED)
    assert store.stored.heartbeat_at == clock.now()


async def test_a_run_that_fails_releases_lease_and_folder(folder: Settings) -> None:
    store = store_with(folder)
    for _ in range(2):
        with pytest.raises(OSError, match="the work failed"):
            async with database_lease(store, folder, "own", FakeClock()):
                raise OSError("the work failed")
        assert store.stored is not None
        assert store.stored.expires_at == leases.RELEASED


ENTERPRISE = Settings(
    _env_file=None,
    storage_mode=StorageMode.ENTERPRISE,
    lancedb_uri="db://metrics",
    lancedb_api_key=SecretStr("key"),
    lancedb_region="us-east-1",
)
BUCKET = Settings(_env_file=None, db_path="s3://bucket/metrics.lancedb")


@pytest.mark.parametrize(
    ("kind", "host", "is_taken"),
    [
        ("folder", HERE, True),
        ("folder", "elsewhere", False),
        ("bucket", HERE, False),
        ("bucket", "elsewhere", False),
        ("enterprise", HERE, False),
    ],
)
async def test_only_in_a_folder_an_unexpired_lease_of_this_host_belongs_to_a_dead_run(
    kind: str, host: str, is_taken: bool, folder: Settings
) -> None:
    settings = {"folder": folder, "bucket": BUCKET, "enterprise": ENTERPRISE}[kind]
    store = store_with(settings, of_run("other", host))
    if not is_taken:
        with pytest.raises(RunLocked, match=f"Run other holds the database as process 22 on {host}"):
            async with database_lease(store, settings, "own", FakeClock()):
                pytest.fail("two runs hold the database")
        return
    async with database_lease(store, settings, "own", FakeClock()):
        assert store.stored is not None
        assert store.stored.run_id == "own"


@pytest.mark.parametrize("settings", [BUCKET, ENTERPRISE])
async def test_a_run_on_a_bucket_or_a_cluster_writes_nothing_to_the_local_disk(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def files() -> list[Path]:
        return list(tmp_path.iterdir())

    monkeypatch.chdir(tmp_path)
    async with database_lease(store_with(settings), settings, "own", FakeClock()):
        assert files() == []


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (None, r"^Another process holds this database and has not started its run yet\. Fix: try again"),
        (of_run("other"), "^Run other \\(weekly_refresh\\) holds the database since 2026-11-23 12:00:00 UTC"),
    ],
)  # fmt: skip
async def test_a_folder_whose_lock_another_process_holds_is_refused_at_once(
    stored: Lease | None, message: str, folder: Settings, tmp_path: Path
) -> None:
    store = store_with(folder, stored)
    store.recorded = run(NOON, RunStatus.RUNNING, run_id="other")
    with FileLock(tmp_path / ".lock"), pytest.raises(RunLocked, match=message):
        async with database_lease(store, folder, "own", FakeClock()):
            pytest.fail("two processes hold the folder")
    assert store.stored == stored
    if stored is None:  # the lock is free again
        async with database_lease(store, folder, "own", FakeClock()):
            assert (tmp_path / ".lock").exists()


async def test_a_lock_file_that_cannot_be_created_is_an_error_with_its_path_and_a_fix(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    settings = Settings(_env_file=None, db_path=str(file / "db"))
    message = (
        rf"^The lock file {file}/db/.lock cannot be created: [A-Z][a-z ]+\. "
        "Fix: give this user write access to the folder, or set CM_DB_PATH to another one"
    )
    with pytest.raises(StorageUnavailable, match=message):
        async with database_lease(store_with(settings), settings, "own", FakeClock()):
            pytest.fail("there is no lock")


# keeping it


async def test_the_heart_extends_the_lease_while_the_run_works_and_stops_with_it(folder: Settings) -> None:
    store, clock, tasks = store_with(folder), FakeClock(), asyncio.all_tasks()
    async with database_lease(store, folder, "own", clock, heartbeat_s=BEAT_S) as holder:
        clock.advance(60)
        await settled(store, 3)
        assert store.stored is not None
        assert (store.stored.heartbeat_at, store.stored.expires_at) == (clock.now(), clock.now() + LEASE_TTL)
        assert holder.lost is None
    assert asyncio.all_tasks() == tasks
    beaten = store.renewals
    await asyncio.sleep(5 * BEAT_S)
    assert store.renewals == beaten


async def test_a_renewed_lease_is_renewed_and_released_as_it_is_now() -> None:
    store, clock = store_with(BUCKET, of_run("own")), FakeClock()
    holder = LeaseHolder(store, of_run("own"), clock)
    for _ in range(2):
        clock.advance(60)
        await holder.renew()
        assert store.stored == replace(
            of_run("own"), heartbeat_at=clock.now(), expires_at=clock.now() + LEASE_TTL
        )


async def test_a_storage_error_does_not_stop_the_heart_and_is_logged(folder: Settings) -> None:
    store = store_with(folder, None, StorageUnavailable("away"), StorageDenied("the key is being rotated"))
    with structlog.testing.capture_logs() as lines:
        async with database_lease(store, folder, "own", FakeClock(), heartbeat_s=BEAT_S) as holder:
            await settled(store, 4)
            assert holder.lost is None
    assert lines == [
        {"event": "heartbeat failed, will try again", "reason": reason, "log_level": "warning"}
        for reason in ("away", "the key is being rotated")
    ]


async def test_a_lease_that_cannot_be_released_is_logged_and_expires(folder: Settings) -> None:
    store = store_with(folder, None, StorageUnavailable("away"))
    with structlog.testing.capture_logs() as lines:
        async with database_lease(store, folder, "own", FakeClock()):
            pass
    assert lines == [
        {"event": "lease not released, it will expire", "reason": "away", "log_level": "warning"}
    ]


async def test_a_lost_lease_cancels_the_work_and_stops_the_heart(folder: Settings) -> None:
    store, holders = store_with(folder), list[LeaseHolder]()

    async def work() -> None:
        async with database_lease(store, folder, "own", FakeClock(), heartbeat_s=BEAT_S) as holder:
            holders.append(holder)
            store.stored = of_run("other")
            await asyncio.sleep(20)
            pytest.fail("the work was not cancelled")

    with pytest.raises(LeaseLost, match="Run own lost the database: run other on elsewhere holds it now"):
        await work()
    assert isinstance(holders[0].lost, LeaseLost)
    assert store.renewals == 1
    assert store.stored == of_run("other")


async def test_a_run_that_is_cancelled_for_another_reason_did_not_lose_its_lease(folder: Settings) -> None:
    async def work() -> None:
        async with database_lease(store_with(folder), folder, "own", FakeClock()):
            await asyncio.sleep(20)

    working = asyncio.create_task(work())
    await asyncio.sleep(BEAT_S)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

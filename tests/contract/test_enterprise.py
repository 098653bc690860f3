"""What the store does when LanceDB Enterprise refuses, stumbles, stays silent or loses an answer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from community_metrics.errors import StorageDenied, StorageUnavailable
from community_metrics.model import UpsertCounts
from community_metrics.storage import LanceDBReader
from community_metrics.storage.connection import Database
from community_metrics.storage.timeouts import Timeouts
from tests.contract.test_storage_contract import TTL, upsert
from tests.support.enterprise import READ_KEY, WRITE_KEY, Fault
from tests.support.worlds import METRIC, NOW, SmallPagesStore, World, observed_days, values

if TYPE_CHECKING:
    from community_metrics.config import Settings
    from tests.support.enterprise import Enterprise

WRONG_KEY = "wrong-key-of-the-tests"


def with_key(settings: Settings, key: str) -> Settings:
    return settings.model_copy(update={"lancedb_api_key": SecretStr(key)})


async def test_a_merge_names_the_key_and_forbids_the_index(enterprise_world: World) -> None:
    enterprise = enterprise_world.enterprise
    assert enterprise is not None
    async with enterprise_world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(3))
    [merge] = enterprise.requests("merge_insert")
    assert merge.query.count("on=") == 1
    assert "on=stat_key" in merge.query
    assert "use_index=false" in merge.query


async def test_an_upsert_without_rows_sends_no_request(
    enterprise_world: World, enterprise: Enterprise
) -> None:
    async with enterprise_world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(3))
        await upsert(store, observed_days(3))
        await upsert(store, [])
    assert len(enterprise.requests("merge_insert")) == 1


async def test_every_read_asks_for_the_newest_version(
    enterprise_world: World, enterprise: Enterprise
) -> None:
    async with enterprise_world.open() as store:
        await store.create_tables()
        await store.stats([METRIC])
    reads = enterprise.requests("query")
    assert reads
    assert all("x-lancedb-min-timestamp" in read.headers for read in reads)


async def test_two_databases_of_one_service_do_not_mix(enterprise_world: World) -> None:
    elsewhere = World(enterprise_world.settings.model_copy(update={"lancedb_uri": "db://elsewhere"}))
    async with enterprise_world.open() as store, elsewhere.open() as other:
        await store.create_tables()
        await other.create_tables()
        await upsert(store, observed_days(3))
        assert await other.stats([METRIC]) == []


async def test_an_unknown_key_names_the_variable_and_never_itself(enterprise_world: World) -> None:
    reader = LanceDBReader.open(with_key(enterprise_world.settings, WRONG_KEY))
    async with reader:
        with pytest.raises(StorageDenied, match="CM_LANCEDB_API_KEY") as caught:
            await reader.metrics()
    assert WRONG_KEY not in str(caught.value)


async def test_a_key_in_the_services_answer_does_not_reach_the_message(
    enterprise_world: World, enterprise: Enterprise
) -> None:
    async with enterprise_world.open() as store:
        enterprise.faults.append(Fault("*", status=401, body=f"bad key {WRITE_KEY}"))
        with pytest.raises(StorageDenied) as caught:
            await store.metrics()
    assert WRITE_KEY not in str(caught.value)
    assert "bad key ***" in str(caught.value)


async def test_the_read_key_reads_and_may_not_write(enterprise_world: World) -> None:
    async with enterprise_world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(3))
    read_only = World(with_key(enterprise_world.settings, READ_KEY))
    async with read_only.open() as store:
        assert len(await store.stats([METRIC])) == 3
        with pytest.raises(StorageDenied, match="jobs need the write key"):
            await upsert(store, observed_days(4))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_request_that_fails_twice_is_sent_a_third_time(
    enterprise_world: World, enterprise: Enterprise, status: int
) -> None:
    async with enterprise_world.open() as store:
        await store.create_tables()
        enterprise.faults.append(Fault("*/merge_insert/", status=status, times=2))
        assert await upsert(store, observed_days(3)) == UpsertCounts(inserted=3)


@pytest.mark.parametrize("operation", ["describe", "query", "merge_insert"])
async def test_a_service_that_stays_down_is_unavailable(
    enterprise_world: World, enterprise: Enterprise, operation: str
) -> None:
    async with enterprise_world.open() as store:
        await store.create_tables()
    async with enterprise_world.open() as store:
        enterprise.faults.append(Fault(f"*/{operation}/", status=503, times=99))
        with pytest.raises(StorageUnavailable, match="503"):
            await upsert(store, observed_days(3))


@pytest.mark.parametrize("fault", [{"status": 503}, {"hangs_up": True}], ids=["503", "hangs up"])
async def test_a_reply_lost_after_the_write_leaves_each_row_once(
    enterprise_world: World, enterprise: Enterprise, fault: dict[str, int]
) -> None:
    async with enterprise_world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(2))
        enterprise.faults.append(Fault("*/merge_insert/", after_effect=True, **fault))  # type: ignore[arg-type]  # either
        try:
            await upsert(store, observed_days(5))
        except StorageUnavailable:
            await upsert(store, observed_days(5))
        assert await store.find_duplicate_keys() == {}
        assert values(await store.stats([METRIC])) == [100, 101, 102, 103, 104]
        assert {row.revision for row in await store.stats([METRIC])} == {0}


async def test_a_lease_whose_reply_was_lost_is_still_ours(
    enterprise_world: World, enterprise: Enterprise
) -> None:
    async with enterprise_world.open() as store:
        await store.create_tables()
        enterprise.faults.append(Fault("*/leases/merge_insert/", status=503, after_effect=True))
        held = await store.acquire_lease("run-1", "host-a", 11, NOW, TTL)
        assert await store.lease() == held


async def test_a_service_that_does_not_respond_is_given_up_in_time(
    enterprise_world: World, enterprise: Enterprise
) -> None:
    impatient = Timeouts(connect_s=0.3, read_s=0.3)
    async with SmallPagesStore(
        Database(enterprise_world.settings, consistency_s=0, timeouts=impatient)
    ) as store:
        await store.create_tables()
        enterprise.faults.append(Fault("*/query/", delay_s=1.5, times=9))
        began = time.monotonic()
        with pytest.raises(StorageUnavailable, match="try again"):
            await store.metrics()
    assert time.monotonic() - began < 3


async def test_a_service_that_is_not_there_is_given_up_in_time(enterprise_world: World) -> None:
    nobody = enterprise_world.settings.model_copy(update={"lancedb_host_override": "http://127.0.0.1:9"})
    began = time.monotonic()
    async with LanceDBReader.open(nobody) as reader:
        with pytest.raises(StorageUnavailable, match="CM_LANCEDB_HOST_OVERRIDE"):
            await reader.metrics()
    assert time.monotonic() - began < 5


_WORK = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from community_metrics.config import load_settings
from tests.contract.test_storage_contract import NOW, TTL, a_metric, a_run, upsert
from tests.support.worlds import METRIC, World, observed_days, only_writer

def written():
    with open("/proc/self/io") as counters:
        return dict(line.split(": ") for line in counters.read().splitlines())["write_bytes"]

async def main():
    async with World(load_settings()).open() as store:
        before = written()
        await store.create_tables()
        await store.acquire_lease("run-1", "host", 1, NOW, TTL)
        await store.upsert_metrics([a_metric()])
        await upsert(store, observed_days(12))
        await store.record_run(a_run())
        await store.optimize()
        assert len(await store.stats([METRIC])) == 12
        assert await store.repair_duplicates(renew=only_writer) == []
        assert written() == before, (before, written())

asyncio.run(main())
"""


def test_nothing_is_written_to_the_local_disk(
    enterprise_world: World, enterprise: Enterprise, tmp_path: Path
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        **{name: os.fspath(tmp_path) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")},
        "CM_STORAGE_MODE": "enterprise",
        "CM_LANCEDB_URI": str(enterprise_world.settings.lancedb_uri),
        "CM_LANCEDB_API_KEY": WRITE_KEY,
        "CM_LANCEDB_HOST_OVERRIDE": enterprise.url,
    }
    repository = Path(__file__).parents[2]
    command = [sys.executable, "-c", _WORK, os.fspath(repository)]
    worked = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert worked.returncode == 0, worked.stderr
    assert list(tmp_path.iterdir()) == []

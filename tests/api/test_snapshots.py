"""Bodies are read from one version of every table, follow the runs, and cost a bucket few requests."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from community_metrics.api.cache.database import ReadDatabase
from community_metrics.config import CHECK_INTERVAL_S
from community_metrics.model import Provenance, RunStatus
from community_metrics.runs.execute import execute
from community_metrics.runs.registry import WeeklyRefresh
from community_metrics.runs.repair import repair
from community_metrics.storage import LanceDBReader, LanceDBStore
from community_metrics.storage.schemas import HISTORY, RUN_OUTCOMES, STATS
from tests.support import api as support
from tests.support import rows
from tests.support.api import LAST_DAY, PYTHON, Place, python_value
from tests.support.bucket import Bucket, counting_bucket
from tests.support.clock import NOON, FakeClock
from tests.support.registry import Registry
from tests.support.replay import HOSTS, Replay
from tests.support.worlds import only_writer, raw_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from community_metrics.config import Settings
    from tests.support.api import Api

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

DASHBOARD = "dashboard/weekly?weeks=2"
LAST_VALUE = f"series/{PYTHON}?from={LAST_DAY}&grain=day"
POLLED = ["dashboard/weekly", "dashboard/daily", "definitions", f"series/{PYTHON}", "status", "history"]
LEASE = timedelta(minutes=2)


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with counting_bucket() as bucket:
        yield bucket


@pytest.fixture(params=["local", "bucket", "enterprise"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty place of each kind."""
    if request.param == "local":
        return support.local_place(tmp_path)
    if request.param == "enterprise":
        return support.enterprise_place(request.getfixturevalue("enterprise"))
    settings = request.getfixturevalue("bucket").settings
    return Place(settings, settings)


@pytest.fixture
async def filled_anywhere(anywhere: Place) -> Place:
    await support.fill(anywhere.writing)
    return anywhere


async def value_shown(api: Api) -> int:
    return int((await api.get(LAST_VALUE)).json()["points"][0]["value"])


async def states_shown(api: Api) -> dict[str, str]:
    runs = (await api.get("history")).json()["runs"]
    return {run["run_id"]: run["state"] for run in runs}


async def test_a_read_during_a_write_is_of_the_versions_before_it(filled_anywhere: Place) -> None:
    database = ReadDatabase(filled_anywhere.reading)

    async def read(reader: LanceDBReader) -> list[int]:
        before = await reader.ends([PYTHON])
        async with LanceDBStore.open(filled_anywhere.writing) as store:
            await support.refresh(store, support.days_of(PYTHON, LAST_DAY, plus=7))
        after = await reader.ends([PYTHON])
        return [ends[PYTHON].newest.value for ends in (before, after)]

    async with LanceDBReader.open(filled_anywhere.reading) as reader:
        stored = await reader.table_versions()
    assert await database.read(read, NOON) == ([python_value(LAST_DAY)] * 2, stored)
    await database.close()


async def test_a_run_that_closed_is_shown_after_the_interval(filled_anywhere: Place, serve: Serve) -> None:
    async with serve(filled_anywhere.reading) as api:
        await value_shown(api)
        async with LanceDBStore.open(filled_anywhere.writing) as store:
            run_id = await support.refresh(store, support.days_of(PYTHON, LAST_DAY, plus=7))
        api.clock.advance(CHECK_INTERVAL_S)
        assert await value_shown(api) == python_value(LAST_DAY) + 7
        assert (await states_shown(api))[run_id] == "success"


async def test_an_open_run_shows_no_rows_though_the_first_look_comes_after_it_merged_some(
    filled_anywhere: Place, serve: Serve
) -> None:
    async with serve(filled_anywhere.reading) as api, LanceDBStore.open(filled_anywhere.writing) as store:
        await value_shown(api)
        await store.acquire_lease("open", "host", 1, NOON, LEASE)
        await store.record_run(rows.run(NOON, RunStatus.RUNNING, run_id="open"))
        observations = support.days_of(PYTHON, LAST_DAY, plus=7)
        await store.upsert_observations(observations, provenance=Provenance.API, run_id="open", now=NOON)
        api.clock.advance(CHECK_INTERVAL_S)
        newly_built = await api.get(f"{LAST_VALUE}&format=json")
        assert newly_built.json()["points"][0]["value"] == await value_shown(api) == python_value(LAST_DAY)
        assert (await states_shown(api))["open"] == "running"
        await store.record_run(rows.run(NOON, run_id="open"))
        api.clock.advance(CHECK_INTERVAL_S)
        assert await value_shown(api) == python_value(LAST_DAY) + 7


async def test_rows_of_a_run_that_was_killed_are_shown_when_its_lease_has_expired(
    filled_anywhere: Place, serve: Serve
) -> None:
    started = NOON + timedelta(seconds=1)
    async with serve(filled_anywhere.reading) as api, LanceDBStore.open(filled_anywhere.writing) as store:
        await value_shown(api)
        await store.acquire_lease("killed", "host", 1, started, LEASE)
        await store.record_run(rows.run(started, RunStatus.RUNNING, run_id="killed"))
        api.clock.set(started + timedelta(seconds=10))
        assert (await states_shown(api))["killed"] == "running"
        observations = support.days_of(PYTHON, LAST_DAY, plus=7)
        await store.upsert_observations(
            observations, provenance=Provenance.API, run_id="killed", now=api.clock.now()
        )
        api.clock.set(started + LEASE)
        assert await value_shown(api) == python_value(LAST_DAY) + 7
        assert (await states_shown(api))["killed"] == "abandoned"


async def test_a_run_that_renews_its_lease_is_shown_as_running_however_long_it_takes(
    filled_anywhere: Place, serve: Serve
) -> None:
    async with serve(filled_anywhere.reading) as api, LanceDBStore.open(filled_anywhere.writing) as store:
        lease = await store.acquire_lease("long", "host", 1, NOON, LEASE)
        await store.record_run(rows.run(NOON, RunStatus.RUNNING, run_id="long"))
        for minute in range(1, 5):
            api.clock.set(NOON + timedelta(minutes=minute))
            lease = await store.renew_lease(lease, api.clock.now(), LEASE)
            assert (await states_shown(api))["long"] == "running"


async def test_a_run_that_ends_between_two_looks_is_never_shown_as_abandoned(
    filled_anywhere: Place, serve: Serve
) -> None:
    start = NOON + timedelta(seconds=59)
    async with serve(filled_anywhere.reading) as api, LanceDBStore.open(filled_anywhere.writing) as store:
        lease = await store.acquire_lease("short", "host", 1, start, LEASE)
        await store.record_run(rows.run(start, RunStatus.RUNNING, run_id="short"))
        api.clock.set(start)
        assert (await states_shown(api))["short"] == "running"
        await store.record_run(rows.run(start, run_id="short"))
        await store.release_lease(lease, start)
        api.clock.advance(1)  # another minute, so another body, and no other look
        assert (await states_shown(api))["short"] == "running"
        api.clock.advance(CHECK_INTERVAL_S)
        assert (await states_shown(api))["short"] == "success"


@pytest.mark.parametrize("anywhere", ["local", "bucket"], indirect=True)
async def test_a_read_whose_files_a_run_removed_is_read_again(filled_anywhere: Place, serve: Serve) -> None:
    async with serve(filled_anywhere.reading) as api:
        async with LanceDBStore.open(filled_anywhere.writing) as store:
            await support.refresh(store, support.days_of(PYTHON, plus=7))
            for spec in (STATS, HISTORY):
                await (await raw_table(store, spec)).optimize(cleanup_older_than=timedelta(milliseconds=1))
        assert await value_shown(api) == python_value(LAST_DAY) + 7


async def test_tables_that_were_dropped_and_filled_again_are_read_anew(
    filled_anywhere: Place, serve: Serve
) -> None:
    async with serve(filled_anywhere.reading) as api:
        await value_shown(api)
        async with LanceDBStore.open(filled_anywhere.writing) as store:
            await store.drop_tables(renew=only_writer)
            await support.fill(filled_anywhere.writing)
            await support.refresh(store, support.days_of(PYTHON, LAST_DAY, plus=7))
        assert (await api.get("dashboard/daily?days=3")).status_code == 200
        api.clock.advance(CHECK_INTERVAL_S)
        assert await value_shown(api) == python_value(LAST_DAY) + 7


async def test_a_database_of_an_earlier_version_is_read(filled_anywhere: Place, serve: Serve) -> None:
    async with LanceDBStore.open(filled_anywhere.writing) as store:
        connection = await store._database.connection()
        await connection.drop_table(RUN_OUTCOMES.name)
        await connection.drop_table(STATS.name)
        await connection.create_table(
            STATS.name, schema=STATS.schema.remove(STATS.schema.names.index("revised_at"))
        )
    async with serve(filled_anywhere.reading) as api:
        responses = [await api.get(path) for path in [*POLLED, "restatements"]]
    assert {response.status_code for response in responses} == {200}


async def test_a_repair_builds_the_bodies_anew(folder: Place, serve: Serve) -> None:
    async def is_duplicated() -> bool:
        return bool((await api.get(LAST_VALUE)).json()["points"][0]["duplicated"])

    async with LanceDBStore.open(folder.writing) as store:
        copies = await store.stats([PYTHON], since=LAST_DAY, until=LAST_DAY)
        await (await raw_table(store, STATS)).add(STATS.to_arrow(copies))
    async with serve(folder.reading) as api:
        assert await is_duplicated()
        report = await repair(folder.writing, clock=api.clock)
        assert len(report.dropped) == 1
        api.clock.advance(CHECK_INTERVAL_S)
        assert not await is_duplicated()


async def test_versions_of_compaction_build_no_body(filled_anywhere: Place, serve: Serve) -> None:
    async with serve(filled_anywhere.reading) as api:
        before = [await api.get(path) for path in POLLED]
        async with LanceDBStore.open(filled_anywhere.writing) as store:
            await store.optimize()
        api.clock.advance(CHECK_INTERVAL_S)
        after = [await api.get(path) for path in POLLED]
    assert [response.headers["etag"] for response in before] == [
        response.headers["etag"] for response in after
    ]
    assert {response.headers["cache-status"] for response in after} == {"community-metrics; hit"}


@dataclass
class Polls:
    """The bodies that a client got of each route while a run worked."""

    bodies: dict[str, list[dict[str, Any]]]

    def different(self, path: str) -> int:
        """Return how often the body changed."""
        found = self.bodies[path]
        return sum(one != other for one, other in itertools.pairwise(found))


class TickingClock(FakeClock):
    """Its seconds pass and its minute does not, so that no body is built because a minute has passed."""

    def advance(self, seconds: float) -> None:
        self._monotonic += seconds


async def polled_during(api: Api, work: asyncio.Task[Any]) -> Polls:
    """Get every route again and again until the work has ended, and once more."""
    bodies: dict[str, list[dict[str, Any]]] = defaultdict(list)
    is_last = False
    while not is_last:
        is_last = work.done()
        api.clock.advance(CHECK_INTERVAL_S)
        for path in POLLED:
            response = await api.get(path)
            assert (response.status_code, "x-data-stale" in response.headers) == (200, False)
            bodies[path].append(response.json())
        await asyncio.sleep(0)
    return Polls(bodies)


def refresh_of(settings: Settings, replay: Replay, clock: FakeClock) -> asyncio.Task[Any]:
    origins = {f"source_url_{host}": replay.origin for host in HOSTS}
    rng = random.Random(0)  # noqa: S311  run ids and jitter
    return asyncio.create_task(
        execute(WeeklyRefresh(), settings.model_copy(update=origins), clock=clock, rng=rng)
    )


async def test_a_refresh_is_at_most_two_new_bodies_of_each_route_and_the_last_is_up_to_date(
    anywhere: Place, serve: Serve
) -> None:
    registry = Registry(NOON.date())
    later = NOON + timedelta(weeks=1)
    with Replay(registry) as replay:
        await refresh_of(anywhere.writing, replay, FakeClock(NOON))
        registry.today = later.date()
        async with serve(anywhere.reading, clock=TickingClock(later)) as api:
            for path in POLLED:
                await api.get(path)
            polls = await polled_during(api, refresh_of(anywhere.writing, replay, FakeClock(later)))
        async with serve(anywhere.reading, clock=TickingClock(later)) as fresh:
            newest = {path: (await fresh.get(path)).json() for path in POLLED}
    assert {path: polls.different(path) for path in POLLED if polls.different(path) > 2} == {}
    assert polls.different("dashboard/weekly") == 1
    for path in POLLED:
        shown = polls.bodies[path][-1]
        del shown["freshness"]["versions"], newest[path]["freshness"]["versions"]  # compaction moved them
        assert shown == newest[path]


async def test_the_interval_between_two_looks_is_a_setting(folder: Place, serve: Serve) -> None:
    settings = folder.reading.model_copy(update={"api_check_interval_s": 30.0})
    async with serve(settings) as api:
        await value_shown(api)
        async with LanceDBStore.open(folder.writing) as store:
            await support.refresh(store, support.days_of(PYTHON, LAST_DAY, plus=7))
        api.clock.advance(29)
        assert await value_shown(api) == python_value(LAST_DAY)
        api.clock.advance(1)
        assert await value_shown(api) == python_value(LAST_DAY) + 7


async def test_looks_leave_no_thread_and_no_open_file_behind(folder: Place, serve: Serve) -> None:
    process = psutil.Process()

    async def look_after_a_write(number: int) -> tuple[int, int]:
        await store.record_run(rows.run(api.clock.now(), run_id=f"run-{number}"))
        if number % 20 == 0:
            await store.optimize()
        api.clock.advance(CHECK_INTERVAL_S)
        assert (await api.get("definitions")).headers["cache-status"].endswith("stored")
        return process.num_threads(), process.num_fds()

    async with serve(folder.reading) as api, LanceDBStore.open(folder.writing) as store:
        threads, files = zip(*[await look_after_a_write(number) for number in range(200)], strict=True)
    # LanceDB's pools grow with the work of one look; one thing left by each look would be a hundred
    assert max(files[100:]) <= max(files[:100]) + 20
    assert max(threads[100:]) <= max(threads[:100]) + 20


async def test_a_look_costs_a_bucket_one_list_and_a_body_none(bucket: Bucket, serve: Serve) -> None:
    await support.fill(bucket.settings)
    async with LanceDBStore.open(bucket.settings) as store:
        await store.optimize()
    async with serve(bucket.settings) as api:
        bucket.forget()
        await api.get(DASHBOARD)
        first = bucket.requests()
        bucket.forget()
        api.clock.advance(CHECK_INTERVAL_S)
        await api.get(DASHBOARD)
        look = bucket.requests()
    assert first["LIST"] == 0
    assert (look["LIST"], sum(look.values()) <= 2) == (1, True)


async def test_a_look_costs_a_bucket_two_lists_while_a_run_is_open(bucket: Bucket, serve: Serve) -> None:
    await support.fill(bucket.settings)
    async with LanceDBStore.open(bucket.settings) as store:
        await store.record_run(rows.run(NOON, RunStatus.RUNNING, run_id="open"))
    async with serve(bucket.settings) as api:
        for _ in range(2):
            bucket.forget()
            api.clock.advance(CHECK_INTERVAL_S)
            await api.get(DASHBOARD)
    assert bucket.requests()["LIST"] == 2

"""Requests that the API sends to a bucket, counted by moto's server on loopback.

The database has the known numbers of the tests and was compacted, as a job leaves it. A look is what a
request costs after the interval, when nothing was written and every body is in memory. A refresh is the three
steps that the API can see of one: the run opens, it merges its rows and closes, the tables are compacted.
After each step the API looks once and sends the page's first dashboard and the status; every request counts.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from bench.results import Result
from community_metrics.config import CHECK_INTERVAL_S
from community_metrics.model import Provenance, RunStatus
from community_metrics.storage import LanceDBStore
from tests.support import api as support
from tests.support import rows
from tests.support.bucket import counting_bucket
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.api import Api
    from tests.support.bucket import Bucket

DASHBOARD, STATUS = "dashboard/weekly", "status"
RUN = "refresh"


def measure() -> Iterator[Result]:
    """Yield the requests of a look, of a body that is not in memory, and of a refresh."""
    with counting_bucket() as bucket:
        look, first, refresh, bodies = asyncio.run(_counted(bucket))
    yield _lists("a look when nothing was written", look, bound=1)
    yield _others("a look when nothing was written", look, bound=2)
    yield _lists("a first dashboard", first, bound=0)
    yield _others("a first dashboard", first, bound=20)
    yield _lists("a refresh, three looks included", refresh, bound=25)
    yield _others("a refresh, three looks included", refresh, bound=120)
    yield Result.at_most("a refresh: new bodies of a dashboard", bodies, "bodies", bound=2)


async def _counted(bucket: Bucket) -> tuple[Counter[str], Counter[str], Counter[str], int]:
    await support.fill(bucket.settings)
    async with LanceDBStore.open(bucket.settings) as store:
        await store.optimize()
        async with asynccontextmanager(support.serving)(bucket.settings) as api:
            first, tag = await _requested(api, bucket, DASHBOARD, after_s=0)
            await api.get(STATUS)
            look, _ = await _requested(api, bucket, DASHBOARD, after_s=CHECK_INTERVAL_S)
            refresh, tags = Counter[str](), [tag]
            for step in (_open, _merge_and_close, LanceDBStore.optimize):
                await step(store)
                requests, tag = await _requested(api, bucket, DASHBOARD, STATUS, after_s=CHECK_INTERVAL_S)
                refresh += requests
                tags.append(tag)
    return look, first, refresh, len(set(tags)) - 1


async def _requested(api: Api, bucket: Bucket, *paths: str, after_s: float) -> tuple[Counter[str], str]:
    """Get the paths; return the requests that this caused, and the tag of the first body."""
    bucket.forget()
    api.clock.advance(after_s)
    tags = [(await api.get(path)).headers["etag"] for path in paths]
    return bucket.requests(), tags[0]


async def _open(store: LanceDBStore) -> None:
    await store.acquire_lease(RUN, "host", 1, NOON, timedelta(minutes=2))
    await store.record_run(rows.run(NOON, RunStatus.RUNNING, run_id=RUN))


async def _merge_and_close(store: LanceDBStore) -> None:
    observations = support.days_of(support.PYTHON, plus=7)
    await store.upsert_observations(observations, provenance=Provenance.API, run_id=RUN, now=NOON)
    await store.record_run(rows.run(NOON, run_id=RUN))


def _lists(what: str, requests: Counter[str], *, bound: float) -> Result:
    return Result.at_most(f"{what}: LISTs", requests["LIST"], "LISTs", bound=bound)


def _others(what: str, requests: Counter[str], *, bound: float) -> Result:
    others = requests.total() - requests["LIST"]
    return Result.at_most(f"{what}: GETs and HEADs", others, "requests", bound=bound)

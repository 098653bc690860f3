"""Ten thousand mixed requests by 16 clients, while a refresh changes the values every 20 seconds.

The API is a uvicorn process with the memory settings of the deployment, over 40 metrics of four registries
with two years of days. The clients spread 10,000 requests over two minutes: every cached route with several
parameters, one request in three with the tag of the body that it saw last, and now and then an export. Each
refresh is a process of its own against a replay of the registries, whose values of the last two weeks are one
higher each time. After four minutes the requests that are left count as failed.

Afterwards every distinct JSON body is compared with a direct read of the version of `stats` that it names
(`freshness.versions.stats`): points, running periods, totals, restatements, newest days. An export names no
version; its rows and their sum must be those of one. A response is a 200, a 304, or an early busy 503.
Threads and open files are counted after a first request to every route, and again at the end; memory is the
peak that the system counts.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from operator import le
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import httpx
import lancedb

from bench.api import our_server
from bench.asking import is_busy
from bench.made_up import fill
from bench.pacing import catalogue_file
from bench.results import Result
from bench.truth import Truth, exported
from community_metrics.catalog import load_catalog
from community_metrics.clock import SystemClock
from community_metrics.periods import days_between, last_completed_day
from community_metrics.storage.schemas import STATS
from tests.support import registry as made_up_registry
from tests.support.registry import Registry
from tests.support.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.loopback import Server
    from community_metrics.catalog import Catalog

YEARS = 2
CLIENTS = 16
REQUESTS = 10_000
SPREAD_S, AT_MOST_S = 120.0, 240.0
REFRESH_EVERY_S = 20.0
CHANGED_DAYS = 14
EXPORT_OF = 400
"""One request in so many is an export."""
IDLE_S, SETTLE_S = 12.0, 20.0
"""LanceDB ends threads that were idle for 10 s."""
AT_MOST_MB = 350
_SOURCES = {
    "pypistats": made_up_registry.PYPI,
    "npm": made_up_registry.NPM,
    "crates": made_up_registry.CRATES,
    "github": made_up_registry.STARS,
}
_COMMON = (
    *("status", "definitions", "history", "history?limit=3", "restatements", "restatements?limit=500"),
    *("dashboard/weekly", "dashboard/weekly?weeks=1", "dashboard/weekly?weeks=12", "dashboard/monthly"),
    *("dashboard/monthly?months=6", "dashboard/daily?days=30", "dashboard/daily?days=7"),
)
_OF_PRODUCT = ("dashboard/weekly?weeks=26&product={}", "dashboard/daily?product={}")
_OF_METRIC = (
    *("series/{}", "series/{}?grain=day", "series/{}?grain=month", "series/{}?format=csv"),
    *("dashboard/weekly?weeks=4&metric_id={}", "badge/{}.svg", "sparkline/{}.svg"),
)
_EXPORTS = ("export/stats.csv", "export/stats.parquet")


@dataclass
class Seen:
    """What all clients were sent."""

    statuses: Counter[str] = field(default_factory=Counter)
    bodies: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """Distinct bodies by path and tag."""
    exports: list[tuple[str, bytes]] = field(default_factory=list)

    def note(self, path: str, response: httpx.Response) -> None:
        """Count a response, and keep a body that is new."""
        self.statuses["busy" if is_busy(response) else str(response.status_code)] += 1
        if response.status_code != 200:
            return
        if path in _EXPORTS:
            self.exports.append((path, response.content))
        elif response.headers["content-type"] == "application/json":
            self.bodies.setdefault((path, response.headers["etag"]), response.content)


def measure() -> Iterator[Result]:
    """Yield what was wrong, and what the API held."""
    registry = Registry(SystemClock().now().date())
    with TemporaryDirectory() as name, Replay(registry) as replay:
        database, catalogue = Path(name) / "soak.lancedb", Path(name) / "catalog.toml"
        catalogue.write_text(catalogue_file())
        catalog, now = load_catalog(catalogue), SystemClock().now()
        asyncio.run(fill(database, [metric.definition(now) for metric in catalog.metrics], years=YEARS))
        refreshes = Refreshes(database, catalogue, replay.origin, registry)
        with our_server(database, {"CM_CATALOG": str(catalogue)}) as server:
            yield from asyncio.run(_soaked(server, catalog, refreshes))


async def _soaked(server: Server, catalog: Catalog, refreshes: Refreshes) -> list[Result]:
    paths, seen, done = _paths(catalog), Seen(), asyncio.Event()
    await _clients(server.port, paths, seen, spread_s=0)
    before = await _held(server, (0, 0), settle_s=IDLE_S)
    rng = random.Random(0)  # noqa: S311  which requests are sent, not a secret
    mixed = [rng.choice(_EXPORTS if rng.randrange(EXPORT_OF) == 0 else paths) for _ in range(REQUESTS)]
    async with asyncio.TaskGroup() as tasks:
        counting = tasks.create_task(refreshes.until(done, catalog))
        await _clients(server.port, mixed, seen, spread_s=SPREAD_S)
        done.set()
    after = await _held(server, before, settle_s=SETTLE_S)
    assert seen.statuses.total() == len(paths) + len(mixed)
    return [
        await _wrong(seen, refreshes.database, counting.result()),
        _errors(seen),
        Result.at_most("soak, peak memory", server.peak_mb(), "MB", bound=AT_MOST_MB),
        Result.at_most("soak, threads afterwards, of those before", after[0], "threads", bound=before[0]),
        Result.at_most("soak, open files afterwards, of those before", after[1], "files", bound=before[1]),
    ]


def _paths(catalog: Catalog) -> list[str]:
    """Return every path of the soak except the exports, for every product and for ten metrics."""
    of_product = [path.format(product.id) for path in _OF_PRODUCT for product in catalog.products]
    of_metric = [path.format(metric.metric_id) for path in _OF_METRIC for metric in catalog.metrics[::4]]
    return [*_COMMON, *of_product, *of_metric]


async def _clients(port: int, paths: Sequence[str], seen: Seen, *, spread_s: float) -> None:
    """Send the requests from all clients, spread evenly over the seconds."""
    started, waiting, tags = time.monotonic(), iter(enumerate(paths)), dict[str, str]()

    async def one(client: httpx.AsyncClient) -> None:
        for number, path in waiting:
            if time.monotonic() > started + AT_MOST_S:
                seen.statuses["not sent in time"] += 1
                continue
            await asyncio.sleep(started + spread_s * number / len(paths) - time.monotonic())
            known = {"if-none-match": tags[path]} if number % 3 == 0 and path in tags else {}
            try:
                response = await client.get(path, headers=known)
            except httpx.TransportError as error:
                seen.statuses[type(error).__name__] += 1
                continue
            tags[path] = response.headers.get("etag", "")
            seen.note(path, response)

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1/", timeout=60) as client:
        await asyncio.gather(*(one(client) for _ in range(CLIENTS)))


async def _held(server: Server, aim: tuple[int, int], *, settle_s: float) -> tuple[int, int]:
    """Return the threads and open files, once neither is above `aim` or when the seconds are over."""
    deadline = time.monotonic() + settle_s
    while True:
        held = server.threads(), server.files()
        if all(map(le, held, aim)) or time.monotonic() > deadline:
            return held
        await asyncio.sleep(0.5)


def _errors(seen: Seen) -> Result:
    good = [seen.statuses.pop(name, 0) for name in ("200", "304", "busy")]
    name = "soak, other responses than 200, 304 and busy ({:,}, {:,} and {:,})".format(*good)
    return Result.at_most(name, seen.statuses.total(), "responses", bound=0)


async def _wrong(seen: Seen, database: Path, refreshes: int) -> Result:
    """Return how many values are not those of the version that their body names."""
    bodies = [json.loads(body) for body in seen.bodies.values()]
    named = {body["freshness"]["versions"]["stats"] for body in bodies}
    assert len(named) >= refreshes, "the bodies name fewer versions than the refreshes wrote"
    table = await (await lancedb.connect_async(database)).open_table(STATS.name)
    versions = named | {await table.version()}
    truths = {version: await Truth.of_version(table, version) for version in versions}
    claims = [
        claim for body in bodies for claim in truths[body["freshness"]["versions"]["stats"]].claims(body)
    ]
    wrong = sum(claim.stated != claim.stored for claim in claims)
    whole = {truth.size_and_sum for truth in truths.values()}
    wrong += sum(exported(body, path.rpartition(".")[2]) not in whole for path, body in seen.exports)
    name = f"soak, wrong of {len(claims):,} values in {len(bodies):,} bodies, {refreshes} refreshes"
    return Result.at_most(name, wrong, "values", bound=0)


@dataclass(frozen=True, slots=True)
class Refreshes:
    """Refreshes of one database, each a process, from registries whose values rise."""

    database: Path
    catalogue: Path
    origin: str
    registry: Registry

    async def until(self, done: asyncio.Event, catalog: Catalog) -> int:
        """Refresh regularly until `done` is set; return how often."""
        count = 0
        while not done.is_set():
            started = time.monotonic()
            self._raise_values(catalog)
            await self._refresh()
            count += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), started + REFRESH_EVERY_S - time.monotonic())
        return count

    def _raise_values(self, catalog: Catalog) -> None:
        last = last_completed_day(SystemClock().now())
        for metric in catalog.metrics:
            for day in days_between(last - timedelta(days=CHANGED_DAYS - 1), last):
                place = (_SOURCES[metric.source], metric.subject, day)
                self.registry.overrides[place] = (self.registry.value(*place) or 0) + 1

    async def _refresh(self) -> None:
        now = SystemClock().now().isoformat()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.one_refresh", str(self.database), self.origin, now),
            env={**os.environ, "CM_CATALOG": str(self.catalogue)},
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        outcome = json.loads(output.splitlines()[-1])
        assert outcome["status"] == "success", output
        assert outcome["written"] > 0, output

"""Every view over 1,000 metrics against the same view over 200, and all of them over 5,000 metrics.

The catalogues have products of ten metrics, three of which are stars of repositories, with a value for every
day: of three years for 200 and 1,000 metrics, of one year for 5,000. Routes are requests to the API as an
ASGI application that keeps no bodies, with its own deadline. `report` and `status` of the command line are
their views, read from a newly opened database and without a deadline of their own; the bench ends each after
60 s. A view that does not respond counts as infinite. Medians of 3 rounds, the two sizes turn by turn; over
5,000 metrics each view is read once, and the slowest one must respond within the API's deadline of 10 s.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.api import DASHBOARD
from bench.asking import ask, uncached_app
from bench.made_up import Catalogue, fill
from bench.results import Result
from community_metrics.api.cache.database import READ_TIMEOUT_S
from community_metrics.catalog import load_catalog
from community_metrics.clock import SystemClock
from community_metrics.config import Settings
from community_metrics.views.report import load_report
from community_metrics.views.rows import read
from community_metrics.views.status import load_status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from starlette.types import ASGIApp

    from community_metrics.storage.reader import LanceDBReader

SMALL = Catalogue(metrics=200, years=3, products=20, has_stars=True)
BIG = Catalogue(metrics=1_000, years=3, products=100, has_stars=True)
HUGE = Catalogue(metrics=5_000, years=1, products=500, has_stars=True)
ROUTES = {
    "dashboard of 1 week": f"{DASHBOARD}?weeks=1",
    "dashboard of one product": f"{DASHBOARD}?product=p0",
    "status": "/api/v1/status",
    "definitions": "/api/v1/definitions",
    "series": "/api/v1/series/downloads:m0003:python",
    "history": "/api/v1/history",
}
ROUNDS = 3
GROWTH = 5.0
PATIENCE_S = 60.0
WEEKS = 12
"""Weeks of a report."""


@dataclass(frozen=True, slots=True)
class Views:
    """The views of one database; each call returns the seconds that it took, infinite without a response."""

    runner: asyncio.Runner
    database: Path
    app: ASGIApp

    @property
    def calls(self) -> Mapping[str, Callable[[], float]]:
        """Return the calls by the name of the view."""
        catalog, now = load_catalog(None), SystemClock().now()

        def report(reader: LanceDBReader) -> Awaitable[object]:
            return load_report(reader, catalog, now, weeks=WEEKS)

        def status(reader: LanceDBReader) -> Awaitable[object]:
            return load_status(reader, catalog, now)

        routes = {name: partial(self._request_s, path) for name, path in ROUTES.items()}
        return {
            **routes,
            "`report`": partial(self._command_s, report),
            "`status`": partial(self._command_s, status),
        }

    def _request_s(self, path: str) -> float:
        started = time.perf_counter()
        status, body = self.runner.run(ask(self.app, path))
        assert status in {200, 503}, body
        return time.perf_counter() - started if status == 200 else math.inf

    def _command_s(self, load: Callable[[LanceDBReader], Awaitable[object]]) -> float:
        started = time.perf_counter()
        with suppress(TimeoutError):
            self.runner.run(self._within_patience(load))
            return time.perf_counter() - started
        return math.inf

    async def _within_patience(self, load: Callable[[LanceDBReader], Awaitable[object]]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await read(Settings(_env_file=None, db_path=str(self.database)), load)


def measure() -> Iterator[Result]:
    """Yield the growth of each view, then the slowest one over 5,000 metrics."""
    with TemporaryDirectory() as folder, asyncio.Runner() as runner:
        small, big = _views(runner, Path(folder), SMALL), _views(runner, Path(folder), BIG)
        for name, small_call in small.calls.items():
            yield _growth(name, small_call, big.calls[name])
    with TemporaryDirectory() as folder, asyncio.Runner() as runner:
        seconds = {name: call() for name, call in _views(runner, Path(folder), HUGE).calls.items()}
    slowest = max(seconds, key=lambda name: seconds[name])
    yield Result.at_most(
        f"{HUGE.metrics:,} metrics, slowest view: {slowest}", seconds[slowest], "s", bound=READ_TIMEOUT_S
    )


def _views(runner: asyncio.Runner, folder: Path, catalogue: Catalogue) -> Views:
    database = folder / f"{catalogue.metrics}.lancedb"
    runner.run(fill(database, catalogue.definitions, years=catalogue.years))
    return Views(runner, database, uncached_app(str(database)))


def _growth(name: str, small: Callable[[], float], big: Callable[[], float]) -> Result:
    pairs = [(small(), big()) for _ in range(1 + ROUNDS)][1:]  # the first one fills caches
    small_s, big_s = (median(side) for side in zip(*pairs, strict=True))
    name = f"{SMALL.metrics} to {BIG.metrics:,} metrics: {name}"
    return Result.against(name, big_s * 1e3, small_s * 1e3, "ms", bound=GROWTH)

"""The read API under uvicorn against a bare Starlette route that returns the same bytes.

Each is a process of its own, and one client sends requests to it over one connection. The processor time of a
request is compared: it limits how many requests one worker handles in a second, and depends least on the load
of the machine. Ours logs each request, the bare one does not. Rounds alternate, figures are medians. The
request is for the default dashboard: 104 weeks of the packaged catalogue over two years of days. Memory is
what the process holds after a request to every route, with the memory settings of the deployment.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.loopback import Connection, Server, free_port, get, server
from bench.results import Result
from community_metrics.api.params import MAX_POINTS
from community_metrics.catalog import load_catalog
from community_metrics.clock import SystemClock
from community_metrics.config import Settings
from community_metrics.model import Observation, Provenance, SourceWindow
from community_metrics.periods import ONE_DAY, days_between, last_completed_day, midnight
from community_metrics.storage import LanceDBStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    _Running = AbstractContextManager[Server]

DASHBOARD = "/api/v1/dashboard/weekly"
LARGEST = f"dashboard/daily?days={MAX_POINTS // len(load_catalog(None).shown)}"
"""The largest response that is not rejected."""
ROUTES = (
    *("status", "definitions", "dashboard/weekly?weeks=520", LARGEST, "dashboard/monthly"),
    *("series/downloads:lance:python", "history", "restatements", "export/stats.csv", "export/stats.parquet"),
    *("badge/downloads:lance:python.svg", "sparkline/downloads:lance:python.svg"),
)
AS_DEPLOYED = {"MALLOC_ARENA_MAX": "2", "ARROW_DEFAULT_MEMORY_POOL": "system"}
"""The memory settings of `community-metrics-api.service` and the Dockerfile."""
DAYS = 730
_SATURDAY = 6  # DuckDB's own weeks end on it
ROUNDS = 9
REQUESTS = 6_000
"""This many, because the system counts processor time in steps of 10 ms."""
AT_LEAST = 0.80
"""Share of the bare route's throughput; as a ratio of times, at most 1.25."""


def measure() -> Iterator[Result]:
    """Yield the cost of a cached body and of a 304, then the memory."""
    with TemporaryDirectory() as folder:
        database = Path(folder) / "metrics.lancedb"
        asyncio.run(fill(Settings(_env_file=None, db_path=str(database))))
        with our_server(database) as ours:
            yield from _against_bare(ours, Path(folder) / "body.json")
            for route in ROUTES:
                head, _ = Connection(ours.port).ask(get(f"/api/v1/{route}", connection="close"))
                assert head.startswith(b"HTTP/1.1 200"), head
            yield Result.at_most("API, memory after every route", ours.memory_mb(), "MB", bound=250)


def _against_bare(ours: Server, file: Path) -> Iterator[Result]:
    with Connection(ours.port) as connection:
        head, body = connection.ask(get(DASHBOARD))
    assert head.startswith(b"HTTP/1.1 200"), head
    file.write_bytes(body)
    etag = next(line.split(b": ", 1)[1] for line in head.split(b"\r\n") if line.startswith(b"etag"))
    known = get(DASHBOARD, if_none_match=etag.decode())
    with _bare(file) as bare:
        yield _compared(
            f"cached dashboard ({len(body) / 1e3:.0f} kB)", ours, get(DASHBOARD), bare, get("/whole")
        )
        yield _compared(
            "304 of the dashboard", ours, known, bare, get("/unchanged", if_none_match=etag.decode())
        )


def _compared(name: str, ours: Server, our_request: bytes, bare: Server, bare_request: bytes) -> Result:
    ours.cpu_s_of(our_request, REQUESTS)
    bare.cpu_s_of(bare_request, REQUESTS)
    pairs = [
        (ours.cpu_s_of(our_request, REQUESTS), bare.cpu_s_of(bare_request, REQUESTS)) for _ in range(ROUNDS)
    ]
    mine, theirs = (median(side) * 1e6 for side in zip(*pairs, strict=True))
    return Result.against(f"API, {name}", mine, theirs, "µs", bound=1 / AT_LEAST)


def our_server(database: Path, environment: Mapping[str, str] | None = None) -> _Running:
    """Run the API over a database under uvicorn, with the memory settings of the deployment."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "community_metrics.api.main:app", "--port", str(port)]
    ours = {**AS_DEPLOYED, "CM_DB_PATH": str(database), "CM_LOG_FORMAT": "json"}
    return server(command, port, {**ours, **(environment or {})})


def _bare(file: Path) -> _Running:
    port = free_port()
    return server([sys.executable, "-m", "bench.bare_app", str(port), str(file)], port, {})


async def fill(settings: Settings) -> None:
    """Store two years of days of every shown metric of the packaged catalogue."""
    now = SystemClock().now()
    catalog = load_catalog(None)
    last = last_completed_day(now)
    observations = [
        Observation(
            metric.metric_id,
            day - ((metric.window.days or 1) - 1) * ONE_DAY,
            day,
            1_000 + number * 37 + day.toordinal() % 97,
            metric.window,
            midnight(day) + timedelta(hours=6) if metric.window is SourceWindow.INSTANT else now,
            "https://registry.example/downloads",
        )
        for number, metric in enumerate(catalog.shown)
        for day in days_between(last - timedelta(days=DAYS), last)
        if metric.window is not SourceWindow.WEEK or day.isoweekday() == _SATURDAY
    ]
    async with LanceDBStore.open(settings) as store:
        await store.create_tables()
        await store.upsert_metrics([metric.definition(now) for metric in catalog.metrics])
        await store.upsert_observations(observations, provenance=Provenance.API, run_id="bench", now=now)
        await store.optimize()

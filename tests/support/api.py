"""A database with known numbers, and the API over it, with a client that sees headers, status and bytes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import SecretStr

from community_metrics.api.app import create_app
from community_metrics.catalog import load_catalog
from community_metrics.config import Settings, StorageMode
from community_metrics.model import Observation, Provenance, RunStatus, SourceWindow
from community_metrics.periods import days_between, midnight
from community_metrics.storage import LanceDBStore
from tests.support import rows
from tests.support.clock import NOON, FakeClock
from tests.support.enterprise import READ_KEY, WRITE_KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from datetime import datetime
    from pathlib import Path

    from community_metrics.api.app import ReadApi
    from tests.support.enterprise import Enterprise

PYTHON, RUST, STARS = "downloads:lance:python", "downloads:lance:rust", "stars:lance:github"
FALLBACK = "downloads_30d:lance:python"
FIRST_DAY, LAST_DAY = date(2025, 9, 1), date(2026, 11, 22)
MISSING_DAY = date(2026, 11, 4)
"""The one day that the Rust series lacks: a Wednesday in 2026-W45."""
PAGE_ORIGIN = "https://metrics.example.org"


@dataclass(frozen=True)
class Place:
    """Where one database lives: the settings that may write, and those the API gets, which may only read."""

    writing: Settings
    reading: Settings
    enterprise: Enterprise | None = None


def local_place(folder: Path) -> Place:
    """Return a place in a folder, where the same settings read and write."""
    settings = Settings(_env_file=None, db_path=str(folder / "metrics.lancedb"), cors_origins=(PAGE_ORIGIN,))
    return Place(writing=settings, reading=settings)


def enterprise_place(enterprise: Enterprise) -> Place:
    """Return a new database on the Enterprise test server, with a write key and a read key."""
    name = uuid.uuid4().hex

    def with_key(key: str) -> Settings:
        return Settings(
            _env_file=None,
            storage_mode=StorageMode.ENTERPRISE,
            lancedb_uri=f"db://{name}",
            lancedb_api_key=SecretStr(key),
            lancedb_host_override=enterprise.url,
            cors_origins=(PAGE_ORIGIN,),
        )

    return Place(writing=with_key(WRITE_KEY), reading=with_key(READ_KEY), enterprise=enterprise)


def python_value(day: date) -> int:
    """Return the downloads of `PYTHON` on a day: 100, and 10 more for each week since the first."""
    return 100 + (day - FIRST_DAY).days // 7 * 10


def days_of(
    metric_id: str, first: date = FIRST_DAY, last: date = LAST_DAY, *, plus: int = 0, at: datetime = NOON
) -> list[Observation]:
    """Return a value for every day of a daily metric; each `plus` more than `python_value`."""
    return [
        observed(metric_id, day, day, python_value(day) + plus, SourceWindow.DAY, at)
        for day in days_between(first, last)
    ]


def observed(  # noqa: PLR0917  the order of the columns
    metric_id: str, first: date, last: date, value: int, window: SourceWindow, at: datetime
) -> Observation:
    """Return one observation."""
    return Observation(metric_id, first, last, value, window, at, "https://registry.example/downloads")


def known_numbers() -> list[Observation]:
    """Return what the filled database holds."""
    rust = [each for each in days_of(RUST, plus=50) if each.period_end != MISSING_DAY]
    stars = [
        observed(STARS, day, day, 5_000 + index, SourceWindow.INSTANT, midnight(day) + timedelta(hours=6))
        for index, day in enumerate(days_between(date(2026, 10, 1), LAST_DAY))
    ]
    reading = observed(
        FALLBACK, date(2025, 7, 1), date(2025, 7, 30), 3_000, SourceWindow.THIRTY_DAYS, midnight(FIRST_DAY)
    )
    return [*days_of(PYTHON), *rust, *stars, reading]


async def fill(settings: Settings) -> None:
    """Store the packaged catalogue, the known numbers, one restated value, and three runs."""
    definitions = [metric.definition(NOON) for metric in load_catalog(None).metrics]
    async with LanceDBStore.open(settings) as store:
        await store.create_tables()
        await store.upsert_metrics(definitions)
        await write(store, known_numbers())
        restated = observed(PYTHON, date(2026, 11, 20), date(2026, 11, 20), 999, SourceWindow.DAY, NOON)
        await write(store, [restated])
        await store.record_outcomes([rows.failed("half", RUST, "crates.io returned 503")])
        for run in RUNS:
            await store.record_run(run)


RUNS = [
    rows.run(NOON - timedelta(hours=2), run_id="good"),
    rows.run(
        NOON - timedelta(hours=26),
        RunStatus.PARTIAL,
        run_id="half",
        error_summary=f"{RUST}: crates.io returned 503",
    ),
    rows.run(NOON - timedelta(hours=50), RunStatus.RUNNING, run_id="lost"),
]


def require_security_headers(response: httpx.Response) -> None:
    """Fail unless the response has the headers that every response has."""
    headers = response.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "Origin" in headers["vary"].split(", ")


async def write(store: LanceDBStore, observations: Iterable[Observation]) -> None:
    """Store observations as a refresh does."""
    await store.upsert_observations(list(observations), provenance=Provenance.API, run_id="good", now=NOON)


async def refresh(store: LanceDBStore, observations: Iterable[Observation], *, at: datetime = NOON) -> str:
    """Store observations and the closed run that wrote them; return its id."""
    run_id = f"refresh-{uuid.uuid4().hex}"
    await store.upsert_observations(list(observations), provenance=Provenance.API, run_id=run_id, now=NOON)
    await store.record_run(rows.run(at, run_id=run_id))
    return run_id


@dataclass(frozen=True)
class Api:
    """The application over one place, and a client for it."""

    app: ReadApi
    client: httpx.AsyncClient
    clock: FakeClock

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """GET a path under `/api/v1/`."""
        return await self.client.get(f"/api/v1/{path}", **options)

    async def head(self, path: str, **options: Any) -> httpx.Response:
        """HEAD a path under `/api/v1/`."""
        return await self.client.head(f"/api/v1/{path}", **options)


async def serving(
    settings: Settings, *, clock: FakeClock | None = None, **options: Any
) -> AsyncIterator[Api]:
    """Yield the API over a database; its clock is at noon of 2026-11-23 until a test changes it."""
    clock = clock or FakeClock()
    app = create_app(settings, clock=clock, **options)
    transport = httpx.ASGITransport(app)
    async with (
        app.routes.router.lifespan_context(app.routes),
        httpx.AsyncClient(transport=transport, base_url="http://api.test") as client,
    ):
        yield Api(app, client, clock)

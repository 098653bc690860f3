"""Databases for the dashboard's tests: seed data, two years with every kind of point, and 500 metrics."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from community_metrics.catalog import load_catalog
from community_metrics.catalog.catalog import PACKAGED_CATALOG
from community_metrics.clock import SystemClock
from community_metrics.config import Settings
from community_metrics.demo.database import CATALOG as DEMO_CATALOG
from community_metrics.demo.database import fill
from community_metrics.demo.goals import catalog_text
from community_metrics.model import EventKind, Provenance, RunStatus, SourceWindow, ValueKind
from community_metrics.periods import days_between, midnight
from community_metrics.runs.execute import execute
from community_metrics.runs.registry import SeedFromCsv
from community_metrics.series.failures import error_summary, grouped_failures
from community_metrics.storage import LanceDBStore
from tests.support import rows
from tests.support.api import observed
from tests.support.clock import NOON, FakeClock
from tests.support.events import note, release

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from community_metrics.model import Observation

NOW = datetime(2027, 1, 20, 12, tzinfo=UTC)
"""A Wednesday after week 53 of 2026, so that every chart includes the turn of the year."""
FIRST, LAST = date(2025, 1, 6), date(2027, 1, 19)
LEVELS = {
    "downloads:lance:python": 21_000,
    "downloads:lance:rust": 1_900,
    "downloads:lancedb:python": 94_000,
    "downloads:lancedb:nodejs": 31_000,
    "downloads:lancedb:rust": 1_200,
}
STARS = {
    "stars:lance:github": 5_900,
    "stars:lancedb:github": 8_800,
    "stars:lance-graph:github": 310,
    "stars:lance-context:github": 42,
}
GAPS = {
    "downloads:lance:rust": (date(2026, 9, 7), date(2026, 9, 20)),  # two weeks: a gap
    "downloads:lancedb:nodejs": (date(2026, 11, 4), date(2026, 11, 5)),  # two days: an incomplete week
}
ESTIMATED = ("downloads:lance:python", "downloads_30d:lance:python", date(2026, 2, 2), date(2026, 3, 3))
SATURDAY = 6  # DuckDB's own weeks end on it
RESTATED = ("downloads:lancedb:python", date(2026, 12, 9), 131_313)
RIVAL = "downloads:lancedb:rival"
_RIVAL = f"""
[[metric]]
id = "{RIVAL}"
source = "pypistats"
subject = "rival-db"
sdk = "python"
window = "1d"
display_name = "Rival for Python"
watch = true
"""
_NINE = time(9, tzinfo=UTC)
EVENTS = (
    release("crates:lancedb@30", at=datetime.combine(date(2026, 6, 16), _NINE), title="LanceDB 0.30.0"),
    release("crates:lancedb@31", at=datetime.combine(date(2026, 9, 8), _NINE), title="LanceDB 0.31.0"),
    release("crates:lancedb@31-1", at=datetime.combine(date(2026, 9, 10), _NINE), title="LanceDB 0.31.1"),
    release(
        "crates:lancedb@32-rc",
        at=datetime.combine(date(2026, 9, 21), _NINE),
        title="LanceDB 0.32.0-rc",
        kind=EventKind.PRE_RELEASE,
    ),
    note("note:talk", at=datetime.combine(date(2026, 10, 20), _NINE), title="the talk", author="Jane Doe"),
)


@dataclass(frozen=True)
class Run:
    """The status and age of a scenario's latest run."""

    status: RunStatus = RunStatus.SUCCESS
    age: timedelta = timedelta(hours=3)
    errors: Mapping[str, str] = field(default_factory=dict)


def settings_in(folder: Path, *, origins: tuple[str, ...] = (), catalog: Path | None = None) -> Settings:
    """Return the settings of a scenario in `folder`."""
    return Settings(
        _env_file=None, db_path=str(folder / "metrics.lancedb"), cors_origins=origins, catalog=catalog
    )


def demo_catalog(folder: Path) -> Path:
    """Write the catalogue of `community-metrics demo`; return its path."""
    catalog = folder / "catalog.toml"
    catalog.write_text(catalog_text(DEMO_CATALOG.read_text(encoding="utf-8"), NOW.date()), encoding="utf-8")
    return catalog


async def fill_demo(settings: Settings) -> None:
    """Store the sample data of `community-metrics demo`."""
    await fill(settings, 1, NOW)


async def fill_rich(settings: Settings, latest_run: Run) -> None:
    """Store two years with a gap, an incomplete week, estimates, a restatement, a week 53, and runs."""
    async with LanceDBStore.open(settings) as store:
        await store.create_tables()
        catalog = load_catalog(settings.catalog)
        await store.upsert_metrics([metric.definition(NOW) for metric in catalog.metrics])
        metric_id, day, value = RESTATED
        restated = observed(metric_id, day, day, value, SourceWindow.DAY, NOW)
        everything = [*_downloads(), *_stars(), *_stars_retained(), *_others(), _estimate()]
        for batch in (everything, [restated], _rival() if catalog.watched else []):
            await store.upsert_observations(batch, provenance=Provenance.API, run_id="rich", now=NOW)
        events = [replace(one, product="lancedb", happened_at=None, url=None) for one in EVENTS]
        await store.upsert_events(events)
        for index in range(6):
            await store.record_run(rows.run(NOW - timedelta(days=7 * index + 7), run_id=f"week-{index}"))
        ran_at = NOW - latest_run.age
        failed = [rows.failed("latest", name, message) for name, message in latest_run.errors.items()]
        await store.record_outcomes(failed)
        summary = error_summary(grouped_failures(failed))
        await store.record_run(rows.run(ran_at, latest_run.status, run_id="latest", error_summary=summary))


def _downloads() -> Iterator[Observation]:
    rng = random.Random(7)  # noqa: S311  the same data on every run
    for metric_id, level in LEVELS.items():
        for day in days_between(FIRST, LAST):
            noise = rng.gauss(1, 0.06)
            if _is_known(metric_id, day):
                yield observed(
                    metric_id, day, day, int(_trend(level, day) * noise), SourceWindow.DAY, _read(day)
                )


def _trend(level: float, day: date) -> float:
    """Return a level that grows by half in a year and is lower at weekends and over the holidays."""
    growth: float = level * 1.5 ** ((day - FIRST).days / 365)
    weekend = 0.55 if day.isoweekday() > 5 else 1.0
    holiday = 0.5 if (day.month, day.day) >= (12, 23) or (day.month, day.day) <= (1, 3) else 1.0
    return growth * weekend * holiday


def _is_known(metric_id: str, day: date) -> bool:
    first, last = GAPS.get(metric_id, (date.max, date.min))
    metric, _, estimated_from, estimated_to = ESTIMATED
    return not first <= day <= last and not (metric_id == metric and estimated_from <= day <= estimated_to)


def _estimate() -> Observation:
    _, metric_id, first, last = ESTIMATED
    return observed(metric_id, first, last, 940_000, SourceWindow.THIRTY_DAYS, _read(last))


def _stars() -> Iterator[Observation]:
    rng = random.Random(11)  # noqa: S311  the same data on every run
    for metric_id, level in STARS.items():
        stars = level * 0.6
        for day in days_between(date(2025, 10, 1), LAST + timedelta(days=1)):
            stars += level * 0.0009 * rng.uniform(-0.2, 1.6)
            at = midnight(day) + timedelta(hours=6)
            yield observed(metric_id, day, day, int(stars), SourceWindow.INSTANT, at)


def _stars_retained() -> Iterator[Observation]:
    rng = random.Random(13)  # noqa: S311  the same data on every run
    for metric_id in ("stars_retained:lance:github", "stars_retained:lancedb:github"):
        for day in days_between(FIRST, LAST):
            yield observed(metric_id, day, day, rng.randint(0, 18), SourceWindow.DAY, _read(day))


def _others() -> Iterator[Observation]:
    """Yield readings of every other shown metric: levels, counters, rolling totals, weeks."""
    rng = random.Random(17)  # noqa: S311  the same data on every run
    known = {*LEVELS, *STARS}
    for metric in load_catalog(None).shown:
        if metric.metric_id in known or metric.source == "github-history":
            continue
        value = rng.randint(200, 9_000)
        for day in days_between(date(2026, 6, 1), LAST):
            grows = metric.value_kind is ValueKind.COUNTER
            value += rng.randint(0, 90) if grows else rng.randint(-20, 21)
            if metric.window is not SourceWindow.WEEK or day.isoweekday() == SATURDAY:
                first = day - timedelta(days=(metric.window.days or 1) - 1)
                read = midnight(day) + timedelta(hours=6) if metric.window.days == 1 else _read(day)
                yield observed(metric.metric_id, first, day, max(value, 1), metric.window, read)


def _rival() -> list[Observation]:
    return [
        observed(RIVAL, day, day, int(_trend(800_000, day)), SourceWindow.DAY, _read(day))
        for day in days_between(date(2026, 1, 12), LAST)
    ]


def watching_catalog(folder: Path) -> Path:
    """Write the packaged catalogue with somebody else's metric."""
    path = folder / "catalog.toml"
    path.write_text(PACKAGED_CATALOG.read_text(encoding="utf-8") + _RIVAL, encoding="utf-8")
    return path


def _read(day: date) -> datetime:
    return min(midnight(day) + timedelta(days=1, hours=6), NOW)


async def fill_seeded(settings: Settings) -> None:
    """Store only the seed data, as `make up` does if no registry is reachable."""
    await execute(SeedFromCsv(), settings, clock=FakeClock(NOON), rng=random.Random(1))  # noqa: S311


async def fill_today(settings: Settings) -> None:
    """Store the last 100 days, for programs that use the system clock."""
    now = SystemClock().now()
    last = now.date() - timedelta(days=1)
    async with LanceDBStore.open(settings) as store:
        await store.create_tables()
        await store.upsert_metrics([metric.definition(now) for metric in load_catalog(None).metrics])
        observations = [
            observed(metric_id, day, day, int(_trend(level, day)), SourceWindow.DAY, now)
            for metric_id, level in LEVELS.items()
            for day in days_between(last - timedelta(days=TODAY_DAYS), last)
        ]
        await store.upsert_observations(observations, provenance=Provenance.API, run_id="today", now=now)
        await store.record_run(rows.run(now - timedelta(hours=1), run_id="today"))


METRICS, WEEKS, PRODUCTS = 500, 520, 5
TODAY_DAYS = 100
SDKS = ("python", "rust", "nodejs")
_BIG_METRIC = """\
[[metric]]
id = "downloads:p{product}:m{index}"
source = "seed"
subject = "package-{index}"
sdk = "{sdk}"
window = "7d"
display_name = "Package {index}"
"""


def big_catalog(folder: Path) -> Path:
    """Write a catalogue of 500 weekly metrics in five products."""
    products = [f'[[product]]\nid = "p{index}"\nname = "Product {index}"\n' for index in range(PRODUCTS)]
    metrics = [
        _BIG_METRIC.format(index=index, product=index % PRODUCTS, sdk=SDKS[index % 3])
        for index in range(METRICS)
    ]
    path = folder / "catalog.toml"
    path.write_text("\n".join([*products, *metrics]))
    return path


async def fill_big(settings: Settings) -> None:
    """Store 500 metrics over ten years of weeks: 260,000 values."""
    last_sunday = date(2027, 1, 17)
    async with LanceDBStore.open(settings) as store:
        await store.create_tables()
        catalog = load_catalog(settings.catalog)
        await store.upsert_metrics([metric.definition(NOW) for metric in catalog.metrics])
        observations = [
            observed(
                metric.metric_id,
                last_sunday - timedelta(days=7 * week + 6),
                last_sunday - timedelta(days=7 * week),
                (index + 1) * 100 + (WEEKS - week) * 3 + (week * index) % 97,
                SourceWindow.WEEK,
                NOW,
            )
            for index, metric in enumerate(catalog.metrics)
            for week in range(WEEKS)
        ]
        await store.upsert_observations(observations, provenance=Provenance.API, run_id="big", now=NOW)
        await store.record_run(rows.run(NOW - timedelta(hours=3), run_id="big"))

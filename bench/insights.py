"""Insights of a week: 500 metrics with 104 weeks of days in an embedded database.

The yardstick reads the rows alone, in the same run. The bound is on the whole view, which reads these rows,
freshness and restatements, and computes every rule, in a snapshot of which nothing was read yet. Computing
alone, and a snapshot that other bodies have read, are shown beside it. Medians of 25 rounds.
The made-up values only grow, so that every metric has a record: more insights than any real week.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.made_up import Catalogue, fill
from bench.results import Result
from bench.timing import alternating
from community_metrics.catalog import load_catalog
from community_metrics.clock import SystemClock
from community_metrics.config import Settings
from community_metrics.periods import today
from community_metrics.storage.snapshot import SnapshotSource
from community_metrics.views.insights import read_insights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.storage.snapshot import Snapshot
    from community_metrics.views.insights import InsightRows

METRICS, YEARS, PRODUCTS = 500, 2, 25
ROUNDS = 25
BOUND = 2.0


def measure() -> Iterator[Result]:
    """Yield the time of computing the insights, and of the whole view, against that of reading the rows."""
    made_up, now = Catalogue(metrics=METRICS, years=YEARS, products=PRODUCTS), SystemClock().now()
    catalog = load_catalog(None)
    with TemporaryDirectory() as folder, asyncio.Runner() as runner:
        database = Path(folder) / "metrics.lancedb"
        runner.run(fill(database, made_up.definitions, years=YEARS))
        source = SnapshotSource(Settings(_env_file=None, db_path=str(database)))
        snapshot = runner.run(_snapshot(source))
        reader = snapshot.reader
        rows = runner.run(read_insights(reader, catalog, now))
        reading = partial(_reading, runner, reader, made_up.metric_ids, now)
        computed_s, against_s = alternating(lambda: _computed(rows), reading, rounds=ROUNDS)
        kept_s, kept_against_s = alternating(
            lambda: runner.run(_read_and_computed(reader, catalog, now)), reading, rounds=ROUNDS
        )
        whole_s, beside_s = alternating(
            lambda: runner.run(_in_new_snapshot(source, snapshot, catalog, now)), reading, rounds=ROUNDS
        )
        source.close()
    name = f"insights of {METRICS} metrics over {YEARS * 52} weeks"
    yield Result.beside(f"{name}, computing", computed_s * 1e3, against_s * 1e3, "ms")
    yield Result.beside(f"{name}, in a snapshot that others read", kept_s * 1e3, kept_against_s * 1e3, "ms")
    yield Result.against(f"{name}, reading and computing", whole_s * 1e3, beside_s * 1e3, "ms", bound=BOUND)


async def _snapshot(source: SnapshotSource) -> Snapshot:
    """Return what the API reads from: its bodies share the newest day of each source."""
    return await source.snapshot(await source.look())


async def _in_new_snapshot(
    source: SnapshotSource, snapshot: Snapshot, catalog: Catalog, now: datetime
) -> None:
    # bodies are cached, so the first insights of a snapshot are most of them
    new = source.renewed(snapshot.tables, snapshot.look)
    await _read_and_computed(new.reader, catalog, now)


async def _read_and_computed(reader: LanceDBReader, catalog: Catalog, now: datetime) -> None:
    # in one task without a result: a runner makes a text of the result, which took a fifth of the time
    assert (await read_insights(reader, catalog, now)).build().insights


def _computed(rows: InsightRows) -> None:
    # a new material: the old one keeps what it computed
    assert replace(rows, material=replace(rows.material)).build().insights


def _reading(runner: asyncio.Runner, reader: LanceDBReader, metric_ids: list[str], now: datetime) -> None:
    runner.run(_read(reader, metric_ids, now))


async def _read(reader: LanceDBReader, metric_ids: list[str], now: datetime) -> None:
    since = today(now) - timedelta(days=YEARS * 365)
    readings = await reader.readings(metric_ids, since=since, until=today(now), most_of_table=True)
    assert len(readings.rows) == len(metric_ids) * YEARS * 365

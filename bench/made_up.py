"""Catalogues of made-up metrics, and databases that hold them as a job leaves a database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import lancedb
import pyarrow as pa

from bench.rows import daily_rows
from community_metrics.clock import SystemClock
from community_metrics.config import Settings
from community_metrics.model import (
    MetricDefinition,
    OutcomeStatus,
    Run,
    RunOutcome,
    RunStatus,
    SourceWindow,
)
from community_metrics.periods import days_between, last_completed_day
from community_metrics.storage import LanceDBStore
from community_metrics.storage.schemas import STATS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

_DAYS_OF_A_YEAR = 365
_RUNS = 10
_STARS_OF_TEN = 3
_FAILED_OF_TEN = 1


@dataclass(frozen=True, slots=True)
class Catalogue:
    """So many metrics in so many products, each with a value for every day of the last `years` years.

    With `has_stars`, three metrics of ten are levels of repositories; without, all are daily downloads.
    """

    metrics: int
    years: int
    products: int
    has_stars: bool = False

    @property
    def definitions(self) -> list[MetricDefinition]:
        """Return the metrics; the product is in the definition alone, so ids do not depend on `products`."""
        size = self.metrics // self.products
        return [
            definition(metric_id, product=f"p{number // size}")
            for number, metric_id in enumerate(self.metric_ids)
        ]

    @property
    def metric_ids(self) -> list[str]:
        """Return the ids, in the order of the rows."""
        stars = _STARS_OF_TEN if self.has_stars else 0
        return [
            f"stars:m{number:04}:github" if number % 10 < stars else f"downloads:m{number:04}:python"
            for number in range(self.metrics)
        ]


LARGE = Catalogue(metrics=500, years=10, products=1)
"""1.8 million rows."""


def definition(metric_id: str, *, product: str | None = None) -> MetricDefinition:
    """Return the definition of a metric: a level for the family `stars`, else daily downloads."""
    family, subject, detail = metric_id.split(":")
    window = SourceWindow.INSTANT if family == "stars" else SourceWindow.DAY
    return MetricDefinition(
        metric_id=metric_id,
        metric_family=family,
        product=product or subject,
        subject=subject,
        sdk=None if family == "stars" else detail,
        source="github" if family == "stars" else "pypistats",
        value_kind=window.usual_kind,
        unit=family,
        source_window=window,
        fallbacks=(),
        display_name=subject,
        is_active=True,
        created_at=SystemClock().now(),
    )


async def define(database: Path, definitions: Sequence[MetricDefinition]) -> None:
    """Store the definitions."""
    async with LanceDBStore.open(Settings(_env_file=None, db_path=str(database))) as store:
        await store.upsert_metrics(definitions)


async def fill(database: Path, definitions: Sequence[MetricDefinition], *, years: int) -> None:
    """Make a database: a value for every day of each metric up to yesterday, ten daily runs, compacted."""
    now = SystemClock().now()
    metric_ids = [metric.metric_id for metric in definitions]
    async with LanceDBStore.open(Settings(_env_file=None, db_path=str(database))) as store:
        await store.create_tables()
        await store.upsert_metrics(definitions)
        connection = await lancedb.connect_async(database)
        table = await connection.open_table(STATS.name)
        # not by the store, which reads and compares every row that it writes
        await table.add(pa.RecordBatchReader.from_batches(STATS.schema, _rows(definitions, years, now)))
        for age_days in reversed(range(_RUNS)):
            run = _run(now - timedelta(days=age_days, hours=1))
            await store.record_run(run)
            await store.record_outcomes(_outcomes(run, metric_ids))
        await store.optimize()


def _rows(definitions: Sequence[MetricDefinition], years: int, now: datetime) -> Iterator[pa.RecordBatch]:
    last = last_completed_day(now)
    days = list(days_between(last - timedelta(days=years * _DAYS_OF_A_YEAR - 1), last))
    for window in (SourceWindow.DAY, SourceWindow.INSTANT):
        ids = [metric.metric_id for metric in definitions if metric.source_window is window]
        yield from daily_rows(ids, days, now, window)


def _run(started_at: datetime) -> Run:
    return Run(
        ingestion_run_id=f"{started_at:%Y%m%dT%H%M%SZ}-weekly_refresh-00000000",
        job_name="weekly_refresh",
        started_at=started_at,
        finished_at=started_at + timedelta(minutes=1),
        status=RunStatus.PARTIAL,
    )


def _outcomes(run: Run, metric_ids: Sequence[str]) -> list[RunOutcome]:
    return [
        _failed(run, metric_id)
        if number % 10 < _FAILED_OF_TEN
        else RunOutcome(run.ingestion_run_id, metric_id, OutcomeStatus.SUCCESS, None, None, None, 1, None)
        for number, metric_id in enumerate(metric_ids)
    ]


def _failed(run: Run, metric_id: str) -> RunOutcome:
    return RunOutcome(
        run_id=run.ingestion_run_id,
        metric_id=metric_id,
        status=OutcomeStatus.FAILED,
        error_class="SourceUnreachable",
        message="the registry returned 503",
        url="https://registry.example/downloads",
        observations=0,
        last_day=None,
    )

"""Reading and writing `stats` with 1 and with 10 million rows, against LanceDB asked by hand.

The table is made by the store and filled metric by metric, 730 days each, then indexed and compacted by
`optimize`. Both sides work on it, each over a connection of its own that sees every write at once.

A read is one metric over its 730 days: the store hands back rows of ours, the yardstick is the bare Arrow
answer to the same filter, columns and limit. An upsert is 200 rows in two shapes: what a weekly refresh of
five packages brings (40 days each, 33 of them stored with another value, 7 new), and 20 metrics of 10 days,
half of them stored, which is dearer to look up. The store reads what is there, applies its rules and merges;
the yardstick merges rows made beforehand. Before every upsert of either side the table is as a job leaves it:
`optimize` has run, untimed. Every round takes metrics that none before it took.
Medians of 40 reads and 9 upserts each, turn by turn.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import lancedb
import pyarrow as pa

from bench.results import Result
from bench.rows import daily_rows
from bench.timing import alternating
from community_metrics.config import Settings
from community_metrics.model import Observation, Provenance, SourceWindow
from community_metrics.periods import days_between
from community_metrics.storage import LanceDBStore
from community_metrics.storage.merge import plan
from community_metrics.storage.schemas import STATS
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MILLIONS = (1, 10)
DAYS = 730
LAST_DAY = NOON.date() - timedelta(days=1)
FIRST_DAY = LAST_DAY - timedelta(days=DAYS - 1)
STORED_DAYS = tuple(days_between(FIRST_DAY, LAST_DAY))
READS, UPSERTS = 40, 9


@dataclass(frozen=True, slots=True)
class Shape:
    """What an upsert holds: so many metrics, each with stored days that changed and with new ones."""

    metrics: int
    stored_days: int
    new_days: int


SHAPES = (Shape(5, 33, 7), Shape(20, 5, 5))


@dataclass(frozen=True, slots=True)
class Both:
    """One database, asked by the store and by hand."""

    runner: asyncio.Runner
    store: LanceDBStore
    by_hand: Any
    """LanceDB's own handle of `stats`."""
    unused: Iterator[str]
    """Ids of metrics that nothing has touched yet."""


def measure() -> Iterator[Result]:
    """Yield the read and the upsert at each size."""
    for millions in MILLIONS:
        with TemporaryDirectory() as folder, asyncio.Runner() as runner:
            both = runner.run(_filled(folder, millions, runner))
            with closing(both.by_hand):
                yield _read(both, f"{millions} million rows")
                for shape in SHAPES:
                    yield _upsert(both, f"{millions} million rows", shape)
                runner.run(both.store.close())


async def _filled(folder: str, millions: int, runner: asyncio.Runner) -> Both:
    ids = [f"downloads:package-{number:05}:python" for number in range(millions * 1_000_000 // DAYS + 1)]
    store = await LanceDBStore.open(Settings(_env_file=None, db_path=folder))
    await store.create_tables()
    connection = await lancedb.connect_async(folder, read_consistency_interval=timedelta(0))
    by_hand = await connection.open_table(STATS.name)
    await by_hand.add(pa.RecordBatchReader.from_batches(STATS.schema, daily_rows(ids, STORED_DAYS, NOON)))
    await store.optimize()
    random.Random(0).shuffle(ids)  # noqa: S311  which metric is asked, not a secret
    return Both(runner, store, by_hand, iter(ids))


def _read(both: Both, size: str) -> Result:
    def ours() -> None:
        rows = both.runner.run(both.store.stats([next(both.unused)], since=FIRST_DAY, until=LAST_DAY))
        assert len(rows) == DAYS

    def yardstick() -> None:
        answer = both.runner.run(_asked_by_hand(both.by_hand, next(both.unused)))
        assert answer.num_rows == DAYS

    store_s, by_hand_s = alternating(ours, yardstick, rounds=READS, warm_ups=5)
    name = f"{size}: read {DAYS} days of 1 metric"
    return Result.against(name, store_s * 1e3, by_hand_s * 1e3, "ms", bound=2.0)


async def _asked_by_hand(table: Any, metric_id: str) -> pa.Table:
    where = (
        f"metric_id = '{metric_id}' AND period_end >= date '{FIRST_DAY}' AND period_end <= date '{LAST_DAY}'"
    )
    return await table.query().where(where).select(STATS.columns).limit(10_000).to_arrow()


def _upsert(both: Both, size: str, shape: Shape) -> Result:
    def ours() -> None:
        counts = both.runner.run(
            both.store.upsert_observations(next(batches), provenance=Provenance.API, run_id="bench", now=NOON)
        )
        assert (counts.inserted, counts.updated) == (
            shape.metrics * shape.new_days,
            shape.metrics * shape.stored_days,
        )

    def yardstick() -> None:
        both.runner.run(_merged_by_hand(both.by_hand, next(prepared)))

    batches = iter([_observations(both.unused, shape) for _ in range(UPSERTS + 1)])
    prepared = iter([_rows(_observations(both.unused, shape)) for _ in range(UPSERTS + 1)])
    store_s, by_hand_s = alternating(
        ours, yardstick, rounds=UPSERTS, before_each=lambda: both.runner.run(both.store.optimize())
    )
    return Result.against(
        f"{size}: upsert 200 rows of {shape.metrics} metrics", store_s * 1e3, by_hand_s * 1e3, "ms", bound=1.3
    )


async def _merged_by_hand(table: Any, rows: pa.Table) -> None:
    merge = table.merge_insert(STATS.key).use_index(False)
    await merge.when_matched_update_all().when_not_matched_insert_all().execute(rows)


def _observations(unused: Iterator[str], shape: Shape) -> list[Observation]:
    """Return the last stored days of some metrics with other values, and the days after them."""
    days = [LAST_DAY + timedelta(days=offset) for offset in range(1 - shape.stored_days, 1 + shape.new_days)]
    return [
        _observation(metric_id, day)
        for metric_id in (next(unused) for _ in range(shape.metrics))
        for day in days
    ]


def _observation(metric_id: str, day: date) -> Observation:
    return Observation(metric_id, day, day, 10_000_000, SourceWindow.DAY, NOON, "https://pypistats.org/x")


def _rows(observations: Sequence[Observation]) -> pa.Table:
    planned = plan({}, observations, provenance=Provenance.API, run_id="bench", now=NOON)
    return STATS.to_arrow(planned.written)

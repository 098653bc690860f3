"""Three dashboards over 500 metrics of ten years, 1.8 million rows, against LanceDB's own read of their rows.

Each dashboard is a request to the API as an ASGI application that keeps no bodies. The yardstick reads, from
the same table and in the same run, the rows that the body is computed from into one Arrow table, with the
nine columns that a point is made of: own rows of 64 weeks or as many as are shown (a summary compares over a
year), and of the other metrics of the product the last 31 days (a share needs the newest complete week, a
total 30 days). It takes the fewest queries, and names metrics in a filter only where it does not read all.
The rest of ours is the catalogue, the versions of the tables, the runs, the computing, and the body.

For the first row all 500 metrics are one product; then the definitions are changed to 10 products of 50.
There is no deadline, so that a slow response is a figure and no error. Medians of 7 rounds, turn by turn.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import lancedb

from bench.api import DASHBOARD
from bench.asking import answered, uncached_app
from bench.made_up import LARGE, define, fill
from bench.results import TIMES, Result
from bench.timing import alternating
from community_metrics.clock import SystemClock
from community_metrics.periods import last_completed_day
from community_metrics.storage.schemas import STATS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.types import ASGIApp

ROUNDS = 7
STORE = f"{LARGE.metrics} metrics {TIMES} {LARGE.years} years"
NO_DEADLINE_S = 600.0
SHARE_DAYS = 31
SUMMARY_WEEKS = 64
POINT_COLUMNS = [
    *("metric_id", "period_start", "period_end", "value", "status", "provenance", "source_window"),
    *("observed_at", "revision"),
]


@dataclass(frozen=True, slots=True)
class Case:
    """A dashboard of `weeks` weeks, and the queries of its yardstick: metrics (None for all) and days."""

    name: str
    query: str
    reads: tuple[tuple[Sequence[str] | None, int], ...]
    bound: float


def measure() -> Iterator[Result]:
    """Yield one metric of a large product, one product of ten, and the whole catalogue."""
    one_product, ten_products = LARGE, replace(LARGE, products=10)
    ids = LARGE.metric_ids
    with TemporaryDirectory() as folder, asyncio.Runner() as runner:
        database = Path(folder) / "large.lancedb"
        runner.run(fill(database, one_product.definitions, years=LARGE.years))
        with closing(_Bench(runner, database)) as bench:
            yield bench.result(_one_metric(ids[0]))
        runner.run(define(database, ten_products.definitions))
        with closing(_Bench(runner, database)) as bench:  # another, which has not read the old definitions
            yield bench.result(_one_product(ids[: LARGE.metrics // ten_products.products]))
            yield bench.result(_whole_catalogue())


def _one_metric(metric_id: str) -> Case:
    reads = (([metric_id], _days(SUMMARY_WEEKS)), (None, SHARE_DAYS))
    return Case("one metric, 4 weeks, one product of", f"weeks=4&metric_id={metric_id}", reads, bound=3.0)


def _one_product(metric_ids: Sequence[str]) -> Case:
    reads = ((metric_ids, _days(104)),)
    return Case(f"a product of {len(metric_ids)}, 104 weeks, of", "weeks=104&product=p0", reads, bound=3.0)


def _whole_catalogue() -> Case:
    return Case("all, 12 weeks, of", "weeks=12", ((None, _days(SUMMARY_WEEKS)),), bound=4.0)


def _days(weeks: int) -> int:
    """Return the days from the start of the first of the completed weeks to yesterday."""
    yesterday = last_completed_day(SystemClock().now())
    return weeks * 7 + yesterday.isoweekday() % 7


class _Bench:
    """The API and a handle of LanceDB over one database."""

    def __init__(self, runner: asyncio.Runner, database: Path) -> None:
        self._runner = runner
        self._app: ASGIApp = uncached_app(str(database), read_timeout_s=NO_DEADLINE_S)
        self._table = runner.run(_opened(database))

    def close(self) -> None:
        self._table.close()

    def result(self, case: Case) -> Result:
        path = f"{DASHBOARD}?{case.query}"
        ours_s, bare_s = alternating(
            lambda: self._runner.run(answered(self._app, path)),
            lambda: self._runner.run(_read_by_hand(self._table, case)),
            rounds=ROUNDS,
        )
        return Result.against(f"API, {case.name} {STORE}", ours_s * 1e3, bare_s * 1e3, "ms", bound=case.bound)


async def _opened(database: Path) -> Any:
    connection = await lancedb.connect_async(database, read_consistency_interval=timedelta(0))
    return await connection.open_table(STATS.name)


async def _read_by_hand(table: Any, case: Case) -> None:
    yesterday = last_completed_day(SystemClock().now())
    for ids, days in case.reads:
        where = f"period_end > date '{yesterday - timedelta(days=days)}'"
        if ids is not None:
            names = ", ".join(f"'{metric_id}'" for metric_id in ids)
            where = f"metric_id IN ({names}) AND {where}"
        found = await table.query().where(where).select(POINT_COLUMNS).limit(1_000_000).to_arrow()
        assert found.num_rows == days * len(ids or LARGE.metric_ids), found.num_rows

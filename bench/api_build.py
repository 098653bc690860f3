"""Building a body: the first dashboard over 10 million rows, and the cache against a build per request.

The first build is a request with an empty cache, for 20 of 13,699 metrics over two years; the yardstick is a
direct LanceDB query for the same rows, columns and metrics. The usual design (`bench.usual_app`) reads both
tables completely for every request, sums, and serialises through a model; ours responds from memory. Both
have the packaged catalogue and two years of days, and are called as ASGI applications without a server.
Medians of 9 rounds.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bench import api, storage
from bench.asking import answered, uncached_app
from bench.made_up import definition
from bench.results import Result
from bench.timing import alternating
from bench.usual_app import usual_app
from community_metrics.api.app import create_app
from community_metrics.api.middleware.request_log import log_nothing
from community_metrics.config import Settings
from community_metrics.storage.schemas import STATS
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

MILLIONS = 10
METRICS = 20
ROUNDS = 9
CACHED_AT_ONCE = 100
"""Responses from memory in one round: a single one is too short to time."""


def measure() -> Iterator[Result]:
    """Yield the first build against the direct query, then the cache against the usual design."""
    yield _first_build()
    yield _against_usual_design()


def _first_build() -> Result:
    with TemporaryDirectory() as folder, asyncio.Runner() as runner:
        fill = storage._filled  # noqa: SLF001  the same rows as in the bench of storage
        both = runner.run(fill(folder, MILLIONS, runner))
        ids = [next(both.unused) for _ in range(METRICS)]
        runner.run(both.store.upsert_metrics([definition(metric_id) for metric_id in ids]))
        app = uncached_app(folder, FakeClock())
        with closing(both.by_hand):
            ours_s, bare_s = alternating(
                lambda: runner.run(answered(app, api.DASHBOARD)),
                lambda: runner.run(_asked_by_hand(both.by_hand, ids)),
                rounds=ROUNDS,
            )
            runner.run(both.store.close())
    name = f"API, first dashboard of {METRICS} metrics over {MILLIONS} million rows"
    return Result.against(name, ours_s * 1e3, bare_s * 1e3, "ms", bound=3.0)


def _against_usual_design() -> Result:
    with TemporaryDirectory() as folder, asyncio.Runner() as runner:
        database = Path(folder) / "metrics.lancedb"
        runner.run(api.fill(Settings(_env_file=None, db_path=str(database))))
        ours = create_app(Settings(_env_file=None, db_path=str(database)), log_request=log_nothing)
        usual = usual_app(database, api.DASHBOARD)
        cached_s, usual_s = alternating(
            lambda: runner.run(_many(ours)),
            lambda: runner.run(answered(usual, api.DASHBOARD)),
            rounds=ROUNDS,
        )
    ours_ms = cached_s / CACHED_AT_ONCE * 1e3
    return Result.against(
        "API, dashboard, against the usual design", ours_ms, usual_s * 1e3, "ms", bound=0.01
    )


async def _many(app: ASGIApp) -> None:
    for _ in range(CACHED_AT_ONCE):
        await answered(app, api.DASHBOARD)


async def _asked_by_hand(table: Any, ids: list[str]) -> None:
    wanted = ", ".join(f"'{metric_id}'" for metric_id in ids)
    where = f"metric_id IN ({wanted}) AND period_end >= date '{storage.FIRST_DAY}'"
    answer = await table.query().where(where).select(STATS.columns).limit(100_000).to_arrow()
    assert answer.num_rows == METRICS * storage.DAYS

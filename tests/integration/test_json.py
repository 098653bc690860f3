"""`--json` prints the API's models: the body of the command's route, or a model of its own without one."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.api.middleware.tokens import new_token, token_hash
from community_metrics.cli import schemas
from community_metrics.model import RunStatus
from community_metrics.runs.registry import SeedFromCsv, WeeklyRefresh
from community_metrics.storage import LanceDBStore
from community_metrics.storage.schemas import HISTORY, STATS
from tests.integration.test_cli import start
from tests.support import api as support
from tests.support.jobs import Rig
from tests.support.registry import Registry
from tests.support.replay import Replay
from tests.support.worlds import raw_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

TOKEN = new_token()
NODEJS = "downloads:lancedb:nodejs"
INSTANT = re.compile(r'"(\d{4}-\d\d-\d\dT[^"]*)"')


async def wait_out_midnight() -> None:
    """Wait until the day does not end within a minute: program and API have to see the same one."""
    now = datetime.now(UTC)
    left = timedelta(days=1) - timedelta(hours=now.hour, minutes=now.minute, seconds=now.second)
    if left < timedelta(minutes=1):
        await asyncio.sleep(left.total_seconds())


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A refresh up to yesterday, then a day lost, a day stored twice, a narrowed run that failed."""
    now = datetime.now(UTC)
    with Replay(Registry(now.date())) as replay:
        rig = Rig(replay, tmp_path_factory.mktemp("collected") / "metrics.lancedb", now)
        asyncio.run(collect(rig))
        yield rig


async def collect(rig: Rig) -> None:
    await rig.run(WeeklyRefresh())
    (success,) = await rig.runs()
    failed = replace(
        success,
        ingestion_run_id="failed",
        scope=NODEJS,
        status=RunStatus.FAILED,
        started_at=rig.now - timedelta(hours=3),
        error_summary=f"{NODEJS}: no answer",
    )
    async with LanceDBStore.open(rig.settings) as store:
        await (await raw_table(store, HISTORY)).add(HISTORY.to_arrow([failed]))
        stats = await raw_table(store, STATS)
        lost, doubled = (f"stat_key = '{NODEJS}|{rig.now.date() - timedelta(days=ago)}'" for ago in (9, 12))
        await stats.add(await stats.query().where(doubled).to_arrow())
        await stats.delete(lost)


@pytest.mark.parametrize(
    ("words", "route"),
    [
        (["report"], "dashboard/weekly?weeks=12"),
        (["report", "--weeks", "2"], "dashboard/weekly?weeks=2"),
        (["insights"], "insights"),
        (["outages"], "outages"),
        (["insights", "--month", "2026-10", "--product", "lance"], "insights?month=2026-10&product=lance"),
        (
            ["before-after", "downloads:lance:python", "--day", "2026-10-14", "--skip-missing"],
            "before-after?metric_id=downloads:lance:python&day=2026-10-14&skip_missing=true",
        ),
        (["goals"], "goals"),
        (["status"], "status"),
        (["history"], "history?limit=20"),
        (["history", "--limit", "1", "--job", "weekly_refresh"], "history?limit=1&job=weekly_refresh"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
async def test_a_command_with_a_route_prints_the_body_of_the_route(
    collected: Rig, words: list[str], route: str
) -> None:
    await wait_out_midnight()
    printed = json.loads(start(collected, *words, "--json").stdout)
    of_team = collected.settings.model_copy(update={"api_token_hashes": (token_hash(TOKEN),)})
    async with asynccontextmanager(support.serving)(of_team) as api:
        api.clock.set(datetime.now(UTC))
        assert printed == (await api.get(route, headers={"authorization": f"Bearer {TOKEN}"})).json()


@pytest.mark.parametrize(
    ("words", "model"),
    [
        (["seed"], schemas.JobRun),
        (["seed", "--include-suspect", "--dry-run"], schemas.JobRun),
        (["refresh", "--only", NODEJS], schemas.JobRun),
        (["refresh-daily", "--only", "stars:lance:github"], schemas.JobRun),
        (["update-all", "--only", NODEJS, "--dry-run"], schemas.JobRun),
        (["bootstrap"], schemas.JobRun),
        (["doctor"], schemas.Diagnosis),
        (["repair"], schemas.Repair),
        (["catalog", "show"], schemas.CatalogMetrics),
        (["catalog", "discover", "github:httpx"], schemas.DiscoveredMetrics),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
async def test_a_command_without_a_route_prints_its_model(
    rig: Rig, words: list[str], model: type[BaseModel]
) -> None:
    await rig.run(SeedFromCsv())
    printed = start(rig, *words, "--json").stdout
    assert model.model_validate_json(printed).model_dump(mode="json") == json.loads(printed)
    assert {instant[-1] for instant in INSTANT.findall(printed)} <= {"Z"}

"""A seed, a refresh and the read API against Lance's own REST server, which nobody here wrote."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from community_metrics.config import StorageMode
from community_metrics.model import RunStatus
from community_metrics.runs.registry import SeedFromCsv, WeeklyRefresh
from community_metrics.storage import LanceDBReader
from tests.support import api as support
from tests.support import lance_server
from tests.support.clock import NOON
from tests.support.jobs import Rig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.replay import Replay

ONLY = ("downloads:lancedb:nodejs", "downloads:lance:rust", "stars:lance:github")


@pytest.fixture
def remote_rig(replay: Replay, tmp_path: Path) -> Iterator[Rig]:
    with lance_server.serving(tmp_path / "lance-server") as server:
        overrides: dict[str, Any] = {
            "storage_mode": StorageMode.ENTERPRISE,
            "lancedb_uri": "db://metrics",
            "lancedb_api_key": SecretStr("a-key"),
            "lancedb_host_override": server.url,
            "cors_origins": (support.PAGE_ORIGIN,),
        }
        yield Rig(replay, tmp_path / "unused", settings_overrides=overrides)


def without_instants(text: str) -> dict[str, Any]:
    """Return the body without the instants of reading: the pauses between requests differ."""
    body: dict[str, Any] = json.loads(
        text, object_hook=lambda one: {name: value for name, value in one.items() if name != "observed_at"}
    )
    return body


async def test_a_seed_a_refresh_and_the_api_work_as_with_a_folder(
    remote_rig: Rig, replay: Replay, tmp_path: Path
) -> None:
    folder = Rig(replay, tmp_path / "metrics.lancedb")
    bodies = []
    for rig in (folder, remote_rig):
        rig.now = NOON - timedelta(hours=3)  # pauses may move a reading at noon out of the week before
        for job in (SeedFromCsv(), WeeklyRefresh(only=ONLY)):
            first, second = await rig.run(job), await rig.run(job)
            assert first.run.status is RunStatus.SUCCESS
            assert first.run.rows_inserted > 0
            assert second.run.rows_inserted + second.run.rows_updated == 0
        async with asynccontextmanager(support.serving)(rig.settings) as api:
            bodies.append(without_instants((await api.get("dashboard/weekly")).text))
    assert bodies[0]["products"] == bodies[1]["products"]


async def test_no_key_is_stored_twice_and_every_row_keeps_its_rules(remote_rig: Rig) -> None:
    await remote_rig.run(WeeklyRefresh(only=ONLY))
    async with LanceDBReader.open(remote_rig.settings) as reader:
        assert await reader.find_duplicate_keys() == {}
        assert await reader.violations() == []
        assert (await reader.lease()) is not None

"""Names that look like markup: every command of the real program prints them unchanged."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.model import RunStatus
from community_metrics.runs.registry import BootstrapTables, SeedFromCsv
from community_metrics.storage import LanceDBStore
from community_metrics.storage.schemas import HISTORY
from tests.support.jobs import Rig
from tests.support.program import run_program
from tests.support.registry import Registry
from tests.support.replay import Replay
from tests.support.rows import failed, run
from tests.support.scripted import Scripted
from tests.support.worlds import raw_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = r"[/cluster] [core] [bold] :smile: \[x]"
IN_A_FILE_NAME = "[core] [bold] :smile:"
CATALOG = rf"""
[[product]]
id = "p"
name = 'Product {HOSTILE}'

[[metric]]
id = "downloads:p:python"
source = "pypistats"
subject = "httpx"
window = "1d"
display_name = 'Python {HOSTILE}'

[[metric]]
id = "downloads:p:seed"
source = "seed"
subject = '{HOSTILE}'
window = "1d"
display_name = 'Seed'
"""
SEED = """\
metric_id,period_start,period_end,value,observed_at,source_ref,assumed,suspect,note
downloads:p:python,2026-11-20,2026-11-20,5,,https://crates.io,,,
"""


@dataclass(frozen=True)
class World:
    """A folder, a catalogue and a database whose names look like markup, and registries behind them."""

    rig: Rig
    catalog: Path
    seed: Path

    def start(self, *words: str, **more: str) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CM_", "PYTHONIO"))}
        place = {"CM_DB_PATH": str(self.rig.folder), "CM_CATALOG": str(self.catalog), "COLUMNS": "300"}
        environment = {**kept, **self.rig.replay.environment(), **place, **more}
        ended = run_program(words, self.rig.folder.parent, environment)
        shown = ended.stdout + ended.stderr
        assert "Traceback" not in shown, shown
        return shown


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / IN_A_FILE_NAME
    folder.mkdir()
    catalog, seed = folder / "catalog.toml", folder / "seed.csv"
    catalog.write_text(CATALOG, encoding="utf-8")
    seed.write_text(SEED, encoding="utf-8")
    with Replay(Registry(datetime.now(UTC).date())) as replay:
        overrides = {"catalog": catalog}
        yield World(Rig(replay, folder / "db", datetime.now(UTC), overrides), catalog, seed)


@pytest.fixture
async def filled(world: World) -> World:
    """A run that loaded the seed file, one with a hostile error, and one with a hostile job name."""
    await world.rig.run(SeedFromCsv(path=world.seed))
    summary = f"downloads:p:python: error {HOSTILE}"
    partial = run(datetime.now(UTC), RunStatus.PARTIAL, error_summary=summary)
    other = run(datetime.now(UTC), run_id="run-2", job_name=f"job {HOSTILE}")
    async with LanceDBStore.open(world.rig.settings) as store:
        await store.record_outcomes([failed("run-1", "downloads:p:python", f"error {HOSTILE}")])
        await (await raw_table(store, HISTORY)).add(HISTORY.to_arrow([partial, other]))
    return world


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("report --width 200", [f"Product {HOSTILE}"]),
        ("report --full", [f"Product {HOSTILE}", f"Python {HOSTILE}"]),
        ("status", [IN_A_FILE_NAME, f"downloads:p:python: error {HOSTILE}", f"job {HOSTILE}"]),
        ("history", [f"job {HOSTILE}", f"error {HOSTILE}"]),
        ("doctor", [f"{IN_A_FILE_NAME}/db", f"{IN_A_FILE_NAME}/catalog.toml"]),
        ("catalog show", [HOSTILE]),
        ("catalog check", [f"{IN_A_FILE_NAME}/catalog.toml"]),
        ("catalog add npm:serde --product p", [f"{IN_A_FILE_NAME}/catalog.toml"]),
    ],
)
def test_a_view_prints_names_unchanged(filled: World, command: str, printed: list[str]) -> None:
    output = filled.start(*command.split())
    assert [text for text in printed if text not in output] == []


@pytest.mark.parametrize(
    "words",
    [
        ["refresh", "--only", HOSTILE],
        ["catalog", "add", f"npm:{HOSTILE}", "--product", "p"],
        ["serve", "--host", HOSTILE],
        ["token", HOSTILE],
        [HOSTILE],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_an_error_repeats_the_argument(world: World, words: list[str]) -> None:
    assert HOSTILE in world.start(*words).replace(r"\\", "\\")  # some are quoted as Python writes them


def test_a_fault_of_the_catalogue_repeats_the_entry(world: World) -> None:
    world.catalog.write_text(CATALOG.replace('"httpx"', f"'{HOSTILE}'"), encoding="utf-8")
    output = world.start("catalog", "check")
    assert HOSTILE in output.replace(r"\\", "\\")
    assert IN_A_FILE_NAME in output


def test_a_refresh_prints_the_response_of_a_registry_unchanged(world: World) -> None:
    response = {"data": [], "package": HOSTILE, "type": "overall_downloads"}
    world.rig.replay.always("*/packages/httpx/*", Scripted(200, body=response))
    output = world.start("refresh", CM_LOG_LEVEL="ERROR")
    assert HOSTILE in output.replace(r"\\", "\\")


async def test_the_run_that_holds_the_database_is_named_unchanged(world: World) -> None:
    await world.rig.run(BootstrapTables())
    async with LanceDBStore.open(world.rig.settings) as store:
        now = datetime.now(UTC)
        await store.acquire_lease(HOSTILE, host=HOSTILE, pid=1, now=now, ttl=timedelta(minutes=5))
    assert HOSTILE in world.start("seed", "--path", str(world.seed))

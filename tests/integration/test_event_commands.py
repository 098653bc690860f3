"""The commands of docs/events.md, unchanged and in their order, and what they say to a mistake."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from community_metrics.runs.registry import BootstrapTables
from community_metrics.storage import LanceDBReader
from tests.support.program import run_program

if TYPE_CHECKING:
    import subprocess

    from community_metrics.model import Event
    from tests.support.jobs import Rig

PAGE = (Path(__file__).parents[2] / "docs/events.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ community-metrics (.+)$", PAGE, re.MULTILINE)
RECORDED = re.findall(r"^Recorded .+$", PAGE, re.MULTILINE)


async def stored(rig: Rig) -> list[Event]:
    async with LanceDBReader.open(rig.settings) as reader:
        return await reader.events()


@pytest.fixture
async def ready(rig: Rig) -> Rig:
    await rig.run(BootstrapTables())
    return rig


def start(rig: Rig, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CM_")}
    environment = {**kept, **rig.replay.environment(), "CM_DB_PATH": str(rig.folder), "COLUMNS": "200"}
    return run_program(words, rig.folder.parent, environment)


def test_the_commands_of_the_page_do_what_it_says(ready: Rig) -> None:
    add, listed, remove = (shlex.split(command) for command in COMMANDS)
    assert start(ready, *add).stdout.splitlines() == RECORDED
    shown = start(ready, *listed).stdout
    assert re.search(r"Notes by people\s+day\s+said by", shown)
    assert re.search(r"2026-05-20\s+Dana Reyes\s+Lance-DuckDB posts\s+lance\s", shown)
    assert start(ready, *remove).returncode == 0
    assert asyncio.run(stored(ready)) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["add", "2026-05-20", "x", "--by", "A", "--product", "lanse"], "known are lance, lance-context"),
        (["add", "2026-05-20", "x"], "Missing option '--by'"),
    ],
)
def test_a_mistake_is_named_with_its_fix(ready: Rig, words: list[str], told: str) -> None:
    done = start(ready, "event", *words)
    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())

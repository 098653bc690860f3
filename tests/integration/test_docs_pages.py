"""Every command of the tutorial and of the how-to for Slack runs here, on made-up registries."""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.support.registry import Registry
from tests.support.replay import Replay
from tests.support.scripted import Scripted
from tests.support.shell import DOCS, blocks_of, shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INSTALL, NAME, READ, ASK = blocks_of("tutorial.md")
ADDRESS, SEE, SEND, TARGET = blocks_of("slack.md")
SLACK_ORIGIN = "https://hooks.slack.com"
HOOK = "/services/T000/B000/XXXX"


BUSY_S = 280
"""Each command starts Python anew, which takes seconds on a busy machine."""
pytestmark = pytest.mark.timeout(2 * BUSY_S)


@pytest.fixture(scope="module")
def registries() -> Iterator[Replay]:
    with Replay(Registry(datetime.now(UTC).date())) as replay:
        replay.always(HOOK, Scripted(body_text="ok"))
        yield replay


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, registries: Replay) -> tuple[Path, str]:
    """Return the folder of a reader who followed the tutorial, and what the commands printed."""
    folder = tmp_path_factory.mktemp("tutorial")
    done = shell(NAME + READ + ASK, folder, registries.environment(), timeout_s=BUSY_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


def test_the_tutorial_shows_the_numbers_of_a_project(project: tuple[Path, str]) -> None:
    _, printed = project
    assert "downloads:httpx:python" in printed
    assert "HTTPX" in printed


@pytest.mark.skipif(
    shutil.which("curl") is None and os.environ.get("CI") != "true",
    reason="curl, which the how-to for Slack uses, is not installed",
)
def test_the_how_to_sends_a_digest_to_slack(project: tuple[Path, str], registries: Replay) -> None:
    folder, _ = project
    address = ADDRESS.replace(SLACK_ORIGIN, registries.origin).replace("/services/…", HOOK)
    assert registries.origin + HOOK in address
    script = address + SEE + SEND + TARGET
    done = shell(script, folder, registries.environment(), timeout_s=BUSY_S)
    assert done.returncode == 0, done.stdout + done.stderr
    (sent,) = [request for request in registries.requests if request.path == HOOK]
    assert json.loads(sent.body)["blocks"]
    assert "team" in done.stdout


def test_the_tutorial_installs_as_the_readme_does() -> None:
    # the two commands run in test_fresh_clone.py
    assert INSTALL.splitlines() == [
        "git clone https://github.com/lancedb/community-metrics.git && cd community-metrics",
        "make up SERVE=0",
        "source .venv/bin/activate",
    ]


def test_each_tool_of_the_comparison_says_where_and_when_it_was_read() -> None:
    table = (DOCS / "comparison.md").read_text(encoding="utf-8").partition("| --- |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (.*?) \|.* \| ([^|]*) \|$", table, re.MULTILINE)
    assert len(rows) == 9
    read = {tool: where for tool, where in rows if tool != "community-metrics"}
    assert [tool for tool, where in read.items() if not re.search(r"\b2026-\d\d-\d\d\b", where)] == []

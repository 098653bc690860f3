"""`community-metrics init` and `catalog discover` as people start them: a process in an empty folder."""

from __future__ import annotations

import os
import stat
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.catalog.files import init_catalog, starter_content
from tests.support.program import run_program
from tests.support.registry import Registry
from tests.support.replay import Replay
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = [sys.executable, "-m", "community_metrics.cli.main"]
INIT = ["init", "--github", "httpx", "--yes"]


@pytest.fixture
def registries() -> Iterator[Replay]:
    """Registries of today, since the program has the clock of this machine."""
    with Replay(Registry(datetime.now(UTC).date())) as replay:
        yield replay


@pytest.fixture
def environment(registries: Replay) -> dict[str, str]:
    """What the program is started with: none of its settings but the addresses of the registries."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CM_")}
    return {**kept, **registries.environment(), "COLUMNS": "200", "TERM": "dumb"}


def start(folder: Path, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return run_program(words, folder, environment, timeout_s=100)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_one_command_sets_up_and_fetches_and_a_second_one_changes_nothing(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    done = start(tmp_path, environment, *INIT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "weekly_refresh: success" in done.stdout
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600

    before = {name: (tmp_path / name).read_bytes() for name in ("catalog.toml", ".env")}
    again = start(tmp_path, environment, *INIT)
    assert again.returncode == 2
    assert "catalog.toml and .env exist already, and nothing was changed" in again.stderr
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_a_person_is_asked_for_everything(tmp_path: Path, environment: dict[str, str]) -> None:
    with Terminal([*PROGRAM, "init"], tmp_path, environment) as terminal:
        terminal.answer("Organisation or user on GitHub", "github:httpx/httpx")
        terminal.answer("is not an organisation or user", "github:httpx")
        terminal.answer("Token of GitHub", "ghp_1 2", is_hidden=True)
        terminal.answer("invalid", "ghp_12", is_hidden=True)  # nothing of the answer is repeated
        terminal.answer("Which products", "htpx")
        terminal.answer("did you mean httpx?", "httpx")
        terminal.answer("Fetch the numbers now?", "n")
        assert terminal.end() == 0, terminal.shown
    assert "community-metrics refresh" in terminal.shown
    assert "ghp_12" not in terminal.shown
    assert "CM_GITHUB_TOKEN=ghp_12\n" in (tmp_path / ".env").read_text()
    assert "downloads:httpx:python" in {
        metric.metric_id for metric in load_catalog(tmp_path / "catalog.toml").metrics
    }


def test_an_answer_of_none_writes_a_catalogue_without_an_entry(
    tmp_path: Path, environment: dict[str, str], registries: Replay
) -> None:
    with Terminal([*PROGRAM, "init"], tmp_path, environment) as terminal:
        terminal.answer("Organisation or user on GitHub", "")
        terminal.answer("Token of GitHub", "", is_hidden=True)
        assert terminal.end() == 0, terminal.shown
    assert registries.requests == []
    assert "# CM_GITHUB_TOKEN=\n" in (tmp_path / ".env").read_text()
    assert (tmp_path / "catalog.toml").read_bytes() == starter_content()


def test_without_a_terminal_every_missing_answer_is_named(
    tmp_path: Path, environment: dict[str, str], registries: Replay
) -> None:
    refused = start(tmp_path, environment, "init")
    assert refused.returncode == 2
    assert "there is no terminal to ask. Fix: add these options:" in refused.stderr
    assert "  - --github OWNER: " in refused.stderr
    assert "  - --yes: " in refused.stderr
    assert (names(tmp_path), registries.requests) == ([], [])


@pytest.mark.parametrize(
    ("present", "setting", "message"),
    [
        (".env", {}, ".env exists already, and nothing was changed"),
        ("notes.txt", {"CM_CATALOG": "other.toml"}, "CM_CATALOG is set to other.toml, and would override"),
    ],
)
def test_what_is_there_is_never_overwritten(
    present: str, setting: dict[str, str], message: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / present).write_text("")
    refused = start(tmp_path, environment | setting, *INIT)
    assert (refused.returncode, message in refused.stderr) == (2, True), refused.stderr
    assert (names(tmp_path), (tmp_path / present).read_text()) == ([present], "")


def test_discover_prints_commands_and_adds_only_with_add(tmp_path: Path, environment: dict[str, str]) -> None:
    init_catalog(tmp_path / "catalog.toml")
    own = environment | {"CM_CATALOG": "catalog.toml"}
    before = (tmp_path / "catalog.toml").read_bytes()
    words = ["catalog", "discover", "github:httpx"]
    printed = start(tmp_path, own, *words)
    command = "community-metrics catalog add github:httpx/httpx pypistats:httpx --product httpx"
    assert command in printed.stdout.splitlines()
    assert (tmp_path / "catalog.toml").read_bytes() == before

    added = start(tmp_path, own, *words, "--add", "--yes")
    assert added.returncode == 0, added.stderr
    metrics = load_catalog(tmp_path / "catalog.toml").metrics
    assert {"stars:httpx:github", "downloads:httpx:python"} <= {metric.metric_id for metric in metrics}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["github:httpx", "--add", "--json"], "--add and --json exclude each other"),
        (["github:httpx", "--add"], "  - --yes: to add every proposal"),
        (["github:httpx", "--add", "--yes"], "CM_CATALOG does not name a catalogue of your own"),
    ],
)
def test_a_mistake_is_found_before_anything_is_asked(
    words: list[str],
    message: str,
    tmp_path: Path,
    environment: dict[str, str],
    registries: Replay,
) -> None:
    refused = start(tmp_path, environment, "catalog", "discover", *words)
    assert (refused.returncode, registries.requests) == (2, [])
    assert message in refused.stderr

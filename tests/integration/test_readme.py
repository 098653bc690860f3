"""Every command that the README shows is run here, as it stands, in the order it stands.

`make test` is what runs this file, `make up` is run by `test_fresh_clone.py`, the API by `test_serve.py`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.enterprise import WRITE_KEY, Enterprise, serving
from tests.support.registry import Registry
from tests.support.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
RUN_ELSEWHERE = {"make up", "make test", "uv run uvicorn community_metrics.api.main:app"}


def block_with(text: str) -> str:
    """Return the one shell block of the README that holds `text`."""
    (found,) = [block for block in BLOCKS if text in block]
    return str(found)


@pytest.fixture
def registries() -> Iterator[Replay]:
    with Replay(Registry(datetime.now(UTC).date())) as replay:
        yield replay


def shell(script: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a block of the README in an empty folder, with the commands of this environment on the path."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    (folder / ".venv/bin").mkdir(parents=True, exist_ok=True)
    (folder / ".venv/bin/activate").write_text("")
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


def test_the_five_minutes_of_a_team_with_another_project(tmp_path: Path, registries: Replay) -> None:
    script = block_with("catalog init") + block_with("--dry-run").replace("community-metrics doctor", "")
    done = shell(script, tmp_path, registries.environment())
    assert done.returncode == 0, done.stderr
    assert "HTTPX" in done.stdout
    assert "downloads:httpx:python" in done.stdout


def test_doctor_finds_nothing_wrong_after_it(tmp_path: Path, registries: Replay) -> None:
    script = block_with("catalog init") + "community-metrics doctor\n"
    done = shell(script, tmp_path, registries.environment())
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_laptop_fills_an_enterprise_database(tmp_path: Path, registries: Replay) -> None:
    script = block_with("CM_STORAGE_MODE=enterprise").replace("…", WRITE_KEY).replace("uv run ", "")
    with serving(Enterprise(tmp_path / "cluster")) as cluster:
        environment = {**registries.environment(), "CM_LANCEDB_HOST_OVERRIDE": cluster.url}
        done = shell(script, tmp_path, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "data").exists()


def test_no_command_of_the_readme_is_left_untried() -> None:
    tried = block_with("catalog init"), block_with("--dry-run"), block_with("CM_STORAGE_MODE=enterprise")
    assert {block.strip() for block in BLOCKS} - {block.strip() for block in tried} == RUN_ELSEWHERE


def test_the_readme_lists_every_setting() -> None:
    from community_metrics.config import Settings  # noqa: PLC0415  only this test needs it

    named = set(re.findall(r"`(CM_[A-Z_]+)`", README))
    public = {f"CM_{name.upper()}" for name, field in Settings.model_fields.items() if not field.exclude}
    assert named == public

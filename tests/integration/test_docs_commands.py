"""Every command of the README and of the pages for new users runs here, unchanged and in its order.

`make test` runs this file; `make up` runs in `test_fresh_clone.py`, the API in `test_serve.py`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from community_metrics.config import Settings
from tests.support.enterprise import WRITE_KEY, Enterprise, serving
from tests.support.registry import Registry
from tests.support.replay import Replay
from tests.support.shell import shell

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "docs/getting-started.md", "docs/configuration.md")
}
BLOCKS = [block for page in PAGES.values() for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)]
CLONE = "git clone https://github.com/lancedb/community-metrics.git && cd community-metrics\n"
RUN_ELSEWHERE = {f"{CLONE}make up", "make test", "uvicorn community_metrics.api.main:app"}


def block_with(text: str) -> str:
    """Return the one shell block of the pages that contains `text`."""
    (found,) = [block for block in BLOCKS if text in block]
    return str(found)


@pytest.fixture
def registries() -> Iterator[Replay]:
    with Replay(Registry(datetime.now(UTC).date())) as replay:
        yield replay


def test_a_team_tracks_another_project(tmp_path: Path, registries: Replay) -> None:
    script = block_with("catalog init") + block_with("--dry-run").replace("community-metrics doctor", "")
    done = shell(script, tmp_path, registries.environment())
    assert done.returncode == 0, done.stderr
    assert "HTTPX" in done.stdout
    assert "downloads:httpx:python" in done.stdout


def test_a_team_starts_with_its_organisation(tmp_path: Path, registries: Replay) -> None:
    done = shell(block_with("community-metrics init"), tmp_path, registries.environment())
    assert done.returncode == 0, done.stderr
    assert "encode" in done.stdout


def test_doctor_finds_nothing_wrong_after_it(tmp_path: Path, registries: Replay) -> None:
    script = block_with("catalog init") + "community-metrics doctor\n"
    done = shell(script, tmp_path, registries.environment())
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_laptop_fills_an_enterprise_database(tmp_path: Path, registries: Replay) -> None:
    script = block_with("CM_STORAGE_MODE=enterprise").replace("…", WRITE_KEY)
    with serving(Enterprise(tmp_path / "cluster")) as cluster:
        environment = {**registries.environment(), "CM_LANCEDB_HOST_OVERRIDE": cluster.url}
        done = shell(script, tmp_path, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "data").exists()


def test_settings_in_a_file_are_used_by_the_next_command(tmp_path: Path, registries: Replay) -> None:
    script = block_with("catalog init").partition("community-metrics refresh")[0] + block_with("cat > .env")
    done = shell(script, tmp_path, registries.environment())
    assert done.returncode == 0, done.stderr
    shown = shell("community-metrics catalog show", tmp_path, registries.environment())
    assert "downloads:httpx:python" in shown.stdout


def test_no_command_of_the_pages_is_left_untried() -> None:
    texts = (
        "community-metrics init",
        "catalog init",
        "cat > .env",
        "--dry-run",
        "CM_STORAGE_MODE=enterprise",
    )
    tried = [block_with(text) for text in texts]
    assert {block.strip() for block in BLOCKS} - {block.strip() for block in tried} == RUN_ELSEWHERE


def test_the_readme_fits_one_screen() -> None:
    assert len(PAGES["README.md"].splitlines()) <= 50


def test_the_configuration_page_lists_every_setting() -> None:
    named = set(re.findall(r"`(CM_[A-Z_]+)`", PAGES["docs/configuration.md"]))
    public = {f"CM_{name.upper()}" for name, field in Settings.model_fields.items() if not field.exclude}
    assert named == public

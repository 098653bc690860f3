"""The commands of backups, from a laptop's database to a moved one: what they print and how they exit."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from community_metrics.cli.main import app
from community_metrics.config import Settings, load_settings
from community_metrics.errors import CommunityMetricsError, ConfigurationError
from community_metrics.storage.whole import DATA_TABLES
from tests.support.api import fill

if TYPE_CHECKING:
    from typer.testing import Result


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a database, in which the commands run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CM_DB_PATH", str(tmp_path / "metrics"))
    monkeypatch.setenv("CM_BACKUP_TARGET", str(tmp_path / "backups/"))
    asyncio.run(fill(Settings(_env_file=None, db_path=str(tmp_path / "metrics"))))
    return tmp_path


def run(*words: str) -> str:
    """Run a command that succeeds, and return what it prints on one line."""
    done: Result = CliRunner().invoke(app, words)
    if isinstance(done.exception, CommunityMetricsError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.split())


def test_a_laptop_makes_a_backup_tries_it_restores_it_and_moves(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run("backup")
    (backup_id,) = re.findall(
        rf"backups/(\d{{8}}T\d{{6}}Z-[0-9a-f]{{8}}): [\d,]+ rows in {len(DATA_TABLES)} tables", made
    )
    assert "8 ISO weeks and of each of the last 24 months that have one" in made
    assert made.endswith("may reuse. Removed: none.")
    assert "Nothing was removed: every backup is kept." in run("backup", "--keep-all")
    assert "Nothing was removed: the place is only written to" in run("backup", "alone", "--write-only")
    assert f"{backup_id} is whole" in run("backup", "verify", "--backup", backup_id)
    assert "alone/" in run("backup", "drill", "alone")
    monkeypatch.setenv("CM_DB_PATH", str(filled / "restored"))
    assert "every row compared" in run("restore", "--backup", backup_id)
    assert f"is in the backup {filled}/backups/replaced/" in run("restore", "alone", "--replace")
    assert "set CM_DB_PATH=moved." in run("move", "--to-path", "moved")
    Path("other.env").write_text("CM_DB_PATH=again\n", encoding="utf-8")
    assert "set what other.env sets." in run("move", "--to-env", "other.env")


def test_a_write_only_place_is_a_setting_too(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CM_BACKUP_WRITE_ONLY", "true")
    assert "the place is only written to" in run("backup")


def test_a_misspelt_place_of_backups_is_a_fault_of_the_settings(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CM_BACKUP_TARGET", "gs://bucket")
    with pytest.raises(
        ConfigurationError, match="CM_BACKUP_TARGET: is 'gs://bucket'; a backup goes to a folder"
    ):
        load_settings()


def test_a_move_needs_one_target(filled: Path) -> None:
    done = CliRunner().invoke(app, ["move"])
    assert (done.exit_code, "give one of --to-path and --to-env" in done.output) == (2, True)

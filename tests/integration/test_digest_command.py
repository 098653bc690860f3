"""`community-metrics digest --format pptx` and `--output`, as a process."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from tests.support.api import fill, local_place

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = [sys.executable, "-m", "community_metrics.cli.main", "digest", "--week", "2026-W47"]


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A folder with a database of known numbers."""
    await fill(local_place(tmp_path).writing)
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CM_")}
    return {**kept, "CM_DB_PATH": str(folder / "metrics.lancedb")}


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*PROGRAM, *words], check=False, env=environment(folder), cwd=folder, capture_output=True, timeout=110
    )


async def test_slides_are_written_to_a_file_or_to_a_pipe_and_are_the_same(folder: Path) -> None:
    piped = run(folder, "--store", "--format", "pptx")
    assert (piped.returncode, piped.stderr) == (0, b"")
    done = run(folder, "--format", "pptx", "--output", "deck.pptx")
    assert (done.returncode, done.stdout) == (0, b"")
    assert (folder / "deck.pptx").read_bytes() == piped.stdout
    assert "ppt/charts" in " ".join(ZipFile(io.BytesIO(piped.stdout)).namelist())


async def test_a_text_is_written_to_a_file_too(folder: Path) -> None:
    done = run(folder, "--format", "html", "--output", "deck.html")
    assert (done.returncode, done.stdout) == (0, b"")
    assert (folder / "deck.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_folder_that_does_not_exist_is_named_and_nothing_is_stored(tmp_path: Path) -> None:
    done = run(tmp_path, "--store", "--format", "html", "--output", "absent/deck.html")
    assert done.returncode == 2
    assert "The folder absent does not exist. Fix: mkdir -p absent" in " ".join(done.stderr.decode().split())
    assert not list(tmp_path.iterdir())


def test_a_terminal_gets_no_binary_file_but_the_option_that_writes_one(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0), os.fdopen(theirs, "wb", buffering=0) as screen:
        done = subprocess.run(
            [*PROGRAM, "--store", "--format", "pptx"],
            check=False,
            env=environment(tmp_path),
            stdout=screen,
            stderr=subprocess.PIPE,
            timeout=110,
        )
    assert done.returncode == 2
    assert "--output digest.pptx" in " ".join(done.stderr.decode().replace("│", " ").split())
    assert not list(tmp_path.iterdir())  # nothing was stored

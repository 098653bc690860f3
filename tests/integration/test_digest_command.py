"""`community-metrics digest --format pptx` and `--output`, as a process."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from community_metrics.digest.formats import Format, written
from community_metrics.storage import LanceDBStore
from tests.support.api import local_place
from tests.support.digests import OTHER, PYTHON, RUST, WEEK, a_stored_digest, digest_of, steady

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = digest_of({name: steady(100, WEEK.end) for name in (PYTHON, RUST, OTHER)})
PROGRAM = [sys.executable, "-m", "community_metrics.cli.main", "digest", "--week", "2026-W47"]


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A folder with a database that has the digest of a week."""
    place = local_place(tmp_path)
    async with LanceDBStore.open(place.writing) as store:
        await store.create_tables()
        await store.write_digest(a_stored_digest(products=(), content=DIGEST.model_dump_json()))
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CM_")}
    return {**kept, "CM_DB_PATH": str(folder / "metrics.lancedb")}


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*PROGRAM, *words], check=False, env=environment(folder), cwd=folder, capture_output=True, timeout=110
    )


async def test_slides_that_are_stored_are_written_to_a_pipe_as_they_were(folder: Path) -> None:
    done = run(folder, "--format", "pptx")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == written(DIGEST, Format.PPTX)


@pytest.mark.parametrize("form", [Format.HTML, Format.PPTX])
async def test_any_format_is_written_to_a_file(folder: Path, form: Format) -> None:
    done = run(folder, "--format", form, "--output", f"deck.{form}")
    assert (done.returncode, done.stdout) == (0, b"")
    assert (folder / f"deck.{form}").read_bytes() == written(DIGEST, form)


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

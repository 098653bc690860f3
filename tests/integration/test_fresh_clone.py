"""`make up` in an empty folder with a fresh clone, whatever the registries do and wherever the folder is."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.registry import Registry
from tests.support.replay import HOSTS, Replay

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
THREE_MINUTES_S = 180
pytestmark = pytest.mark.timeout(2 * THREE_MINUTES_S)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what git would hand out, uncommitted edits included, and nothing else."""
    folder = tmp_path_factory.mktemp("clone") / "path with spaces"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@contextmanager
def answering() -> Iterator[str]:
    """Registries that answer."""
    with Replay(Registry(datetime.now(UTC).date())) as replay:
        yield replay.origin


@contextmanager
def refusing() -> Iterator[str]:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def swallowing() -> Iterator[str]:
    """A port that lets every packet vanish: its queue of connections is full and nobody empties it."""
    with socket.socket() as deaf, socket.socket() as first, socket.socket() as second:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for caller in (first, second):
            caller.setblocking(False)
            caller.connect_ex(deaf.getsockname())
        yield f"http://127.0.0.1:{deaf.getsockname()[1]}"


def make(clone: Path, *words: str, origin: str = "", activated: str = "") -> subprocess.CompletedProcess[str]:
    """Run `make` with nothing of this test's own environment but the way to the packages."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("CM_", "VIRTUAL_"))
    }
    tools = os.pathsep.join(part for part in inherited["PATH"].split(os.pathsep) if ".venv" not in part)
    origins = {f"CM_SOURCE_URL_{host.upper()}": origin for host in HOSTS if origin}
    return subprocess.run(
        ["make", *words],
        cwd=clone,
        env={**inherited, **origins, "PATH": f"{activated}{tools}"},
        capture_output=True,
        text=True,
        check=False,
    )


def timed_make_up(clone: Path, origin: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run what the README shows, without a database before; return its seconds too."""
    shutil.rmtree(clone / "data", ignore_errors=True)
    started = time.monotonic()
    done = make(clone, "up", "SERVE=0", origin=origin)
    return done, time.monotonic() - started


@pytest.fixture(scope="module")
def offline(clone: Path) -> tuple[subprocess.CompletedProcess[str], float]:
    """Return what `make up` shows where every registry refuses the connection."""
    with refusing() as origin:
        return timed_make_up(clone, origin)


def check_in_time(done: subprocess.CompletedProcess[str], took_s: float) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    assert "LanceDB" in done.stdout
    assert took_s < THREE_MINUTES_S


@pytest.mark.parametrize("world", [swallowing, answering], ids=lambda world: world.__name__)
def test_make_up_ends_in_time_with_the_report_on_screen(clone: Path, world: type) -> None:
    with world() as origin:
        check_in_time(*timed_make_up(clone, origin))


def test_make_up_ends_in_time_offline_too(
    offline: tuple[subprocess.CompletedProcess[str], float],
) -> None:
    check_in_time(*offline)


def test_the_report_shows_the_published_history_where_no_registry_answered(
    offline: tuple[subprocess.CompletedProcess[str], float],
) -> None:
    done, _ = offline
    assert "2026-W22" in done.stdout
    assert "≈" in done.stdout
    listed = done.stdout.partition("No registry answered; this machine seems to be offline:\n")[2]
    hosts = listed.partition("Fix: ")[0].splitlines()
    assert hosts
    assert all(line.startswith("  ") and "cannot be reached" in line for line in hosts)
    assert "History to May 2026, from files: no registry has been read yet." in done.stdout
    assert "`make demo`" in done.stdout
    assert "nothing of it is stored" not in done.stdout


def test_the_activated_environment_of_the_clone_is_used_again(clone: Path) -> None:
    first = make(clone, ".venv/.runtime")
    (clone / ".venv/.runtime").unlink()
    again = make(clone, ".venv/.runtime", activated=f"{clone / '.venv/bin'}{os.pathsep}")
    assert first.returncode == 0, first.stdout + first.stderr
    assert again.returncode == 0, again.stdout + again.stderr
    assert "-m venv" not in again.stdout
    version = subprocess.run([clone / ".venv/bin/community-metrics", "--version"], check=False)
    assert version.returncode == 0

"""What the image and `compose.yaml` start, as far as it can be tried without a container engine."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from community_metrics.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
A_THURSDAY = 2_500 * 604_800
"""Midnight UTC of a Thursday, in seconds since 1970, which began on one."""
HADOLINT = Path(sys.executable).with_name("hadolint")


def test_every_command_of_the_containers_exists() -> None:
    started = re.findall(
        r"community-metrics[\", ]+([a-z-]+)", " ".join(re.findall(r"command: (.*)", COMPOSE))
    )
    served = re.findall(r'CMD \["community-metrics", "([a-z]+)"', DOCKERFILE)
    assert started == ["refresh-daily", "seed", "refresh"]
    assert served == ["serve"]
    assert {*started, *served} <= {name for panel in COMMANDS.values() for name in panel}


def test_the_image_copies_only_what_its_build_context_has() -> None:
    context = (ROOT / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if re.match(r"COPY (?!--from)", line)]
    names = {name for names in copied for name in names}
    assert all((ROOT / name).exists() for name in names)
    assert {name.partition("/")[0] if name.startswith("container/") else name for name in names} == {
        line.removeprefix("!") for line in context if line.startswith("!")
    }


def every(period: int, offsets: str, *command: str) -> str:
    """Return what a command printed that `every` ran for some seconds."""
    words = [str(ROOT / "container/every"), str(period), offsets, *command]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        printed, _ = process.communicate(timeout=4)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=20)
    return printed


def test_a_job_runs_at_once_and_then_at_its_times_even_if_it_failed() -> None:
    printed = every(1, "0", "sh", "-c", "echo ran; exit 75")
    assert printed.startswith("ran\nevery: sh ended with 75; it runs again in 1 s\nran\n")


@pytest.mark.parametrize(("ended", "expected"), [(0, 86_400), (1, 900), (75, 60)])
def test_a_job_that_failed_or_found_another_one_at_work_runs_again_soon(
    tmp_path: Path, ended: int, expected: int
) -> None:
    assert waits_of(tmp_path, 86_400, "0", 0, "sh", "-c", f"exit {ended}") == expected


@pytest.mark.parametrize(
    ("period", "offsets", "now", "expected"),
    [
        (86_400, "9900", 0, 9_900),
        (86_400, "9900", 9_900, 86_400),
        (604_800, "367200,410400", 345_600, 21_600),  # from Monday 00:00 to 06:00
        (604_800, "367200,410400", 367_200, 43_200),  # from Monday 06:00 to 18:00
        (604_800, "367200,410400", 410_400, 561_600),  # from Monday 18:00 to the next 06:00
    ],
)
def test_a_job_waits_for_the_nearest_of_its_times(
    tmp_path: Path, period: int, offsets: str, now: int, expected: int
) -> None:
    assert waits_of(tmp_path, period, offsets, now, "true") == expected


def waits_of(folder: Path, period: int, offsets: str, now: int, *command: str) -> int:
    """Return how many seconds `every` waits after a command that ended so long after a Thursday began."""
    for name, script in (("date", f"echo {A_THURSDAY + now}"), ("sleep", 'echo "waits $1"; kill $PPID')):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    words = shlex.join([str(ROOT / "container/every"), str(period), offsets, *command])
    done = subprocess.run(
        ["sh", "-c", f"PATH={shlex.quote(str(folder))}:$PATH exec {words}"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return int(done.stdout.removeprefix("waits "))


def test_hadolint_finds_a_planted_fault(tmp_path: Path) -> None:
    faulty = tmp_path / "Dockerfile"
    faulty.write_text("FROM debian\nRUN cd /tmp && sudo true\n", encoding="utf-8")
    done = subprocess.run([HADOLINT, faulty], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "DL3004" in done.stdout
    assert "$(BIN)/hadolint Dockerfile runtime/Dockerfile" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_page_lists_every_extra() -> None:
    page = (ROOT / "docs/install.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = page.partition("## Extras")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([a-z]+)` \|", extras, re.MULTILINE)
    assert sorted(listed) == sorted(project["optional-dependencies"])

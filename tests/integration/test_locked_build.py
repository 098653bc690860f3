"""The image and the action install the program by a build whose every package is checked by its hash."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

from tests.support.installed import ROOT, clean_environment
from tests.support.lock import BUILD, RUNTIME

pytestmark = pytest.mark.timeout(300)
"""pip downloads the five packages of the build where its cache has them not."""
VERSION: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
COPIED: Final = ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "seed_data")
PLACES: Final = ("action", "image")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a copy of what the program is built from, whose own packages are not asked for: 400 MB."""
    source = tmp_path / "source"
    source.mkdir()
    for name in (*COPIED, BUILD.file.name, "runtime/community_metrics"):
        one = ROOT / name
        (source / name).parent.mkdir(exist_ok=True)
        if one.is_dir():
            shutil.copytree(one, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(one, source / name)
    (source / RUNTIME.file.name).write_text("# none\n", encoding="utf-8")
    return source


def script_of(place: str, folder: Path) -> str:
    """Return what `action/install` or the image's first stage runs, the image's folders in `folder`."""
    if place == "action":
        return (ROOT / "action/install").read_text(encoding="utf-8")
    stage = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")[1].replace("\\\n", "")
    commands = "\n".join(re.findall(r"^RUN (.*)", stage, re.MULTILINE))
    return "set -eu\n" + re.sub(r"(?<!\S)/(opt|source)\b", rf"{folder}/\1", commands)


def installed(place: str, source: Path) -> subprocess.CompletedProcess[str]:
    """Run the installation of a place over `source`."""
    folder = source.parent
    runner = {
        "GITHUB_ACTION_PATH": str(source),
        "GITHUB_PATH": str(folder / "path"),
        "RUNNER_TEMP": str(folder / "opt"),
        "PIP_NO_COMPILE": "1",  # a third of the time, and none of it is about hashes
    }
    (folder / "opt").mkdir()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", script_of(place, folder)],
        env=clean_environment() | runner | {"PATH": path},
        capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_the_program_is_built_by_locked_packages_which_are_not_installed_beside_it(
    place: str, source: Path
) -> None:
    done = installed(place, source)
    assert done.returncode == 0, done.stderr
    (found,) = (source.parent / "opt").glob(
        "community-metrics*/lib/python*/site-packages/community_metrics-*"
    )
    assert found.name == f"community_metrics-{VERSION}.dist-info"
    assert (found.parent / "community_metrics/dashboard/index.html").is_file()
    assert not list(found.parent.glob("hatchling*"))
    if place == "action":
        bin_folder = (source.parent / "path").read_text(encoding="utf-8").strip()
        assert os.access(f"{bin_folder}/community-metrics", os.X_OK)


@pytest.mark.parametrize("place", PLACES)
def test_a_package_of_the_build_with_other_bytes_is_refused(place: str, source: Path) -> None:
    lock = source / BUILD.file.name
    text = lock.read_text(encoding="utf-8")
    lock.write_text(re.sub(r"(sha256:)[0-9a-f]{8}", r"\g<1>00000000", text), encoding="utf-8")
    done = installed(place, source)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert not list((source.parent / "opt").glob("*/lib/python*/site-packages/community_metrics"))


def test_a_build_that_needs_what_the_lock_has_not_is_refused(source: Path) -> None:
    file = source / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"hatchling==1.33.0"', '"hatchling==99"', 1), encoding="utf-8")
    done = installed("action", source)
    assert done.returncode != 0
    assert "is incompatible with hatchling==99" in done.stderr

"""The package as a user installs it: a wheel or an sdist, in an environment that has nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
UV = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
"""uv, of the machine or of `.venv`, where `make` puts it."""
BUILD_TIME = "1767225600"
"""2026-01-01, as in a release: the same sources give the same bytes."""


def clean_environment() -> dict[str, str]:
    """Return this environment without settings of community-metrics and without an activated one."""
    dropped = ("CM_", "VIRTUAL_ENV", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


def build(folder: Path, source: Path = ROOT) -> Path:
    """Build the sdist and the wheel of `source` into `folder`, without asking an index."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(folder)]
    environment = clean_environment() | {"SOURCE_DATE_EPOCH": BUILD_TIME}
    subprocess.run(command, cwd=source, env=environment, check=True, capture_output=True, timeout=110)
    return folder


def versions_here(folder: Path) -> Path:
    """Return a file of constraints with the versions of this environment, which uv's cache has."""
    command = [UV, "pip", "freeze", "--python", sys.executable, "--exclude-editable"]
    frozen = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    file = folder / "constraints.txt"
    file.write_text(frozen, encoding="utf-8")
    return file


def python_of_examples(folder: Path) -> Path:
    """Return the Python of a new environment with the group `examples` alone: pandas, Polars, DuckDB."""
    venv = folder / "venv"
    environment = clean_environment() | {"UV_PROJECT_ENVIRONMENT": str(venv)}
    command = [UV, "sync", "--quiet", "--frozen", "--only-group", "examples"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=240)
    return venv / "bin/python"


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with the package and what it depends on."""

    folder: Path

    @classmethod
    def from_file(cls, folder: Path, file: Path) -> Installed:
        """Create an environment in `folder`, and install a wheel or an sdist into it."""
        venv = folder / "venv"
        here = versions_here(folder)
        create = [UV, "venv", "--quiet", "--python", sys.executable, str(venv)]
        install = [
            UV,
            "pip",
            "install",
            "--quiet",
            "--python",
            str(venv),
            "--constraint",
            str(here),
            str(file),
        ]
        for command in (create, install):
            subprocess.run(command, cwd=folder, env=clean_environment(), check=True, timeout=240)
        return cls(folder)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, outside of any checkout."""
        program = [str(self.folder / "venv/bin" / command[0]), *command[1:]]
        return subprocess.run(
            program, cwd=self.folder, env=clean_environment(), capture_output=True, text=True, check=False,
            timeout=110,
        )  # fmt: skip

    @contextmanager
    def serving(self, *words: str) -> Iterator[tuple[str, list[str]]]:
        """Run `community-metrics …` on a free port; yield the API's origin, and what it printed before."""
        program = [str(self.folder / "venv/bin/community-metrics"), *words, "--port", "0"]
        environment = clean_environment()
        process = subprocess.Popen(
            program, cwd=self.folder, env=environment, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        try:
            lines: list[str] = []
            for line in process.stderr:
                lines.append(line)
                if line.startswith("The read API is at "):
                    break
            else:
                raise AssertionError(f"it ended: {''.join(lines)}")
            yield line.split()[5].partition("/api/")[0], lines
        finally:
            process.terminate()
            process.communicate(timeout=60)

"""A runner of GitHub for `action/run`: its environment, its folders, and a repository on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.registry import Registry
from tests.support.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
CATALOG = """
[[product]]
id = "lance"
name = "Lance"

[[metric]]
id = "downloads:lance:python"
source = "pypistats"
subject = "pylance"
sdk = "python"
window = "1d"
display_name = "Lance for Python"
"""


@dataclass
class Runner:
    """A runner of GitHub: each `run` has a new temporary folder, as each job has."""

    folder: Path
    registries: Replay
    environment: dict[str, str] = field(default_factory=dict)
    """What else the workflow sets, such as credentials of AWS."""
    number: int = 0
    files: dict[str, str] = field(default_factory=dict)

    @property
    def remote(self) -> Path:
        """The bare repository, in which the branch is."""
        return self.folder / "server" / "team" / "metrics"

    def run(self, *, first: bool = False, store: str = "branch:data") -> subprocess.CompletedProcess[str]:
        """Run the action's script as `action.yml` does."""
        self.number += 1
        job = self.folder / f"job-{self.number}"
        (job / "temp").mkdir(parents=True)
        (job / "workspace").mkdir()
        (job / "workspace" / "catalog.toml").write_text(CATALOG)
        inputs = {"CATALOG": "catalog.toml", "STORE": store, "FIRST_RUN": str(first).lower(), "SITE": "site"}
        inputs |= {"PRIVATE": "false", "PAGES": "true", "URL": "https://metrics.example.org"}
        github = {
            "GITHUB_WORKSPACE": str(job / "workspace"),
            "GITHUB_OUTPUT": str(job / "output"),
            "GITHUB_STEP_SUMMARY": str(job / "summary"),
            "GITHUB_ACTION_PATH": str(self.folder / "action"),
            "GITHUB_REPOSITORY": "team/metrics",
            "GITHUB_SERVER_URL": f"file://{self.folder / 'server'}",
            "GITHUB_API_URL": "http://127.0.0.1:9",
            "RUNNER_TEMP": str(job / "temp"),
        }
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {"PATH": path, "HOME": str(job), "LANG": "C.UTF-8", "TOKEN": "ghs_of-this-run"}
        environment |= self.environment
        done = subprocess.run(
            [str(ROOT / "action" / "run")],
            env={**environment, **github, **inputs, **self.registries.environment()},
            cwd=job / "workspace",
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        written = {one: job / one for one in ("output", "summary")}
        self.files = {one: path.read_text() for one, path in written.items() if path.exists()}
        return done

    def git(self, *words: str) -> str:
        """Return what git says of the bare repository."""
        command = ["git", "-C", str(self.remote), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def a_runner(folder: Path) -> Iterator[Runner]:
    """Yield a runner whose repository is empty, and whose registries are on loopback."""
    with Replay(Registry(datetime.now(UTC).date())) as registries:
        runner = Runner(folder, registries)
        runner.remote.mkdir(parents=True)
        runner.git("init", "--quiet", "--bare")
        yield runner

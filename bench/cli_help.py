"""`community-metrics --help`, against an interpreter that imports only typer and rich.

Both are whole processes, from start to exit: the median of 15 each, turn by turn. Which modules the help
imports is read from the interpreter's own list of imports (`PYTHONPROFILEIMPORTTIME`), in one more process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.results import Result
from bench.timing import alternating

if TYPE_CHECKING:
    from collections.abc import Iterator

HELP = [str(Path(sys.executable).with_name("community-metrics")), "--help"]
YARDSTICK = [sys.executable, "-c", "import typer, rich"]
UNWANTED = ("lancedb", "pyarrow", "httpx", "pydantic")


def measure() -> Iterator[Result]:
    """Yield the time of the help, and the unwanted modules it imports."""
    ours, yardstick = alternating(lambda: _run(HELP), lambda: _run(YARDSTICK), rounds=15)
    yield Result.against("`--help`, whole process", ours * 1e3, yardstick * 1e3, "ms", bound=2.0)
    unwanted = [name for name in _imports(HELP) if name.split(".")[0] in UNWANTED]
    yield Result.at_most(
        "`--help` imports of lancedb, pyarrow, httpx and pydantic", len(unwanted), "modules", bound=0
    )


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _imports(command: list[str]) -> list[str]:
    environment = os.environ | {"PYTHONPROFILEIMPORTTIME": "1"}
    profile = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stderr
    names = [line.rpartition("|")[2].strip() for line in profile.splitlines()]
    assert "typer" in names, "the list of imports lacks typer"
    return names

"""The stamp in `requirements.lock`: which dependencies of `pyproject.toml` it was resolved from.

`python -m tests.support.lock stamp` writes it; `tests/unit/test_lock.py` compares it. A digest instead of a
second resolution, so that the check needs no network and no index.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
_PREFIX = "# made by `make lock` from the dependencies in pyproject.toml, sha256:"


def expected_stamp() -> str:
    """Return the first line that a lock made from today's `pyproject.toml` carries."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    inputs = [project["requires-python"], sorted(locked_requirements(project))]
    return _PREFIX + hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


def locked_requirements(project: dict[str, Any]) -> list[str]:
    """Return the direct dependencies that the lock has: those of every installation, and those on AWS."""
    return [*project["dependencies"], *project["optional-dependencies"]["aws"]]


def main() -> None:
    """Put the stamp on top of a freshly resolved lock."""
    if sys.argv[1:] != ["stamp"]:
        sys.exit("usage: python -m tests.support.lock stamp")
    body = [line for line in LOCK.read_text().splitlines() if not line.startswith(_PREFIX)]
    LOCK.write_text("\n".join([expected_stamp(), *body]) + "\n")


if __name__ == "__main__":
    main()

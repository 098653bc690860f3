"""The two locks: what an installation has, and what builds the program; and the stamps of their inputs.

`python -m tests.support.lock stamp` writes the stamps; `tests/unit/test_lock.py` compares them. A digest
instead of a second resolution, so that the check needs no network and no index.
`python -m tests.support.lock build` prints what the second one is resolved from.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).parents[2]
_PYPROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_PROJECT: Final[dict[str, Any]] = _PYPROJECT["project"]


@dataclass(frozen=True, slots=True)
class Lock:
    """A file of exact versions with hashes, and the requirements of `pyproject.toml` that it answers."""

    file: Path
    of: str
    requirements: tuple[str, ...]

    @property
    def _prefix(self) -> str:
        return f"# made by `make lock` from {self.of} in pyproject.toml, sha256:"

    def expected_stamp(self) -> str:
        """Return the first line of a lock that is made from today's `pyproject.toml`."""
        inputs = [_PROJECT["requires-python"], sorted(self.requirements)]
        return self._prefix + hashlib.sha256(json.dumps(inputs).encode()).hexdigest()

    def stamp(self) -> None:
        """Put the stamp on top of a freshly resolved lock."""
        lines = self.file.read_text(encoding="utf-8").splitlines()
        body = [line for line in lines if not line.startswith(self._prefix)]
        self.file.write_text("\n".join([self.expected_stamp(), *body]) + "\n", encoding="utf-8")


RUNTIME: Final = Lock(
    ROOT / "requirements.lock",
    "the dependencies",
    (*_PROJECT["dependencies"], *_PROJECT["optional-dependencies"]["aws"]),
)
"""Of every installation, and of those on AWS."""
BUILD: Final = Lock(
    ROOT / "requirements-build.lock", "`build-system.requires`", tuple(_PYPROJECT["build-system"]["requires"])
)
"""Of the environment that builds the wheel."""
LOCKS: Final = (RUNTIME, BUILD)


def main() -> None:
    """Do what the one argument says."""
    match sys.argv[1:]:
        case ["stamp"]:
            for lock in LOCKS:
                lock.stamp()
        case ["build"]:
            sys.stdout.write("\n".join(BUILD.requirements) + "\n")
        case _:
            sys.exit("usage: python -m tests.support.lock stamp|build")


if __name__ == "__main__":
    main()

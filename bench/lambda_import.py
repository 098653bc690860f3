"""A cold import of the API's Lambda handler, against `import fastapi, mangum`, and where its time goes.

Both are whole processes, from start to exit, with the files in the page cache and compiled: the median of 9
each, turn by turn. There is no bound: it shows what a cold start pays before it reads a secret. The parts are
the modules' own times in the interpreter's list of imports (`-X importtime`, which slows them all), summed
by top-level package: the median of 5 more processes. What took under 1 % is summed as "the rest".
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.results import Result
from bench.timing import alternating

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

OURS: Final = "import community_metrics.aws.lambda_api"
YARDSTICK: Final = "import fastapi, mangum"
STANDARD_LIBRARY: Final = "Python's own modules"
_LINE: Final = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s*([\w.]+)$", re.MULTILINE)
_LEAST_SHARE: Final = 0.01


def measure() -> Iterator[Result]:
    """Yield the time of the import, with its parts."""
    ours, yardstick = alternating(lambda: _imported(OURS), lambda: _imported(YARDSTICK), rounds=9)
    profiles = [by_package(_imported(OURS, "-X", "importtime")) for _ in range(5)]
    yield Result.beside(
        "cold import of `lambda_api`, whole process",
        ours * 1e3,
        yardstick * 1e3,
        "ms",
        parts=_parts(profiles),
    )


def by_package(profile: str) -> dict[str, float]:
    """Return the milliseconds of each top-level package in a list of imports."""
    found: Counter[str] = Counter()
    for spent, module in _LINE.findall(profile):
        package = module.partition(".")[0]
        found[STANDARD_LIBRARY if package in sys.stdlib_module_names else package] += int(spent)
    assert found, "the list of imports is not what it is taken for"
    return {package: microseconds / 1e3 for package, microseconds in found.items()}


def _imported(statement: str, *options: str) -> str:
    command = [sys.executable, *options, "-c", statement]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CM_", "AWS_"))}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stderr


def _parts(profiles: Sequence[Mapping[str, float]]) -> tuple[tuple[str, float], ...]:
    """Return the median of each package, the slowest first."""
    packages = sorted({package for profile in profiles for package in profile})
    times = {package: median(profile.get(package, 0) for profile in profiles) for package in packages}
    least = sum(times.values()) * _LEAST_SHARE
    large = sorted(((time, name) for name, time in times.items() if time >= least), reverse=True)
    rest = sum(time for time in times.values() if time < least)
    return (*((name, time) for time, name in large), ("the rest", rest))

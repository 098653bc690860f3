"""docs/performance.md: figures of one run, its machine, the methods, and what happens beyond the bounds."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bench.results import HEADINGS, PART_HEADINGS
from community_metrics.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import ModuleType

    from bench.results import Result

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEYOND = Path(__file__).with_name("beyond.md")
"""What happens to work that is more than the bounds are for."""


def written(results: Mapping[ModuleType, Sequence[Result]]) -> str:
    """Return the page."""
    every = [result for measured in results.values() for result in measured]
    bound = [result for result in every if result.bound is not None]
    held = sum(result.holds for result in bound)
    return "\n".join(
        [
            "# Performance",
            "",
            "<!-- written by `make bench`; do not edit -->",
            "Speed is measured as a ratio against a yardstick in the same run, so that the figures mean",
            "the same on every machine; `make bench` measures again and writes this page anew.",
            f"On {SystemClock().now():%Y-%m-%d}, {held} of {len(bound)} bounds held.",
            "",
            *_table(("machine", ""), _machine()),
            "",
            *_table(HEADINGS, [result.cells() for result in every]),
            "",
            "## How each is measured",
            *(line for module, measured in results.items() for line in _method(module, measured)),
            "",
            BEYOND.read_text(encoding="utf-8"),
        ]
    )


def _method(module: ModuleType, results: Sequence[Result]) -> list[str]:
    name = module.__name__.rpartition(".")[2]
    parts = [line for result in results if result.parts for line in _parts(result)]
    return ["", f"### {name}", "", f"`python -m bench {name}`", "", cleandoc(module.__doc__ or ""), *parts]


def _parts(result: Result) -> list[str]:
    return ["", *_table(PART_HEADINGS, result.part_cells())]


def _machine() -> list[tuple[str, str]]:
    return [
        ("CPU", _cpu()),
        ("cores", str(os.cpu_count())),
        ("memory", f"{psutil.virtual_memory().total / 2**30:.0f} GiB"),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("Python", platform.python_version()),
        ("lancedb", version("lancedb")),
    ]


def _cpu() -> str:
    """Return the processor's model; Linux tells it here, and nothing by `platform.processor`."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [headings, ["---"] * len(headings), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]

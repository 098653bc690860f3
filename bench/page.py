"""docs/performance.md: figures of one run, its machine, the methods, and what happens beyond the bounds."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bench.results import HEADINGS, PART_HEADINGS, Result
from community_metrics.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import ModuleType

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEYOND = Path(__file__).with_name("beyond.md")
"""What happens to work that is more than the bounds are for."""


FIGURES = Path(__file__).with_name("figures.json")
"""The newest figures of every bench, which the page shows."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of one bench, and the UTC day on which it ran."""

    on: str
    results: Sequence[Result]


def keep(measured: Mapping[str, Sequence[Result]]) -> None:
    """Store the figures of these benches, by name; those of others stay."""
    stored = json.loads(FIGURES.read_text(encoding="utf-8"))
    on = f"{SystemClock().now():%Y-%m-%d}"
    stored |= {name: asdict(Measured(on, list(results))) for name, results in measured.items()}
    FIGURES.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def kept(benches: Mapping[str, ModuleType]) -> dict[ModuleType, Measured]:
    """Return the stored figures of each bench that has any."""
    stored = json.loads(FIGURES.read_text(encoding="utf-8"))
    return {
        module: Measured(stored[name]["on"], [Result(**one) for one in stored[name]["results"]])
        for name, module in benches.items()
        if name in stored
    }


def written(benches: Mapping[ModuleType, Measured]) -> str:
    """Return the page."""
    every = [result for measured in benches.values() for result in measured.results]
    bound = [result for result in every if result.bound is not None]
    held = sum(result.holds for result in bound)
    return "\n".join(
        [
            "# Performance",
            "",
            "<!-- written by `make bench`; do not edit -->",
            "Speed is measured as a ratio against a yardstick in the same run, so that the figures mean",
            "the same on every machine; `make bench` measures again and writes this page anew,",
            "`make bench ONLY=refresh` the figures of one bench.",
            f"{held} of {len(bound)} bounds held.",
            "",
            *_table(("machine", ""), _machine()),
            "",
            *_table(HEADINGS, [result.cells() for result in every]),
            "",
            "## How each is measured",
            *(line for module, measured in benches.items() for line in _method(module, measured)),
            "",
            BEYOND.read_text(encoding="utf-8"),
        ]
    )


def _method(module: ModuleType, measured: Measured) -> list[str]:
    name = module.__name__.rpartition(".")[2]
    parts = [line for result in measured.results if result.parts for line in _parts(result)]
    ran = f"`python -m bench {name}`, measured on {measured.on}"
    return ["", f"### {name}", "", ran, "", cleandoc(module.__doc__ or ""), *parts]


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

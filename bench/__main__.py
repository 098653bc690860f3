"""Run the benches: `python -m bench` for all of them, `python -m bench refresh storage` for some.

A bench is a module of this folder that has `measure() -> Iterator[Result]`; its docstring goes into the page
as the description of its method. docs/performance.md shows the newest figures of every bench: those of one
that does not run stay. Ends with 1 when a bound does not hold.
"""

from __future__ import annotations

import argparse
import logging
import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import structlog

import bench
from bench import page
from bench.results import HEADINGS, Result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

WIDTHS = (62, 11, 11, 8, 12, 4)


def main() -> int:
    # between the lines of the table nobody wants to read what runs tell of themselves
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    benches = _benches()
    names = _chosen(benches)
    print(_line(HEADINGS), flush=True)
    results = {benches[name]: _measured(benches[name]) for name in names}
    page.keep({name.__name__.rpartition(".")[2]: measured for name, measured in results.items()})
    page.PAGE.write_text(page.written(page.kept(benches)), encoding="utf-8")
    print(f"\nWritten to docs/{page.PAGE.name}")
    return 0 if all(result.holds for measured in results.values() for result in measured) else 1


def _benches() -> dict[str, ModuleType]:
    names = [info.name for info in iter_modules(bench.__path__) if info.name != "__main__"]
    modules = {name: import_module(f"bench.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "measure")}


def _chosen(benches: dict[str, ModuleType]) -> list[str]:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure speed as ratios.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of {', '.join(benches)}; default: all")
    names: list[str] = parser.parse_args().names or list(benches)
    unknown = [name for name in names if name not in benches]
    if unknown:
        parser.error(f"no bench is called {', '.join(unknown)}; there are {', '.join(benches)}")
    return names


def _measured(module: ModuleType) -> list[Result]:
    """Run one bench and print its results as they come."""
    results: list[Result] = []
    for result in module.measure():
        print(_line(result.cells()), flush=True)
        for name, *figures in result.part_cells():
            print(_line([f"  {name}", *figures, "", "", ""]), flush=True)
        results.append(result)
    return results


def _line(cells: Sequence[str]) -> str:
    first, *others = [cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)]
    return "  ".join([first, *(cell.strip().rjust(len(cell)) for cell in others)])


if __name__ == "__main__":
    sys.exit(main())

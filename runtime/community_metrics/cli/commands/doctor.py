"""`community-metrics doctor`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer
from rich.table import Table
from rich.text import Text

from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.cli.checks import Check, Verdict
from community_metrics.cli.doctor import examine
from community_metrics.cli.output import print_json, print_view, quiet_settings
from community_metrics.cli.schemas import Diagnosis
from community_metrics.clock import SystemClock
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from community_metrics.cli.render.style import Glyphs


def doctor(as_json: options.AsJson = False) -> None:
    """Check settings, database and registries, and print a fix for each problem.

    Exits with 1 if there is a problem.
    """
    checks = asyncio.run(examine(quiet_settings(), SystemClock()))
    failed = has_problem(checks)
    if as_json:
        print_json(Diagnosis.model_validate({"ok": not failed, "checks": checks}, from_attributes=True))
    else:
        print_view(lambda glyphs, _: render_checks(checks, glyphs))
    raise typer.Exit(1 if failed else 0)


def has_problem(checks: Iterable[Check]) -> bool:
    """Return whether a check failed."""
    return any(check.verdict is Verdict.FAIL for check in checks)


def render_checks(checks: Sequence[Check], glyphs: Glyphs) -> Table:
    """Return the checks as they are printed: glyph, area, detail, and the fix below it."""
    marks = {
        Verdict.OK: Text(glyphs.ok, "green"),
        Verdict.WARN: Text(glyphs.warn, "bold yellow"),
        Verdict.FAIL: Text(glyphs.fail, "bold red"),
    }
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for check in checks:
        detail = Text(check.detail)
        if check.fix:
            detail.append(f"\n  Fix: {check.fix}", "dim")
        table.add_row(marks[check.verdict], Text(check.area, "bold"), detail)
    verdicts = [check.verdict for check in checks]
    problems, warnings = verdicts.count(Verdict.FAIL), verdicts.count(Verdict.WARN)
    total = f"{counted(problems, 'problem')}, {counted(warnings, 'warning')}."
    table.add_row("", "", Text(f"\n{total}", "bold"))
    return table

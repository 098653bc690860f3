"""`community-metrics repair`."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Annotated

import typer

from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.cli.output import print_json, quiet_settings
from community_metrics.cli.schemas import Repair
from community_metrics.runs.repair import repair as run_repair
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from community_metrics.runs.repair import RepairReport

Yes = Annotated[
    bool, typer.Option("--yes", help="Delete rows from the future even if most rows or runs are.")
]


def repair(yes: Yes = False, as_json: options.AsJson = False) -> None:
    """Build the indexes anew; delete surplus copies, and rows from the future.

    Of the copies of a key the one observed last stays. Rows and runs that a clock far ahead wrote are
    deleted, so that a refresh can read their days again. The repair is a run in the history.
    """
    report = asyncio.run(run_repair(quiet_settings(), even_most=yes))
    if as_json:
        return print_json(Repair.model_validate(report, from_attributes=True))
    for line in _lines(report):
        typer.echo(line)
    return None


def _lines(report: RepairReport) -> Iterator[str]:
    for name in report.indexes:
        yield f"built the index of {name}"
    for row in report.dropped:
        yield f"deleted a copy of {row.key} from {row.table}"
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for one in report.future:
        subject, _, rest = one.key.partition("|")
        groups[one.table, subject].append(rest)
    for (table, subject), ends in groups.items():
        days = f", {ends[0]} to {ends[-1]}" if table == "stats" else ""
        yield f"deleted {counted(len(ends), 'row')} of {subject} from {table}: from the future{days}"
    copies, future = len(report.dropped), len(report.future)
    yield f"{copies} surplus copies deleted." if copies else "Every key is stored once."
    yield f"{counted(future, 'row')} from the future deleted." if future else "No row is from the future."

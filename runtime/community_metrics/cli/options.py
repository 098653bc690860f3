"""The options that several commands share. Imports nothing heavy, so that help is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from community_metrics.runs.registry import MOST_WEEKS

Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="METRIC_ID",
        help="Only this metric; a glob such as 'downloads:*' selects several. Repeatable.",
        show_default=False,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 3 if the run is partial.")]
BestEffort = Annotated[
    bool,
    typer.Option(
        "--best-effort", help="Exit with 0 even if no registry returned data; other failures still count."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON with stable fields.")]
SeedPath = Annotated[
    Path | None,
    typer.Option(
        "--path", help="A seed file, or a folder of them.  [default: the shipped files]", show_default=False
    ),
]
IncludeSuspect = Annotated[
    bool, typer.Option("--include-suspect", help="Load the rows that the files mark as suspect too.")
]
Weeks = Annotated[int, typer.Option("--weeks", min=1, max=MOST_WEEKS, help="How many weeks to show.")]


def lookback(default: int) -> typer.models.OptionInfo:
    """Return the look-back option of a job whose own default is `default` weeks."""
    option: typer.models.OptionInfo = typer.Option(
        "--lookback-weeks",
        metavar="N",
        min=1,
        max=MOST_WEEKS,
        help=f"Complete ISO weeks to fetch again, and the days since.  [default: {default}]",
        show_default=False,
    )
    return option

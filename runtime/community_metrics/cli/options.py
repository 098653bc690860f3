"""The options that several commands share. Imports nothing heavy, so that help is quick."""

from __future__ import annotations

import re
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
Retire = Annotated[
    bool,
    typer.Option("--retire", help="Retire stored metrics that the catalogue lacks, even if most are."),
]
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


def whole_number(
    name: str, low: int, high: int, text: str, *, show_default: bool = True
) -> typer.models.OptionInfo:
    """Return an option that accepts digits only; the parser of typer would also accept `1_0` and `+4`."""

    def parsed(value: str | int) -> int:
        if not re.fullmatch(r"[0-9]{1,19}", str(value)) or not low <= int(value) <= high:
            raise typer.BadParameter(f"{value} is not a whole number from {low} to {high}")
        return int(value)

    option: typer.models.OptionInfo = typer.Option(
        name, parser=parsed, metavar="N", help=f"{text}, {low} to {high}.", show_default=show_default
    )
    return option


Weeks = Annotated[int, whole_number("--weeks", 1, MOST_WEEKS, "How many weeks to show")]


def lookback(default: int) -> typer.models.OptionInfo:
    """Return the look-back option of a job whose own default is `default` weeks."""
    text = f"Complete ISO weeks to fetch again, and the days since.  [default: {default}]"
    option = whole_number("--lookback-weeks", 1, MOST_WEEKS, text, show_default=False)
    option.help = text
    return option

"""The options that several commands share. Imports nothing heavy, so that help is quick."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from community_metrics.model import SIDE_DAYS_STEP
from community_metrics.periods import FIRST_YEAR, LAST_YEAR, Grain, last_completed, period_named
from community_metrics.runs.registry import MOST_MINUTES, MOST_WEEKS

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.periods import Period

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

BackupSource = Annotated[
    str | None,
    typer.Argument(
        metavar="SOURCE",
        help="The folder of the backups, or s3://bucket/prefix.  [default: CM_BACKUP_TARGET]",
        show_default=False,
    ),
]
BackupId = Annotated[
    str | None,
    typer.Option("--backup", metavar="ID", help="The backup.  [default: the newest]", show_default=False),
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


def whole_weeks(name: str, high: int, text: str) -> typer.models.OptionInfo:
    """Return an option that accepts a number of days that are whole weeks, up to `high`."""

    def parsed(value: str | int) -> int:
        step = SIDE_DAYS_STEP
        is_number = re.fullmatch(r"[0-9]{1,19}", str(value)) is not None
        if not is_number or not step <= int(value) <= high or int(value) % step:
            raise typer.BadParameter(f"{value} is not a multiple of {step} from {step} to {high}")
        return int(value)

    option: typer.models.OptionInfo = typer.Option(
        name, parser=parsed, metavar="N", help=f"{text}, whole weeks, {SIDE_DAYS_STEP} to {high}."
    )
    return option


def day(value: str | date) -> date:
    """Return the UTC day that an option names.

    Raises:
        typer.BadParameter: it is not written `YYYY-MM-DD`.
    """
    if isinstance(value, date):
        return value
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):  # the parser also takes 20261120
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise typer.BadParameter(f"{value} is not a day written YYYY-MM-DD")


Day = Annotated[
    date, typer.Option("--day", parser=day, metavar="YYYY-MM-DD", help="The UTC day.", show_default=False)
]
TimeBudget = Annotated[
    int | None,
    whole_number(
        "--time-budget",
        1,
        MOST_MINUTES,
        "Minutes after which no further metric is read; the next run continues",
        show_default=False,
    ),
]
LAST: Final = "last"
"""Names the newest period that is over."""
_EXAMPLES: Final = {Grain.WEEK: "2026-W47", Grain.MONTH: "2026-11", Grain.QUARTER: "2026-Q4"}
Week = Annotated[
    str | None, typer.Option("--week", metavar="WEEK", help="The ISO week, such as 2026-W47, or `last`.")
]
Month = Annotated[
    str | None, typer.Option("--month", metavar="MONTH", help="The month, such as 2026-11, or `last`.")
]
Quarter = Annotated[
    str | None, typer.Option("--quarter", metavar="QUARTER", help="The quarter, such as 2026-Q4, or `last`.")
]
Products = Annotated[
    list[str] | None,
    typer.Option("--product", metavar="PRODUCT", help="Only this product. Repeatable.", show_default=False),
]


def named_period(now: datetime, *, week: str | None, month: str | None, quarter: str | None) -> Period | None:
    """Return the period that one of the three options names; None without any.

    Raises:
        typer.BadParameter: two are given, or the name is none of a period.
    """
    names = {Grain.WEEK: week, Grain.MONTH: month, Grain.QUARTER: quarter}
    given = {grain: name for grain, name in names.items() if name is not None}
    if len(given) > 1:
        raise typer.BadParameter(f"{' and '.join(f'--{grain}' for grain in given)} exclude each other")
    for grain, name in given.items():
        if name == LAST:
            return last_completed(now, grain)
        if (period := period_named(name, grain)) is None:
            years = f"{FIRST_YEAR} to {LAST_YEAR}"
            raise typer.BadParameter(f"{name!r} is not a {grain} from {years}, such as {_EXAMPLES[grain]}")
        return period
    return None


Repositories = Annotated[
    int, whole_number("--limit", 1, 1_000, "How many repositories are read, the most starred first")
]
Weeks = Annotated[int, whole_number("--weeks", 1, MOST_WEEKS, "How many weeks to show")]


def lookback(default: int) -> typer.models.OptionInfo:
    """Return the look-back option of a job whose own default is `default` weeks."""
    text = f"Complete ISO weeks to fetch again, and the days since.  [default: {default}]"
    option = whole_number("--lookback-weeks", 1, MOST_WEEKS, text, show_default=False)
    option.help = text
    return option

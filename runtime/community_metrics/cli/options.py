"""The options that several commands share, each defined once.

Imports nothing heavy, so that help is quick.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from community_metrics.runs.registry import MOST_WEEKS

if TYPE_CHECKING:
    from collections.abc import Iterable

_WHOLE_SENTENCE = 300

Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="METRIC_ID",
        help="Only this metric; a glob such as 'downloads:*' takes several. Repeatable.",
        show_default=False,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")]
Strict = Annotated[bool, typer.Option("--strict", help="End with 3 when the run is only partial.")]
BestEffort = Annotated[
    bool,
    typer.Option(
        "--best-effort", help="End with 0 even where no registry gave anything; other failures still count."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, in a shape that stays.")]
SeedPath = Annotated[
    Path | None,
    typer.Option(
        "--path", help="A seed file, or a folder of them.  [default: the shipped files]", show_default=False
    ),
]
IncludeSuspect = Annotated[
    bool, typer.Option("--include-suspect", help="Load the readings that the files themselves doubt.")
]
Reset = Annotated[bool, typer.Option("--reset", help="Drop the tables first, history included.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before --reset.")]
Weeks = Annotated[int, typer.Option("--weeks", min=1, max=MOST_WEEKS, help="How many weeks to show.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1_000, help="How many runs to show.")]


def lookback(default: int) -> typer.models.OptionInfo:
    """Return the look-back option of a job whose own default is `default` weeks."""
    option: typer.models.OptionInfo = typer.Option(
        "--lookback-weeks",
        metavar="N",
        min=1,
        max=MOST_WEEKS,
        help=f"Complete ISO weeks to ask for again, and the days since.  [default: {default}]",
        show_default=False,
    )
    return option


class Sections(TyperGroup):
    """A group whose plain help lists its commands by their panel, in the order they were added."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write one section for each panel."""
        commands = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        # one width for all sections, so that their second columns are one
        width = max(len(name) for name, _ in commands)
        for panel in _panels(command for _, command in commands):
            with formatter.section(panel):
                formatter.write_dl(
                    [
                        (name.ljust(width), command.get_short_help_str(limit=_WHOLE_SENTENCE))
                        for name, command in commands
                        if getattr(command, "rich_help_panel", None) == panel
                    ]
                )


def _panels(commands: Iterable[Any]) -> list[str]:
    return list(dict.fromkeys(getattr(command, "rich_help_panel", "Commands") for command in commands))

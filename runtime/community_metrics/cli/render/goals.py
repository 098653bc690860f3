"""How `goals` looks on a terminal, and the part of it above the tables of `report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from community_metrics.model import Progress
from community_metrics.text import named

if TYPE_CHECKING:
    from rich.console import RenderableType

    from community_metrics.cli.render.style import Glyphs
    from community_metrics.views.goals import Goals

_NONE: Final = (
    "The catalogue has no goal. Fix: add a [[goal]] to the file that CM_CATALOG names, with metric or "
    "product, value and date."
)
_STYLES: Final = {Progress.REACHED: "bold green", Progress.UNKNOWN: "dim"}


def render_goals(view: Goals, glyphs: Glyphs) -> RenderableType:
    """Return one line for each goal; what is behind or missed has a mark."""
    if not view.goals and not view.not_stored:
        return Text(_NONE, "yellow")
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for goal in view.goals:
        progress = goal.standing.progress
        mark = glyphs.warn if progress in {Progress.BEHIND, Progress.MISSED} else ""
        table.add_row(Text(mark, "yellow"), Text(goal.sentence, _STYLES.get(progress, "")))
    if not view.not_stored:
        return table
    return Group(
        table,
        Text(
            f"{glyphs.warn} Nothing is stored yet of {named(view.not_stored)}, which goals are about. "
            "Fix: run `community-metrics refresh`.",
            "yellow",
        ),
    )

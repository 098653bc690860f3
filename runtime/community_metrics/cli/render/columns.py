"""A table as lines of at most a width: names are shortened first, then whole columns are left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.cli.render.style import Glyphs

_GAP = 2


@dataclass(slots=True)
class Column:
    """One column: its heading and its cells, which are never cut.

    Only names (`shrinks_to`) are shortened, to that many characters, and of a line over weeks (`newest`) only
    the newest marks are drawn, at least that many; its heading says how many. Where there is no room the
    columns of the highest `rank` are left out first; rank 0 never.
    """

    heading: str
    cells: Sequence[Text]
    right: bool = False
    rank: int = 0
    shrinks_to: int | None = None
    newest: int | None = None
    width: int = field(init=False)

    def __post_init__(self) -> None:
        self.width = max([cell_len(self.heading), *(cell.cell_len for cell in self.cells)])

    @property
    def least(self) -> int:
        """The narrowest that it can be."""
        least = self.shrinks_to or self.newest
        return self.width if least is None else min(self.width, max(least, cell_len(self.heading)))


def fitted(columns: Sequence[Column], width: int, glyphs: Glyphs) -> list[Text]:
    """Return the heading and the rows, none wider than `width`; no cell but a name is cut."""
    shown = list(columns)
    while _needed(shown) > width and (rank := max(column.rank for column in shown)):
        shown = [column for column in shown if column.rank != rank]
    spare = width - _needed(shown)
    widths = []
    for column in shown:  # names first, since they come first
        own = column.least + min(max(0, spare), column.width - column.least)
        spare -= own - column.least
        widths.append(own)
    cells = [_cells(column, own, glyphs) for column, own in zip(shown, widths, strict=True)]
    return [Text(" " * _GAP).join(row) for row in zip(*cells, strict=True)]


def _needed(columns: Sequence[Column]) -> int:
    return sum(column.least for column in columns) + _GAP * (len(columns) - 1)


def _cells(column: Column, width: int, glyphs: Glyphs) -> list[Text]:
    heading = column.heading if column.newest is None else counted(width, "week")
    return [_padded(cell, column, width, glyphs) for cell in (Text(heading, "dim"), *column.cells)]


def _padded(cell: Text, column: Column, width: int, glyphs: Glyphs) -> Text:
    if column.newest is not None and cell.cell_len > width:
        cell = cell[-width:]
    elif cell.cell_len > width:
        cell = Text(set_cell_size(cell.plain, width - 1) + glyphs.cut, cell.style)
    pad = " " * (width - cell.cell_len)
    return Text(pad).append_text(cell) if column.right else cell.copy().append(pad)

"""The text of a picture, from the top down: every text has room, and a long one goes on in the next line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from community_metrics.charts.paths import number
from community_metrics.charts.text import svg_text, text_width, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 800
MARGIN: Final = 16
TITLE_PX, TEXT_PX, SMALL_PX = 17, 12, 11
"""Sizes of text, in pixels."""
_LEADING: Final = 1.45
"""Height of a line of text, as a multiple of its size."""
_SWATCH: Final = 22


class Page:
    """Writes lines of text from the top down."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.y = 10.0

    @property
    def height(self) -> int:
        """The height of the picture, in pixels."""
        return round(self.y + 8)

    @property
    def drawn(self) -> str:
        """Everything that was drawn."""
        return "".join(self.parts)

    def text(self, text: str, size: int, kind: str, *, bold: bool = False, x: int = MARGIN) -> None:
        """Write a text in lines as wide as the picture; nothing for an empty one."""
        if not text:
            return
        for line in wrapped(text, WIDTH - MARGIN - x, size=size, bold=bold):
            self.y += size * _LEADING
            self.parts.append(text_at(x, self.y, line, kind))

    def key(self, entries: Sequence[tuple[str, str, str]]) -> None:
        """Write the names of the lines, side by side where they have room, with their colours and letters."""
        x = WIDTH
        for colour, letter, name in entries:
            label = f"{letter} {name}"
            width = text_width(label, size=TEXT_PX) + _SWATCH
            if x + width > WIDTH - MARGIN:
                x = MARGIN
                self.y += TEXT_PX * _LEADING + 2
            self.parts.append(f'<path class="{colour}" d="M{x} {number(self.y - 4)}h14"/>')
            first, *others = wrapped(label, WIDTH - MARGIN - x - _SWATCH, size=TEXT_PX)
            self.parts.append(text_at(x + _SWATCH, self.y, first, "k"))
            for line in others:
                self.y += TEXT_PX * _LEADING
                self.parts.append(text_at(x + _SWATCH, self.y, line, "k"))
            x = WIDTH if others else x + width + 18


def letter_of(at: int) -> str:
    """Return the letter of a line: lines differ without their colours too."""
    return "ABCDEFGH"[at]


def text_at(x: float, y: float, text: str, kind: str) -> str:
    """Return one line of text at a place, in the style of a class."""
    return f'<text class="{kind}" x="{number(x)}" y="{number(y)}">{svg_text(text)}</text>'

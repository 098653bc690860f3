"""Text in an SVG image: cleaned, escaped, and as wide as a browser draws it."""

from __future__ import annotations

import unicodedata
from typing import Final
from xml.sax.saxutils import escape

_SIZE: Final = 11
"""The font size, in pixels, of the widths below."""
_NARROW: Final = frozenset("fijlrtI .,:;'!|()[]/-")
_BROAD: Final = frozenset("mwMWQ@%&")
_NARROW_PX, _LETTER_PX, _CAPITAL_PX, _BROAD_PX = 3.9, 6.5, 7.7, 10.3
_WIDE_PX: Final = 11.0
"""Chinese, Japanese and Korean: a square of the font size."""
_SYMBOL_PX: Final = 14.0
"""An emoji; its font is larger than the others."""
_OTHER_PX: Final = 7.5
_BOLD: Final = 1.06
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that change the order in which the text around them is shown."""
_NOT_TEXT: Final = frozenset({"Cc", "Cs", "Co", "Cn"})


def svg_text(text: str) -> str:
    """Return the text for the content of an element."""
    return escape(cleaned(text))


def cleaned(text: str) -> str:
    """Return the text on one line, without what XML or a reader cannot show as it is written.

    Control characters make an image unreadable, and marks of direction can show a number backwards.
    """
    words = " ".join(text.split())
    return "".join(
        char for char in words if char not in _BIDI and unicodedata.category(char) not in _NOT_TEXT
    )


def text_width(text: str, *, bold: bool = False, size: int = _SIZE) -> int:
    """Return a width in pixels that the text has room in, in a sans-serif font of `size` pixels.

    A text that is drawn in more than its own width has a little space between its letters; in less, its
    letters lie on each other.
    """
    return round(sum(map(_char_width, cleaned(text))) * (_BOLD if bold else 1) * size / _SIZE)


def wrapped(text: str, width: int, *, size: int = _SIZE, bold: bool = False) -> list[str]:
    """Return the text as lines that have room in `width` pixels; nothing of it is left out.

    A word that is wider than a line is continued on the next one.
    """
    lines: list[str] = []
    for word in cleaned(text).split(" "):
        joined = f"{lines[-1]} {word}" if lines else word
        if text_width(joined, size=size, bold=bold) <= width:
            lines[-1:] = [joined]
            continue
        lines += _pieces(word, width, size=size, bold=bold)
    return lines


def _pieces(word: str, width: int, *, size: int, bold: bool) -> list[str]:
    pieces = [""]
    for char in word:
        if pieces[-1] and text_width(pieces[-1] + char, size=size, bold=bold) > width:
            pieces.append("")
        pieces[-1] += char
    return pieces


def _char_width(char: str) -> float:
    if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0.0
    if unicodedata.category(char) == "So":
        return _SYMBOL_PX
    if unicodedata.east_asian_width(char) in {"W", "F"}:
        return _WIDE_PX
    return _latin_width(char) if char.isascii() else _OTHER_PX


def _latin_width(char: str) -> float:
    if char in _NARROW:
        return _NARROW_PX
    if char in _BROAD:
        return _BROAD_PX
    return _CAPITAL_PX if char.isupper() else _LETTER_PX

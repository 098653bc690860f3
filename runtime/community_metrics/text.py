"""Text that a terminal, a log and a page can show, also where it comes from registries, plug-ins or files."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

RANGES_SHOWN: Final = 3
NAMES_SHOWN: Final = 3
MINUS: Final = "\N{MINUS SIGN}"
# they change the direction in which later characters are shown, so that a line reads as another one
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROLS = frozenset(("Cc", "Cs", "Zl", "Zp"))
_HIDDEN: Final = (
    r"\x00-\x08\x0b\x0c\x0e-\x20\"\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    r"\u3000\ufeff"
)
"""Spaces, quotes, controls and marks without width, which a spreadsheet may drop; not tab and line breaks."""
_FORMULA_START: Final = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
"""`=`, `+`, `-`, `@`, and the wide forms that an input method of East Asia writes."""
# Excel splits a comma separated file at `;` where the comma is the decimal sign. It then does not see our
# quotes, so that a line break in a cell begins a row.
_CELL_START: Final = re.compile(rf"^(?=[\t\r\n])|(^|[;\t\r\n])(?=[{_HIDDEN}]*{_FORMULA_START})")

_APOSTROPHE: Final = re.compile(rf"^'(?=[\t\r\n])|(^|[;\t\r\n])'(?=[{_HIDDEN}]*{_FORMULA_START})")
"""The apostrophes that `harmless` adds."""


def counted(count: int, noun: str) -> str:
    """Return `1 day`, `2 days`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def signed(number: float, spec: str = ",") -> str:
    """Return a number with its sign for people to read: `+64.5%`, and a minus sign instead of a hyphen."""
    return format(number, f"+{spec}").replace("-", MINUS)


def ranges_text(days: Sequence[date], shown: int = RANGES_SHOWN) -> str:
    """Return days, which are in order, as text: `2026-11-03, 2026-11-07 to 2026-11-09 and 2 more gaps`."""
    ranges: list[tuple[date, date]] = []
    for day in days:
        adjoins = bool(ranges) and day == ranges[-1][1] + timedelta(days=1)
        ranges.append((ranges.pop()[0] if adjoins else day, day))
    texts = [str(first) if first == last else f"{first} to {last}" for first, last in ranges[:shown]]
    rest = len(ranges) - shown
    return ", ".join(texts) + (f" and {counted(rest, 'more gap')}" if rest > 0 else "")


def named(names: Sequence[str], shown: int = NAMES_SHOWN) -> str:
    """Return names as text: `a, b, c and 2 more`."""
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")


def one_line(text: str) -> str:
    r"""Return `text` as one printable line; invisible characters except blanks are written as `\x1b`."""
    return _escaped(" ".join(text.split()))


def several_lines(text: str) -> str:
    r"""Return `text` with its lines and tabs, and any other invisible character written as `\x1b`."""
    return _escaped(text, kept="\n\t")


def harmless(text: str) -> str:
    """Return the text with an apostrophe wherever a spreadsheet could begin a cell with a formula."""
    return _CELL_START.sub(lambda start: f"{start[0]}'", text)


def without_apostrophes(text: str) -> str:
    """Return the text that `harmless` made this one of."""
    return _APOSTROPHE.sub(lambda start: start[1] or "", text)


def without_controls(text: str) -> str:
    """Return `text` without control and direction characters, which no terminal, badge or page may get.

    Line feeds, tabs and other invisible characters stay: names contain no-break spaces, and emoji contain
    joiners.
    """
    return "".join(c for c in text if c in "\n\t" or not _is_control(c))


def _is_control(character: str) -> bool:
    return character in _BIDI_CONTROLS or unicodedata.category(character) in _CONTROLS


def _escaped(text: str, kept: str = "") -> str:
    return "".join(c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in text)

"""Text that a terminal, a log and a page can show, also where it comes from registries, plug-ins or files."""

from __future__ import annotations

import unicodedata

# they change the direction in which later characters are shown, so that a line reads as another one
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROLS = frozenset(("Cc", "Cs", "Zl", "Zp"))


def counted(count: int, noun: str) -> str:
    """Return `1 day`, `2 days`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def one_line(text: str) -> str:
    r"""Return `text` as one printable line; invisible characters except blanks are written as `\x1b`."""
    return _escaped(" ".join(text.split()))


def several_lines(text: str) -> str:
    r"""Return `text` with its lines and tabs, and any other invisible character written as `\x1b`."""
    return _escaped(text, kept="\n\t")


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

"""Text from outside (registries, plug-ins, files) as text that a terminal, a log and a page can show."""

from __future__ import annotations

import unicodedata

# they change the direction in which later characters are shown, so that a line reads as another one
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROLS = frozenset(("Cc", "Cs", "Zl", "Zp"))


def one_line(text: str) -> str:
    r"""Return `text` as one printable line; invisible characters except blanks are written as `\x1b`."""
    return _escaped(" ".join(text.split()))


def several_lines(text: str) -> str:
    r"""Return `text` with its lines and tabs, and any other invisible character written as `\x1b`."""
    return _escaped(text, kept="\n\t")


def control_characters(text: str) -> list[str]:
    r"""Return the control and direction characters in `text`, written as `\x1b`, each once.

    Line feeds, tabs and other invisible characters are allowed: names contain no-break spaces, and emoji
    contain joiners.
    """
    found = (c for c in text if c in _BIDI_CONTROLS or unicodedata.category(c) in _CONTROLS)
    visible = (c for c in found if c not in "\n\t")
    return [c.encode("unicode_escape").decode() for c in dict.fromkeys(visible)]


def _escaped(text: str, kept: str = "") -> str:
    return "".join(c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in text)

"""Words for an unknown name: the known names closest to it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def near(word: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown word: the known ones most like it, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=3)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"known are {', '.join(names)}" if names else "none is known"

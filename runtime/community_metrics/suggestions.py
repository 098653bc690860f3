"""Unknown names as messages repeat them, and the known names closest to them."""

from __future__ import annotations

import difflib
from heapq import nlargest
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SIMILAR_IDS = 3
_COMPARED: Final = 100
"""Names that are compared letter by letter, at 40 µs each; the others share fewer pairs of letters."""
_LONGEST: Final = 250
"""A longer name is no misspelt id."""
_REPEATED: Final = 100


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the most similar known names in any case, or all."""
    names = sorted(known)
    folded = {each.casefold(): each for each in names}
    close = difflib.get_close_matches(name.casefold(), folded, n=3)
    if close:
        return f"did you mean {' or '.join(folded[each] for each in close)}?"
    return f"expected one of: {', '.join(names)}" if names else "there are none"


def similar_ids(name: str, known: Mapping[str, Iterable[str]]) -> list[str]:
    """Return up to three known ids that look like `name`, in any capitalisation.

    First the ids that contain `name` as a whole word, then those spelt like it; without either, those with a
    word that contains it. The words of an id are its parts and those that `known` adds, such as its package.
    """
    wanted = name.casefold()
    if len(wanted) > _LONGEST:
        return []
    texts = [(each.casefold(), each) for each in known]
    others = {each: [word.casefold() for word in known[each]] for each in known}
    exact = [each for text, each in texts if wanted in text.split(":") or wanted in others[each]]
    pairs = {wanted[start : start + 2] for start in range(len(wanted) - 1)}
    folded = dict(texts)
    candidates = nlargest(_COMPARED, folded, key=lambda text: sum(map(text.__contains__, pairs)))
    alike = [folded[one] for one in difflib.get_close_matches(wanted, candidates, n=SIMILAR_IDS, cutoff=0.5)]
    if exact or alike or not wanted:
        return list(dict.fromkeys([*exact, *alike]))[:SIMILAR_IDS]
    containing = (
        each for text, each in texts if any(wanted in word for word in (*text.split(":"), *others[each]))
    )
    return list(islice(containing, SIMILAR_IDS))


def shortened(text: str) -> str:
    """Return text of a client as a message repeats it: its first 100 characters."""
    return text if len(text) <= _REPEATED else f"{text[:_REPEATED]}…"

"""The known names closest to an unknown one."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SIMILAR_IDS = 3


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
    words = {each: {word.casefold() for word in (*each.split(":"), *known[each])} for each in known}
    folded = {each.casefold(): each for each in known}
    exact = [each for each in known if wanted in words[each]]
    alike = [folded[one] for one in difflib.get_close_matches(wanted, folded, n=SIMILAR_IDS, cutoff=0.5)]
    containing = [each for each in known if wanted and any(wanted in word for word in words[each])]
    return list(dict.fromkeys([*exact, *alike] or containing))[:SIMILAR_IDS]

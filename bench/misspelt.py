"""An unknown id among 5,000, against comparing a misspelt one with every id, letter by letter.

The API looks for similar ids on its event loop, so no other request gets a response meanwhile. The names are
a misspelt id, one that is like none, and one of 250 letters, the longest that is compared.
"""

from __future__ import annotations

import difflib
from functools import partial
from typing import TYPE_CHECKING

from bench.results import Result
from bench.timing import alternating
from community_metrics.suggestions import SIMILAR_IDS, similar_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

KNOWN = {f"downloads:product{i // 7}:lang{i}": (f"package-{i}",) for i in range(5_000)}
MISSPELT = "downloads:produkt7:lang54"
NAMES = {"misspelt": MISSPELT, "like none": "nothing", "of 250 letters": "downloads:" * 25}


def measure() -> Iterator[Result]:
    """Yield the time of each name."""
    for what, name in NAMES.items():
        ours, yardstick = alternating(partial(similar_ids, name, KNOWN), _compare_all, rounds=7)
        yield Result.against(f"unknown id, {what}, among 5,000", ours * 1e3, yardstick * 1e3, "ms", bound=0.3)


def _compare_all() -> None:
    difflib.get_close_matches(MISSPELT, KNOWN, n=SIMILAR_IDS, cutoff=0.5)

"""What a metric counts, and what it adds to its product's downloads: no file may be counted twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from community_metrics.model import SEED_SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from community_metrics.catalog.entries import Entry

Identity: TypeAlias = tuple[str, str, str]
"""What makes two metrics count the same thing: source, subject, options."""
Share: TypeAlias = tuple[str, str, str]
"""What makes two metrics count the same files in one total: product, source, subject."""
_SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "pypistats": lambda subject: re.sub(r"[-_.]+", "-", subject),  # PEP 503
    "crates": lambda subject: subject.replace("_", "-"),
}


def identity(entry: Entry) -> Identity | None:
    """Return what the entry counts; None where that is not known, or only its file can say."""
    source, subject = entry.get("source"), entry.get("subject")
    if not source or not subject or source == SEED_SOURCE:
        return None  # seed metrics differ by what their files say, and their ids tell them apart
    # an option that is off counts the same as one left out
    options = {name: value for name, value in (entry.get("options") or {}).items() if value is not False}
    return source, canonical(source, subject), repr(sorted(options.items()))


def share_of_total(entry: Entry) -> Share | None:
    """Return what the entry adds to the downloads of its product; None where it adds nothing."""
    family, _, rest = (entry.get("id") or "").partition(":")
    counted = identity(entry)
    if counted is None or family != "downloads" or entry.get("active") is False:
        return None
    source, subject, _ = counted
    return rest.partition(":")[0], source, subject


def canonical(source: str, subject: str) -> str:
    """Return the one spelling of all that the source takes for the same subject.

    Every registry ignores case; what else it ignores is its own, and of a plug-in nothing more is assumed.
    """
    return _SPELLINGS.get(source, str)(subject).casefold()

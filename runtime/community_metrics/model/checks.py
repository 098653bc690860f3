"""What the fields of an observation must be like."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

METRIC_ID: Final = re.compile(r"[a-z][a-z0-9_]*:[a-z0-9][a-z0-9._-]*:[a-z0-9][a-z0-9._-]*")


MAX_VALUE: Final = 10**13
"""The largest value of one interval: more than a registry counts of all its packages.

JSON readers hold integers up to 2^53 exactly, so 900 such values: the days of a month of 29 metrics.
"""


def is_metric_id(text: object) -> bool:
    """Return whether it is the id of a metric."""
    return isinstance(text, str) and METRIC_ID.fullmatch(text) is not None


def is_count(number: object) -> bool:
    """Return whether it is a number that one interval can have."""
    return type(number) is int and 0 <= number <= MAX_VALUE  # not isinstance: True is an int


def is_number(number: object) -> bool:
    """Return whether it is an int that a column holds, or None."""
    return number is None or (type(number) is int and -(2**63) <= number < 2**63)


def are_texts(texts: tuple[object, ...]) -> bool:
    """Return whether all are texts."""
    return all(isinstance(text, str) for text in texts)


def are_counts(numbers: tuple[object, ...], size: int) -> bool:
    """Return whether they are `size` counts."""
    return len(numbers) == size and all(map(is_count, numbers))


def is_aware(instant: object) -> bool:
    """Return whether it is an instant with a time zone."""
    return isinstance(instant, datetime) and instant.utcoffset() is not None


def is_line(text: object) -> bool:
    """Return whether it is one line of printable text."""
    return isinstance(text, str) and bool(text) and text.isprintable()

"""The words of insights, and of what is missing."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class GapKind(StrEnum):
    """Why a day is missing: not fetched since it was late, fetched in vain, or possibly not published yet."""

    NOT_FETCHED = "not_fetched"
    NOT_RETURNED = "not_returned"
    LATE = "late"


class InsightKind(StrEnum):
    """What an insight is about, in the order in which insights are shown."""

    HEADLINE = "headline"
    LEVEL_BREAK = "level_break"
    SPIKE = "spike"
    DIP = "dip"
    REGISTRY_GAP = "registry_gap"
    RECORD = "record"
    MILESTONE = "milestone"
    SETTLING = "settling"
    MOVER = "mover"
    RESTATED = "restated"
    DISPUTED = "disputed"
    MISSING = "missing"
    SILENCE = "silence"


USUAL_KINDS: Final = frozenset(
    {
        InsightKind.HEADLINE,
        InsightKind.MOVER,
        InsightKind.MISSING,
        InsightKind.RESTATED,
        InsightKind.DISPUTED,
        InsightKind.SILENCE,
    }
)
"""Kinds of what every period has: they do not say that something is unusual."""


class Cause(StrEnum):
    """Who else moved on the days of a spike or dip, strongest first."""

    REGISTRY = "registry"
    COLLECTION_OR_HOLIDAY = "collection_or_holiday"
    RELEASE = "release"
    UNEXPLAINED = "unexplained"


class Direction(StrEnum):
    """Whether a value rose or fell."""

    UP = "up"
    DOWN = "down"


class MissingReason(StrEnum):
    """Why a value of a period is not known."""

    DAYS = "days"
    """Days of it are not stored."""
    LATE = "late"
    """Its last days are not published yet by the source, for any metric of it, although it was asked."""
    UNREAD = "unread"
    """Days of it are not stored, and no successful reading should have had them."""
    READING = "reading"
    """No reading lies close enough to its edges."""
    RESET = "reset"
    """The counter was reset in it."""

"""The words of comparisons and goals."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

TOGETHER: Final = "what happened together, not why"
"""Said of every comparison of the days before and after a day, word for word."""
USUAL_SIDE_DAYS: Final = 14
"""Days on each side of a comparison that is asked for no others."""
MOST_SIDE_DAYS: Final = 364
SIDE_DAYS_STEP: Final = 7
"""Each side has whole weeks, so that it has every weekday equally often."""


class Measure(StrEnum):
    """What is compared of each day."""

    VALUE = "value"
    """What was counted on the day."""
    GROWTH = "growth"
    """How much a level rose on the day; it may have fallen."""


class Progress(StrEnum):
    """Where a goal stands."""

    REACHED = "reached"
    """The value is reached by the newest data."""
    ON_TRACK = "on_track"
    """The recent weeks have as much as each week needs from here."""
    BEHIND = "behind"
    """The recent weeks have less than each week needs from here."""
    MISSED = "missed"
    """The date is over, its data are known, and the value was not reached."""
    UNKNOWN = "unknown"
    """The data do not tell; the reason says why."""

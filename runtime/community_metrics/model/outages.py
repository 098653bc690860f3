"""The words of the outage ledger: what a registry did with a day."""

from __future__ import annotations

from enum import StrEnum


class OutageKind(StrEnum):
    """What was wrong with how a registry counted a day."""

    NOT_COUNTED = "not_counted"
    """The registry has no value of the day, although it has one of a later day."""
    PARTIAL = "partial"
    """It counted less than 30 % of the usual: what it counted of a package is not stored."""
    LOW = "low"
    """It counted 30 % to 90 % of the usual, such as on a holiday."""
    LATE = "late"
    """It counted the day only after later ones."""
    RESTATED = "restated"
    """It changed its value after the day had settled."""

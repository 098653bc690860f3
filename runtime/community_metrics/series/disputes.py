"""Disputed days: those that a second witness counts otherwise. Pure; nothing is corrected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from community_metrics.model import Witness, WitnessedDay

MOST_DIFFERENCE: Final = 0.05
"""A larger share of the stored value between the two disputes a day."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A day of a metric with two values: the stored one, and that of the witness."""

    metric_id: str
    day: date
    value: int
    witness: Witness
    witness_value: int


def is_disputed(value: int, witness_value: int) -> bool:
    """Return whether two counts of one day differ by more than 5 % of the first."""
    return abs(value - witness_value) > MOST_DIFFERENCE * value


def disputes(values: Mapping[tuple[str, date], int], seen: Iterable[WitnessedDay]) -> list[Dispute]:
    """Return the disputed days of metrics by metric and day; a day that is not stored is not disputed."""
    found = [
        Dispute(one.metric_id, one.day, values[one.metric_id, one.day], one.witness, one.value)
        for one in seen
        if (one.metric_id, one.day) in values and is_disputed(values[one.metric_id, one.day], one.value)
    ]
    return sorted(found, key=lambda one: (one.metric_id, one.day))

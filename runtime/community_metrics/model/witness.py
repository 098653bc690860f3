"""What a second witness counted: the rows of `witness`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Witness(StrEnum):
    """Who else counts the days of a metric in the same way."""

    CLICKPY = "clickpy"
    NONE = "none"
    """Nobody: the days are not compared. No row has it."""


@dataclass(frozen=True, slots=True)
class WitnessedDay:
    """One row of `witness`: what it counted on one day, as it was last seen at `observed_at`."""

    metric_id: str
    day: date
    witness: Witness
    value: int
    observed_at: datetime
    source_ref: str
    ingestion_run_id: str

    @property
    def witness_key(self) -> str:
        """The single key column of `witness`."""
        return f"{self.metric_id}|{self.day.isoformat()}"

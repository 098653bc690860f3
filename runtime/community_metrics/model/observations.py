"""Observations, and the rows of `stats` that they become."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, final

from community_metrics.errors import InvalidObservation
from community_metrics.model.checks import is_aware, is_count, is_line, is_metric_id, is_number
from community_metrics.model.kinds import SourceWindow

SETTLING_DAYS: Final = 3
"""Days in which a registry may still publish or complete the value of a day; later it has settled."""
EDGE_REACH: Final = timedelta(hours=12)
"""How far from the end of a day a reading may be that counts as the total at that end."""


class ValueMark(StrEnum):
    """What is special about the way in which a value came about."""

    IMPLIED_ZERO = "implied_zero"
    """The 0 of a day that the registry omits (pypistats and crates.io omit empty days)."""
    LOW_FOR_EVERYBODY = "low_for_everybody"
    """The whole registry counted 30 % to 90 % of a usual day."""


class Provenance(StrEnum):
    """How a value reached the database; a later member outranks an earlier one."""

    SAMPLE = "sample"
    """Invented for a demo; no database holds such values and others."""
    CSV_SEED = "csv_seed"
    BACKFILL = "backfill"
    """From before the first run: the source's own archive, or another witness of the same series."""
    API = "api"
    RECOMPUTED = "recomputed"

    @property
    def rank(self) -> int:
        """A higher rank outranks a lower one."""
        return list(Provenance).index(self)

    @property
    def is_scheduled(self) -> bool:
        """Whether the value came from the metric's own source when a refresh asked it."""
        return self.rank >= Provenance.API.rank


class Status(StrEnum):
    """Whether the source may still change the value."""

    PROVISIONAL = "provisional"
    FINAL = "final"


@final
@dataclass(frozen=True, slots=True)
class Observation:
    """One value as a source or a seed file returns it. An invalid observation cannot be constructed.

    Days are UTC and inclusive, and span exactly one `source_window`; for a level both are the day of the
    reading. `observed_at` is the instant of the response, `source_ref` the requested URL or `file:line`.
    `is_reset`: the source knows that the counter lost a part of its count since the last stored reading, even
    if its total has grown. `subject_id` is the number that the registry gives the subject, and that outlives
    its name. `newest_part` and `parts_digest` tell the parts that a counter sums from those of the next
    reading: the greatest order among them, and a digest of their names.

    Raises:
        InvalidObservation: a field has a value that no observation can have.
    """

    metric_id: str
    period_start: date
    period_end: date
    value: int
    source_window: SourceWindow
    observed_at: datetime
    source_ref: str
    is_reset: bool = False
    mark: ValueMark | None = None
    subject_id: int | None = None
    newest_part: int | None = None
    parts_digest: str | None = None

    def __post_init__(self) -> None:
        for field, is_valid, expected in (
            ("metric_id", is_metric_id(self.metric_id), "an id such as downloads:lance:python"),
            ("period_start", type(self.period_start) is date, "a date without a time"),
            ("period_end", type(self.period_end) is date, "a date without a time"),
            ("value", is_count(self.value), "an int from 0 to 10^13"),
            ("source_window", isinstance(self.source_window, SourceWindow), "a SourceWindow"),
            ("observed_at", is_aware(self.observed_at), "a datetime with a time zone"),
            ("source_ref", is_line(self.source_ref), "one line of printable text"),
            ("is_reset", type(self.is_reset) is bool, "True or False"),
            ("mark", self.mark is None or isinstance(self.mark, ValueMark), "a ValueMark or None"),
            ("subject_id", is_number(self.subject_id), "a 64-bit int or None"),
            ("newest_part", is_number(self.newest_part), "a 64-bit int or None"),
            ("parts_digest", self.parts_digest is None or is_line(self.parts_digest), "one line or None"),
        ):
            if not is_valid:
                raise InvalidObservation(self.metric_id, field, getattr(self, field), expected)
        if not self.source_window.spans(self.period_start, self.period_end):
            period = f"{self.period_start} to {self.period_end}"
            raise InvalidObservation(self.metric_id, "period", period, f"one window of {self.source_window}")

    @property
    def stat_key(self) -> str:
        """The key of its row in `stats`."""
        return stat_key(self.metric_id, self.period_end)


@dataclass(frozen=True, slots=True)
class StatRow:
    """One row of `stats`: an observation and its history.

    `first_value` is the value first stored after its day settled, `revision` the number of times that the
    source restated it since, and `revised_at` the instant at which the last restatement was read. While
    `revision` is 0, `first_value` is `value` and `revised_at` is None. `is_reset`: the counter was reset
    between the last reading of an earlier day and this one, so their difference is no flow. The last four
    fields are those of the observation.
    """

    metric_id: str
    period_start: date
    period_end: date
    value: int
    status: Status
    provenance: Provenance
    source_window: SourceWindow
    observed_at: datetime
    first_value: int
    revision: int
    revised_at: datetime | None
    ingestion_run_id: str
    source_ref: str
    is_reset: bool = False
    mark: ValueMark | None = None
    subject_id: int | None = None
    newest_part: int | None = None
    parts_digest: str | None = None

    @property
    def stat_key(self) -> str:
        """The key of the row in `stats`."""
        return stat_key(self.metric_id, self.period_end)


@dataclass(frozen=True, slots=True)
class DistinctRows:
    """Rows with each key (metric and `period_end`) once, and the keys that are stored more than once.

    LanceDB enforces no unique key, so two writers can insert one key twice; `repair` deletes extra copies.
    """

    rows: tuple[StatRow, ...]
    duplicated: frozenset[tuple[str, date]]

    @classmethod
    def of(cls, rows: Iterable[StatRow]) -> DistinctRows:
        """Return the newest copy of each key, in the order in which the keys first appear."""
        newest: dict[tuple[str, date], StatRow] = {}
        duplicated = set()
        for row in rows:
            key = (row.metric_id, row.period_end)
            known = newest.setdefault(key, row)
            if known is not row:
                duplicated.add(key)
                newest[key] = newest_copy([known, row])
        return cls(tuple(newest.values()), frozenset(duplicated))


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """How many rows an upsert inserted, updated and left unchanged."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: UpsertCounts) -> UpsertCounts:
        """Return the counts of both."""
        return UpsertCounts(
            self.inserted + other.inserted, self.updated + other.updated, self.unchanged + other.unchanged
        )


def stat_key(metric_id: str, period_end: date) -> str:
    """Return the key of one row of `stats`: `downloads:lance:python|2026-11-22`."""
    return f"{metric_id}|{period_end.isoformat()}"


def newest_copy(copies: Iterable[StatRow]) -> StatRow:
    """Return the copy of a key that was observed last, then the most revised, then of higher provenance.

    Value and run break the remaining ties, so that every reader picks the same copy.
    """
    return max(copies, key=precedence)


def precedence(row: StatRow) -> tuple[datetime, int, int, int, str]:
    """Return the sort key for copies of one key; the greatest copy is the valid one."""
    return (row.observed_at, row.revision, row.provenance.rank, row.value, row.ingestion_run_id)

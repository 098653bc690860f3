"""What travels from a registry to the screen: observations, stored rows, runs, metric definitions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

METRIC_ID = re.compile(r"[a-z][a-z0-9_]*:[a-z0-9][a-z0-9._-]*:[a-z0-9][a-z0-9._-]*")
IMPLIED_ZERO = "#implied-zero"
"""Ends the `source_ref` of a 0 that the source says by omission (pypistats and crates.io omit empty days)."""


SEED_SOURCE = "seed"
"""The catalogue's word for metrics that only seed files fill; no source may take it."""


class ValueKind(StrEnum):
    """How values of a metric combine over time."""

    FLOW = "flow"
    """A count of events inside an interval; adds over time."""
    STOCK = "stock"
    """A level at an instant; the last reading counts, and it may fall."""


class SourceWindow(StrEnum):
    """Length of the interval that one value covers; fixed for each metric."""

    DAY = "1d"
    WEEK = "7d"
    THIRTY_DAYS = "30d"
    MONTH = "month"
    INSTANT = "instant"

    @property
    def value_kind(self) -> ValueKind:
        """An instant has a level; anything longer has a count."""
        return ValueKind.STOCK if self is SourceWindow.INSTANT else ValueKind.FLOW


class Provenance(StrEnum):
    """Which way a value came to us; a later one in this list outranks an earlier one."""

    CSV_SEED = "csv_seed"
    API = "api"
    RECOMPUTED = "recomputed"

    @property
    def rank(self) -> int:
        """Higher outranks lower."""
        return list(Provenance).index(self)


class Status(StrEnum):
    """Whether the source may still change the value."""

    PROVISIONAL = "provisional"
    FINAL = "final"


class RunStatus(StrEnum):
    """How a run stands or ended, as stored. `abandoned` is derived, never stored."""

    RUNNING = "running"
    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"


class OutcomeStatus(StrEnum):
    """How one metric ended in a run."""

    SUCCESS = "success"
    PARTIAL = "partial"
    """Some values were read, and a second request failed."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Observation:
    """One value as a source or a seed file gives it, before it meets what is stored.

    Days are UTC and inclusive; `period_start == period_end` for a day, and for a stock (the reading's day).
    `observed_at` is the instant of the answer, `source_ref` the URL asked or `file:line`.
    """

    metric_id: str
    period_start: date
    period_end: date
    value: int
    source_window: SourceWindow
    observed_at: datetime
    source_ref: str

    @property
    def stat_key(self) -> str:
        """The single key column of `stats`."""
        return stat_key(self.metric_id, self.period_end)


@dataclass(frozen=True, slots=True)
class StatRow:
    """One row of `stats`: an observation with what we know of its past.

    `first_value` is the value first stored; `revision` counts how often the source restated it since, and
    `revised_at` is when we last saw that happen (None while `revision` is 0).
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

    @property
    def stat_key(self) -> str:
        """The single key column of `stats`."""
        return stat_key(self.metric_id, self.period_end)


@dataclass(frozen=True, slots=True)
class DistinctRows:
    """Rows with each key (metric and `period_end`) once, and the keys that were there more than once.

    LanceDB enforces no unique key, so two writers can insert one key twice; `repair` deletes the surplus.
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
class MetricDefinition:
    """One row of `metrics`: one thing counted, one source, one subject."""

    metric_id: str
    metric_family: str
    product: str
    subject: str
    sdk: str | None
    source: str
    value_kind: ValueKind
    unit: str
    source_window: SourceWindow
    fallbacks: tuple[str, ...]
    display_name: str
    is_active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """One row of `history`: one execution of a job.

    `scope` holds the patterns of `--only`, comma separated; None: every metric was asked for.
    """

    ingestion_run_id: str
    job_name: str
    started_at: datetime
    finished_at: datetime | None
    status: RunStatus
    rows_inserted: int
    rows_updated: int
    rows_unchanged: int
    window_start: date | None
    window_end: date | None
    error_summary: str | None
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """One row of `run_outcomes`: how one metric ended in one run.

    `message` is the cause of the error, the same text for all metrics that fail for it; `url` is the address
    that failed. `observations` counts the values that were read, the newest for `last_day`.
    """

    run_id: str
    metric_id: str
    status: OutcomeStatus
    error_class: str | None
    message: str | None
    url: str | None
    observations: int
    last_day: date | None

    @property
    def outcome_key(self) -> str:
        """The single key column of `run_outcomes`."""
        return f"{self.run_id}|{self.metric_id}"


@dataclass(frozen=True, slots=True)
class Lease:
    """One row of `leases`: who may write to the database, and until when unless the heart beats again."""

    resource: str
    run_id: str
    host: str
    pid: int
    heartbeat_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """What an upsert did, in rows."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0

    @property
    def written(self) -> int:
        """Rows that reached the table."""
        return self.inserted + self.updated


def stat_key(metric_id: str, period_end: date) -> str:
    """Return the key of one row of `stats`: `downloads:lance:python|2026-11-22`."""
    return f"{metric_id}|{period_end.isoformat()}"


def newest_copy(copies: Iterable[StatRow]) -> StatRow:
    """Return the copy of a key that counts: observed last, then most revised, then of higher provenance.

    The remaining ties are broken by value and run, so that every reader picks the same copy.
    """
    return max(copies, key=precedence)


def precedence(row: StatRow) -> tuple[datetime, int, int, int, str]:
    """Return what copies of one key are compared by; the greatest counts."""
    return (row.observed_at, row.revision, row.provenance.rank, row.value, row.ingestion_run_id)

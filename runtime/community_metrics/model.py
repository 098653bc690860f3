"""What travels from a registry to the screen: observations, stored rows, runs, metric definitions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal, final

from community_metrics.errors import InvalidObservation
from community_metrics.periods import Grain, period_of

if TYPE_CHECKING:
    from collections.abc import Iterable

METRIC_ID: Final = re.compile(r"[a-z][a-z0-9_]*:[a-z0-9][a-z0-9._-]*:[a-z0-9][a-z0-9._-]*")
MAX_VALUE: Final = 10**13
"""The largest value of one interval: more than a registry counts of all its packages.

JSON readers hold integers up to 2^53 exactly, so 900 such values: the days of a month of 29 metrics.
"""
IMPLIED_ZERO: Final = "#implied-zero"
"""Ends the `source_ref` of a 0 for a day that a registry omits (pypistats and crates.io omit empty days)."""
LOW_FOR_EVERYBODY: Final = "#low-for-everybody"
"""Ends the `source_ref` of a value of a day on which the whole registry counted 30 % to 90 % of the usual."""
JobName = Literal[
    "seed_from_csv", "weekly_refresh", "update_all", "bootstrap_tables", "import_file", "repair"
]
"""The names in `history`."""
SEED_SOURCE: Final = "seed"
"""The catalogue's source name for metrics that only seed files fill; no plug-in may use it."""


UNIQUES: Final = "uniques"
"""The unit of visitors counted once: they do not add up, neither over days nor over metrics."""


class ValueKind(StrEnum):
    """How values of a metric combine over time."""

    FLOW = "flow"
    """A count of events in an interval; adds up over time, unless its unit is `uniques`."""
    LEVEL = "level"
    """A total read at an instant; the last reading counts, and it may fall."""
    COUNTER = "counter"
    """A total read at an instant that only grows; the difference of two readings is a flow."""
    ROLLING = "rolling"
    """The total of the days up to the reading, such as 30; never summed, differenced or scaled."""


class SourceWindow(StrEnum):
    """Length of the interval that one value covers; fixed for each metric."""

    DAY = "1d"
    WEEK = "7d"
    THIRTY_DAYS = "30d"
    NINETY_DAYS = "90d"
    YEAR = "365d"
    MONTH = "month"
    INSTANT = "instant"

    @property
    def kinds(self) -> tuple[ValueKind, ...]:
        """The kinds that a metric with this window can have, the usual one first."""
        match self:
            case SourceWindow.INSTANT:
                return (ValueKind.LEVEL, ValueKind.COUNTER)
            case SourceWindow.DAY | SourceWindow.MONTH:
                return (ValueKind.FLOW,)
            case SourceWindow.WEEK:
                return (ValueKind.ROLLING, ValueKind.FLOW)
            case _:
                return (ValueKind.ROLLING,)

    @property
    def usual_kind(self) -> ValueKind:
        """The kind of a metric whose catalogue entry names none."""
        return self.kinds[0]

    @property
    def days(self) -> int | None:
        """The number of days in the window; None for a month."""
        return {"1d": 1, "7d": 7, "30d": 30, "90d": 90, "365d": 365, "instant": 1}.get(self)

    def spans(self, start: date, end: date) -> bool:
        """Return whether the days from `start` to `end`, both inclusive, are exactly one window."""
        if self is SourceWindow.MONTH:
            month = period_of(end, Grain.MONTH)
            return (start, end) == (month.start, month.end)
        return (end - start).days + 1 == self.days


class GapKind(StrEnum):
    """Why a day is missing: not fetched since it was late, fetched in vain, or possibly not published yet."""

    NOT_FETCHED = "not_fetched"
    NOT_RETURNED = "not_returned"
    LATE = "late"


class Provenance(StrEnum):
    """How a value reached the database; a later member outranks an earlier one."""

    CSV_SEED = "csv_seed"
    API = "api"
    RECOMPUTED = "recomputed"

    @property
    def rank(self) -> int:
        """A higher rank outranks a lower one."""
        return list(Provenance).index(self)


class Status(StrEnum):
    """Whether the source may still change the value."""

    PROVISIONAL = "provisional"
    FINAL = "final"


class RunStatus(StrEnum):
    """The stored status of a run. `abandoned` is derived and never stored."""

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


@final
@dataclass(frozen=True, slots=True)
class Observation:
    """One value as a source or a seed file returns it. An invalid observation cannot be constructed.

    Days are UTC and inclusive, and span exactly one `source_window`; for a level both are the day of the
    reading. `observed_at` is the instant of the response, `source_ref` the requested URL or `file:line`.

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

    def __post_init__(self) -> None:
        for field, is_valid, expected in (
            ("metric_id", _is_metric_id(self.metric_id), "an id such as downloads:lance:python"),
            ("period_start", type(self.period_start) is date, "a date without a time"),
            ("period_end", type(self.period_end) is date, "a date without a time"),
            ("value", _is_count(self.value), "an int from 0 to 10^13"),
            ("source_window", isinstance(self.source_window, SourceWindow), "a SourceWindow"),
            ("observed_at", _is_aware(self.observed_at), "a datetime with a time zone"),
            ("source_ref", _is_line(self.source_ref), "one line of printable text"),
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
    `revision` is 0, `first_value` is `value` and `revised_at` is None.
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

    `scope` holds the patterns of `--only`, separated by commas; None for a run over every metric.
    """

    ingestion_run_id: str
    job_name: str
    started_at: datetime
    finished_at: datetime | None = None
    status: RunStatus = RunStatus.RUNNING
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_unchanged: int = 0
    window_start: date | None = None
    window_end: date | None = None
    error_summary: str | None = None
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
    """One row of `leases`: the run that may write to the database, until `expires_at` or the next renewal."""

    resource: str
    run_id: str
    host: str
    pid: int
    heartbeat_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """How many rows an upsert inserted, updated and left unchanged."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0


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


def _is_metric_id(text: object) -> bool:
    return isinstance(text, str) and METRIC_ID.fullmatch(text) is not None


def _is_count(number: object) -> bool:
    return type(number) is int and 0 <= number <= MAX_VALUE  # not isinstance: True is an int


def _is_aware(instant: object) -> bool:
    return isinstance(instant, datetime) and instant.utcoffset() is not None


def _is_line(text: object) -> bool:
    return isinstance(text, str) and bool(text) and text.isprintable()

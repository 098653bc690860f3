"""Runs: the rows of `history`, `run_outcomes`, `last_reads`, `raw_answers` and `leases`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal

from community_metrics.model.observations import Provenance

JobName = Literal[
    "seed_from_csv",
    "daily_refresh",
    "weekly_refresh",
    "update_all",
    "bootstrap_tables",
    "import_file",
    "replay",
    "backfill",
    "repair",
    "event",
    "digest",
    "deliver",
    "undo",
]
"""The names in `history`."""
BACKFILL_JOB: Final = "backfill"
"""A run that fills in the days from before the first run; its dry run requests nothing."""
EVENT_JOB: Final = "event"
"""A run that writes or removes an event for a person; its `scope` is the event's id."""
UNDO_JOB: Final = "undo"
"""A run that takes back what another one wrote; its `scope` is the id of that run."""
DIGEST_JOB: Final = "digest"
"""A run that stores a digest; its `scope` is the digest's id."""


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


@dataclass(frozen=True, slots=True)
class Run:
    """One row of `history`: one execution of a job.

    `scope` holds the patterns of `--only`, separated by commas, or the id of the one row that the run writes;
    None for a run over every metric.
    `metrics_left` counts the metrics that a refresh did not reach; None while it runs, and for other jobs.
    `lookback_weeks` is how far back a refresh reads; None for other jobs and for runs of earlier versions.
    `is_aborted` says whether a signal, or an error that is no metric's, ended the run; otherwise its status
    follows from its outcomes. None while it runs, for jobs without outcomes and runs of earlier versions.
    `loaded_by` is the run that loaded the row from an export: it says what happened in another database, and
    nothing of what this one holds. None for a run of this database.
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
    metrics_left: int | None = None
    lookback_weeks: int | None = None
    is_aborted: bool | None = None
    loaded_by: str | None = None


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
class RawAnswers:
    """One row of `raw_answers`: what a source was asked and answered, stored together with the rows of a run.

    `request_group` numbers the times that the run asked the source, `part` the rows of one group. `content`
    is compressed; `runs.answers` writes and reads it. `stored_at` and `provenance` are those of the merge
    that stored the values.
    """

    run_id: str
    source: str
    request_group: int
    part: int
    provenance: Provenance
    stored_at: datetime
    content: bytes

    @property
    def answers_key(self) -> str:
        """The single key column of `raw_answers`."""
        return f"{self.run_id}|{self.source}|{self.request_group}|{self.part}"


@dataclass(frozen=True, slots=True)
class LastRead:
    """One row of `last_reads`: when the registry of a metric last answered, and when its turn came.

    `turn_at` decides the order of the next run: the instant of the answer, whatever it was, or the start of a
    run in which the metric's own request got no response. `read_at` is the instant of the last
    answer with values; None for never.
    """

    metric_id: str
    turn_at: datetime
    read_at: datetime | None
    run_id: str


@dataclass(frozen=True, slots=True)
class Lease:
    """One row of `leases`: the run that may write to the database, until `expires_at` or the next renewal."""

    resource: str
    run_id: str
    host: str
    pid: int
    heartbeat_at: datetime
    expires_at: datetime

"""What a job is, what it works with, what it returns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from community_metrics.model import OutcomeStatus, Provenance, RunOutcome
from community_metrics.series.failures import grouped_failures
from community_metrics.series.freshness import RunView
from community_metrics.text import one_line

if TYPE_CHECKING:
    import random
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.errors import SourceError
    from community_metrics.model import Observation, Run
    from community_metrics.runs.lock import LeaseHolder
    from community_metrics.sources.base import FetchResult
    from community_metrics.storage import LanceDBStore, MergePlan


SOURCE_DEADLINE_S: Final = 900.0
"""Seconds without a result after which a source is stopped; a request with all its retries takes 180."""


class Job(Protocol):
    """One job with its options; a frozen dataclass whose fields are the options."""

    name: ClassVar[str]

    @property
    def only(self) -> tuple[str, ...]:
        """The metrics or globs that narrow the job; empty for all metrics."""
        ...

    @property
    def retire(self) -> bool:
        """Whether the run may retire more than half of the stored active metrics."""
        ...

    def prepare(self, catalog: Catalog, now: datetime) -> Work:
        """Return the work. Reads files but not the database, so that an invalid option changes nothing.

        Raises:
            ConfigurationError: an option or a file is invalid.
        """
        ...


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a job read, before anything is written.

    `renamed` are redefined metrics whose source proved that they continue under another name.
    """

    observations: tuple[Observation, ...] = ()
    provenance: Provenance = Provenance.API
    window_start: date | None = None
    window_end: date | None = None
    notes: tuple[str, ...] = ()
    renamed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run ended. Under `--dry-run` the run is in no table, and `plan` is what would be written.

    `notes` are about the run, `metric_notes` about one metric each.
    """

    run: Run
    outcomes: tuple[RunOutcome, ...]
    notes: tuple[str, ...] = ()
    metric_notes: tuple[tuple[str, str], ...] = ()
    plan: MergePlan | None = None

    @property
    def view(self) -> RunView:
        """The run with the causes of its failures."""
        return RunView(self.run, self.run.status.value, tuple(grouped_failures(self.outcomes)))


class Progress(Protocol):
    """Receives the steps of a run."""

    def source_started(self, name: str, total: int) -> None:
        """Note that a source begins with `total` metrics."""
        ...

    def metric_done(self, name: str, metric_id: str, error: SourceError | None) -> None:
        """Note that one metric of a source has its numbers, or an error."""
        ...


class NoProgress:
    """Shows nothing; for callers that read the report instead."""

    def source_started(self, name: str, total: int) -> None:
        """Note nothing."""

    def metric_done(self, name: str, metric_id: str, error: SourceError | None) -> None:
        """Note nothing."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a job works with, and how each metric ended so far, in `outcomes` by id."""

    job: Job
    settings: Settings
    catalog: Catalog
    store: LanceDBStore
    clock: Clock
    rng: random.Random
    progress: Progress
    run_id: str
    holder: LeaseHolder | None = None
    """None under `--dry-run`, which takes no lease."""
    source_deadline_s: float = SOURCE_DEADLINE_S
    outcomes: dict[str, RunOutcome] = field(default_factory=dict)
    metric_notes: list[tuple[str, str]] = field(default_factory=list)

    def record(self, result: FetchResult) -> None:
        """Keep how one metric ended; a run that is interrupted stores what was kept."""
        error, metric_id = result.error, result.metric_id
        failed = OutcomeStatus.PARTIAL if result.observations else OutcomeStatus.FAILED
        self.outcomes[metric_id] = RunOutcome(
            run_id=self.run_id,
            metric_id=metric_id,
            status=OutcomeStatus.SUCCESS if error is None else failed,
            error_class=type(error).__name__ if error else None,
            message=error.message if error else None,
            url=error.url if error else None,
            observations=len(result.observations),
            last_day=max((row.period_end for row in result.observations), default=None),
        )
        self.metric_notes.extend((metric_id, one_line(note)) for note in result.notes)


Work = Callable[[RunContext], Awaitable[JobResult]]
"""What a job does once it holds the database. What it returns is written afterwards, in one merge."""

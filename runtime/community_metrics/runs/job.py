"""What a job is, what it works with, what it returns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Protocol, runtime_checkable

from community_metrics.series.failures import grouped_failures, is_offline
from community_metrics.series.freshness import RunView

if TYPE_CHECKING:
    import random
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.errors import SourceError
    from community_metrics.model import LastRead, Provenance, Run, RunOutcome
    from community_metrics.runs.answers import AnswerRecorder
    from community_metrics.runs.batches import Batches
    from community_metrics.runs.lock import LeaseHolder
    from community_metrics.sources.base import FetchResult
    from community_metrics.storage import LanceDBStore, MergePlan


SOURCE_DEADLINE_S: Final = 900.0
"""Seconds without a result after which a source is stopped; a request with all its retries takes 180."""


class Job(Protocol):
    """One job with its options; a frozen dataclass whose fields are the options."""

    name: ClassVar[str]
    provenance: ClassVar[Provenance]
    """How its values reach the database."""

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


@runtime_checkable
class Skippable(Protocol):
    """A job that is started more often than it has work; without any it leaves no row in `history`."""

    async def reason_to_skip(self, context: RunContext) -> str | None:
        """Return, in a sentence, why there is nothing to do; None if there is. Writes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class JobResult:
    """The window that a job covered, and what it has to say about its run."""

    window_start: date | None = None
    window_end: date | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run ended. Under `--dry-run` the run is in no table, and `plan` is what would be written.

    A run that was skipped, since there was nothing to do, is in no table either.
    `notes` are about the run, `metric_notes` about one metric each.
    """

    run: Run
    outcomes: tuple[RunOutcome, ...]
    notes: tuple[str, ...] = ()
    metric_notes: tuple[tuple[str, str], ...] = ()
    plan: MergePlan | None = None

    @property
    def is_offline(self) -> bool:
        """Whether no registry answered at all."""
        return is_offline(self.outcomes)

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

    def steps_started(self, name: str, total: int) -> None:
        """Note that a place begins whose metrics take about `total` requests together."""
        ...

    def step_done(self, name: str, what: str, left_s: float) -> None:
        """Note that one of these requests is answered; the others take about `left_s` seconds."""
        ...


class NoProgress:
    """Shows nothing; for callers that read the report instead."""

    def source_started(self, name: str, total: int) -> None:
        """Note nothing."""

    def metric_done(self, name: str, metric_id: str, error: SourceError | None) -> None:
        """Note nothing."""

    def steps_started(self, name: str, total: int) -> None:
        """Note nothing."""

    def step_done(self, name: str, what: str, left_s: float) -> None:
        """Note nothing."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a job works with; `batches` takes what it reads."""

    job: Job
    settings: Settings
    catalog: Catalog
    store: LanceDBStore
    clock: Clock
    rng: random.Random
    progress: Progress
    run_id: str
    batches: Batches
    holder: LeaseHolder | None = None
    """None under `--dry-run`, which takes no lease."""
    source_deadline_s: float = SOURCE_DEADLINE_S
    answers: AnswerRecorder | None = None
    """Takes the answers of sources that cannot be asked again; None where nothing is stored."""

    def record(self, result: FetchResult, read: LastRead | None = None) -> None:
        """Keep the values of one metric, and how it ended, to be stored with the next batch."""
        self.batches.add(result, read)


Work = Callable[[RunContext], Awaitable[JobResult]]
"""What a job does once it holds the database. What it records is stored in batches, the rest at its end."""

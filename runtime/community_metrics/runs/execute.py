"""A run: one execution of a job, alone on its database, with one row in `history`.

The order of things is what makes a kill harmless: take the database, write the run as `running`, gather the
observations, write them in one atomic merge, close the run, let the database go. All that a kill can leave
behind is a run that still says `running` while nobody holds its lease, which readers show as abandoned.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import structlog

from community_metrics.catalog import load_catalog
from community_metrics.clock import SystemClock
from community_metrics.config import StorageMode
from community_metrics.errors import (
    CommunityMetricsError,
    RunInterrupted,
    StorageError,
    StorageNotBootstrapped,
)
from community_metrics.model import Provenance, Run, RunStatus, UpsertCounts
from community_metrics.runs.definitions import to_write
from community_metrics.runs.lock import exclusive
from community_metrics.runs.progress import NoProgress
from community_metrics.runs.signals import settle_cancellation, signals_cancel, to_its_end
from community_metrics.storage import LanceDBStore
from community_metrics.storage.connection import IN_MEMORY

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.model import MetricDefinition, Observation
    from community_metrics.runs.lock import Holder
    from community_metrics.runs.progress import Progress
    from community_metrics.runs.signals import StopSignals
    from community_metrics.storage.merge import MergePlan

SUMMARY_LIMIT = 4_000
"""Characters of `history.error_summary`: a page, not a log."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a person, a timer or an event asks of a job; each job reads the options it has."""

    job_name: str
    lookback_weeks: int | None = None
    only: tuple[str, ...] = ()
    dry_run: bool = False
    seed_path: Path | None = None
    include_suspect: bool = False
    reset: bool = False


@dataclass(frozen=True, slots=True)
class MetricOutcome:
    """What a run got for one metric: how many observations, what failed; `notes` are for a person."""

    metric_id: str
    observations: int
    error: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a job brings home before anything is written.

    `same` are redefined metrics whose source proved that they go on under another name.
    """

    observations: tuple[Observation, ...] = ()
    provenance: Provenance = Provenance.API
    outcomes: tuple[MetricOutcome, ...] = ()
    window_start: date | None = None
    window_end: date | None = None
    notes: tuple[str, ...] = ()
    same: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RunReport:
    """How a run ended. Under `--dry-run` the run is in no table, and `plan` says what would be written.

    `notes` are sentences about the run as a whole, for a person.
    """

    run: Run
    outcomes: tuple[MetricOutcome, ...]
    notes: tuple[str, ...] = ()
    plan: MergePlan | None = None


@dataclass(frozen=True, slots=True)
class RunContext:
    """All that a job works with."""

    request: JobRequest
    settings: Settings
    catalog: Catalog
    store: LanceDBStore
    clock: Clock
    rng: random.Random
    progress: Progress
    run_id: str
    holder: Holder | None = None
    """None under `--dry-run`, which takes no lease."""

    async def renew(self) -> None:
        """Renew the lease; a job does so before each step that deletes.

        Raises:
            LeaseLost: another run took the database over.
        """
        if self.holder is None:
            raise RuntimeError(f"Run {self.run_id} holds no lease, so it must not delete anything.")
        await self.holder.renew()


class Work(Protocol):
    """What a job does once it has the database: look around, ask, bring home what is to be written."""

    async def __call__(self, context: RunContext, /) -> Gathered:
        """Gather; everything that is written to `stats` is written afterwards, at once."""
        ...


class Job(Protocol):
    """A job, which first looks at what it was asked, so that a wrong option or file touches nothing."""

    def __call__(self, request: JobRequest, catalog: Catalog, now: datetime, /) -> Work:
        """Return the work to do; raises ConfigurationError when the request cannot be carried out."""
        ...


async def execute(
    prepare: Job,
    request: JobRequest,
    settings: Settings,
    *,
    clock: Clock | None = None,
    rng: random.Random | None = None,
    progress: Progress | None = None,
    store_type: type[LanceDBStore] = LanceDBStore,
) -> RunReport:
    """Run a job once and report how it ended.

    Raises:
        ConfigurationError: the catalogue, an option or a file cannot be used; nothing was touched.
        RunLocked: another run holds the database.
        StorageError: LanceDB did not do what was asked; the run is closed as failed where that is possible.
        RunInterrupted: SIGTERM or Ctrl-C before the rows were written; the run is closed as failed.
    """
    clock = clock or SystemClock()
    rng = rng or random.Random()  # noqa: S311  jitter and run ids, not secrets
    catalog = load_catalog(settings.catalog)
    work = prepare(request, catalog, clock.now())
    if request.dry_run and await _is_missing(store_type, settings):
        settings = settings.model_copy(update={"storage_mode": StorageMode.LOCAL, "db_path": IN_MEMORY})
    async with store_type.open(settings) as store:
        run_id = f"{clock.now():%Y%m%dT%H%M%SZ}-{request.job_name}-{rng.getrandbits(32):08x}"
        context = RunContext(request, settings, catalog, store, clock, rng, progress or NoProgress(), run_id)
        if not request.dry_run or settings.db_path == IN_MEMORY:
            await store.create_tables()
        if request.dry_run:
            return await _rehearse(work, context)
        return await _alone(work, context)


async def _is_missing(store_type: type[LanceDBStore], settings: Settings) -> bool:
    """Say whether there are no rows to compare with: a dry run then takes an empty database, and makes none.

    Only the table of the rows counts: one that lacks another table is compared with all the same.
    """
    try:
        async with store_type.open(settings) as store:
            await store.first_day("")  # asks `stats` and nothing else
    except StorageNotBootstrapped:
        return True
    return False


async def _rehearse(work: Work, context: RunContext) -> RunReport:
    run = _begun(context)
    gathered = await work(context)
    plan = await context.store.plan_observations(
        gathered.observations, provenance=gathered.provenance, run_id=context.run_id, now=context.clock.now()
    )
    return RunReport(_closed(run, gathered, plan.counts, context), gathered.outcomes, gathered.notes, plan)


async def _alone(work: Work, context: RunContext) -> RunReport:
    """Hold the database from before the run's first row until after its last; a signal lets go of it too."""
    with signals_cancel() as signals:
        try:
            async with exclusive(context.store, context.settings, context.run_id, context.clock) as holder:
                await context.store.extend_tables()
                report = await _recorded(work, replace(context, holder=holder), holder, signals)
                if report.run.rows_inserted + report.run.rows_updated and not signals.received:
                    await _housekeeping(context, holder, signals)
                signals.disarm()
                return report
        except asyncio.CancelledError:
            if not signals.received:
                raise
            raise RunInterrupted(
                f"Run {context.run_id} was stopped by {signals.received[0].name}; it is safe to run again."
            ) from None


async def _housekeeping(context: RunContext, holder: Holder, signals: StopSignals) -> None:
    """Compact what was written. The run is closed by now, and no failure here makes it another one."""
    try:
        await context.store.optimize()
    except StorageError as error:
        log.warning("housekeeping failed, the next run does it", run_id=context.run_id, reason=str(error))
    except asyncio.CancelledError:
        if not signals.received and holder.lost is None:
            raise
        settle_cancellation()
        log.warning("housekeeping was stopped, the next run does it", run_id=context.run_id)


async def _recorded(work: Work, context: RunContext, holder: Holder, signals: StopSignals) -> RunReport:
    store = context.store
    run = _begun(context)
    log.info("run started", run_id=run.ingestion_run_id, job=run.job_name)
    try:
        await store.record_run(run)
        gathered = await work(context)
        _log_notes(gathered)
        await holder.renew()  # a run that was suspended for longer than its lease must not write any more
        await store.upsert_metrics(await _definitions(context, gathered))
        counts, cancelled = await to_its_end(_upserted(context, gathered))
        run = _closed(run, gathered, counts, context)
        if cancelled and not signals.received:  # a signal that came this late stops nothing any more
            raise holder.lost or asyncio.CancelledError  # noqa: TRY301  it is closed below like the others
        _, cancelled = await to_its_end(store.record_run(run))
    except BaseException as error:  # whatever ends the work, a signal or a bug, the run is closed
        reason = (
            f"stopped by {signals.received[0].name}" if signals.received else _reason(holder.lost or error)
        )
        await _close_failed(context, run, reason, error)
        raise
    _log_closed(run)
    if cancelled and not signals.received and holder.lost is None:
        raise asyncio.CancelledError
    return RunReport(run, gathered.outcomes, gathered.notes)


async def _upserted(context: RunContext, gathered: Gathered) -> UpsertCounts:
    return await context.store.upsert_observations(
        gathered.observations,
        provenance=gathered.provenance,
        run_id=context.run_id,
        now=context.clock.now(),
    )


async def _definitions(context: RunContext, gathered: Gathered) -> list[MetricDefinition]:
    whole = not context.request.only
    return await to_write(
        context.store, context.catalog, context.clock.now(), same=gathered.same, whole=whole
    )


async def _close_failed(context: RunContext, run: Run, reason: str, error: BaseException) -> None:
    """Close the run as failed; what it had already merged stays counted."""
    failed = replace(
        run, finished_at=context.clock.now(), status=RunStatus.FAILED, error_summary=reason[:SUMMARY_LIMIT]
    )
    log.error("run failed", run_id=run.ingestion_run_id, job=run.job_name, reason=reason)
    try:
        await context.store.record_run(failed)
    except StorageError as closing:
        error.add_note(
            f"Its row in history could not be closed either, and will show as abandoned: {closing}"
        )


def _log_closed(run: Run) -> None:
    log.info(
        "run closed",
        run_id=run.ingestion_run_id,
        job=run.job_name,
        status=run.status.value,
        inserted=run.rows_inserted,
        updated=run.rows_updated,
        unchanged=run.rows_unchanged,
        summary=run.error_summary,
    )


def _begun(context: RunContext) -> Run:
    return Run(
        ingestion_run_id=context.run_id,
        job_name=context.request.job_name,
        started_at=context.clock.now(),
        finished_at=None,
        status=RunStatus.RUNNING,
        rows_inserted=0,
        rows_updated=0,
        rows_unchanged=0,
        window_start=None,
        window_end=None,
        error_summary=None,
        scope=",".join(context.request.only) or None,
    )


def _closed(run: Run, gathered: Gathered, counts: UpsertCounts, context: RunContext) -> Run:
    return replace(
        run,
        finished_at=context.clock.now(),
        status=run_status(gathered.outcomes),
        rows_inserted=counts.inserted,
        rows_updated=counts.updated,
        rows_unchanged=counts.unchanged,
        window_start=gathered.window_start,
        window_end=gathered.window_end,
        error_summary=error_summary(gathered.outcomes),
    )


def run_status(outcomes: tuple[MetricOutcome, ...]) -> RunStatus:
    """Return success when nothing failed, failed when every metric did and brought nothing, else partial.

    A day that a registry has not published yet is no failure.
    """
    if not any(outcome.error for outcome in outcomes):
        return RunStatus.SUCCESS
    empty_handed = all(outcome.error and not outcome.observations for outcome in outcomes)
    return RunStatus.FAILED if empty_handed else RunStatus.PARTIAL


def error_summary(outcomes: tuple[MetricOutcome, ...]) -> str | None:
    """Return one line for each failed metric, cut to a page; None when none failed."""
    text = "\n".join(f"{outcome.metric_id}: {outcome.error}" for outcome in outcomes if outcome.error)
    if len(text) <= SUMMARY_LIMIT:
        return text or None
    return text[: SUMMARY_LIMIT - 30].rsplit("\n", 1)[0] + "\n… and more; see the log"


def _log_notes(gathered: Gathered) -> None:
    for note in gathered.notes:
        log.info("note", note=note)
    for outcome in gathered.outcomes:
        for note in outcome.notes:
            log.warning("note", metric_id=outcome.metric_id, note=note)


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, CommunityMetricsError) else f"{type(error).__name__}: {error}"

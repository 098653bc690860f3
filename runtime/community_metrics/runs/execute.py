"""A run: one execution of a job, alone on its database, with one row in `history`.

The order of the writes makes a kill harmless: take the lease, write the run as `running`, read the
observations, write them in one atomic merge, write how each metric ended, close the run, release the lease. A
kill leaves at most a run that is still `running` without a lease, which readers show as abandoned. What it
wrote is true, and the next run writes the rest.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from community_metrics.catalog import load_catalog
from community_metrics.clock import SystemClock
from community_metrics.config import StorageMode
from community_metrics.errors import (
    CommunityMetricsError,
    LeaseLost,
    RunInterrupted,
    StorageError,
    StorageNotBootstrapped,
)
from community_metrics.model import Run, RunStatus, UpsertCounts
from community_metrics.runs.definitions import require_own_catalog, to_write
from community_metrics.runs.job import SOURCE_DEADLINE_S, NoProgress, RunContext, RunReport
from community_metrics.runs.lock import database_lease
from community_metrics.runs.signals import cancel_on_signals, run_to_completion, settle_cancellation
from community_metrics.series.failures import SUMMARY_LIMIT, error_summary, grouped_failures, run_status
from community_metrics.storage import LanceDBStore
from community_metrics.storage.connection import IN_MEMORY

if TYPE_CHECKING:
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.runs.job import Job, JobResult, Progress, Work
    from community_metrics.runs.lock import LeaseHolder
    from community_metrics.runs.signals import StopSignals

log = structlog.get_logger(__name__)


async def execute(
    job: Job,
    settings: Settings,
    *,
    dry_run: bool = False,
    clock: Clock | None = None,
    rng: random.Random | None = None,
    progress: Progress | None = None,
    store_type: type[LanceDBStore] = LanceDBStore,
    source_deadline_s: float = SOURCE_DEADLINE_S,
) -> RunReport:
    """Run a job once and return how it ended. `dry_run` writes nothing, and returns what would be written.

    A source that returns nothing for `source_deadline_s` real seconds is stopped; the others are stored.

    Raises:
        ConfigurationError: the catalogue, an option or a file is invalid; nothing was changed.
        RunLocked: another run holds the database.
        StorageError: a LanceDB operation failed; the run is closed as failed where that is possible.
        RunInterrupted: SIGTERM or Ctrl-C before the rows were written; the run is closed as failed.
    """
    clock = clock or SystemClock()
    rng = rng or random.Random()  # noqa: S311  jitter and run ids, not secrets
    catalog = load_catalog(settings.catalog)
    work = job.prepare(catalog, clock.now())
    if dry_run and await _is_missing(store_type, settings):
        settings = settings.model_copy(update={"storage_mode": StorageMode.LOCAL, "db_path": IN_MEMORY})
    async with store_type.open(settings) as store:
        run_id = f"{clock.now():%Y%m%dT%H%M%SZ}-{job.name}-{rng.getrandbits(32):08x}"
        context = RunContext(
            job,
            settings,
            catalog,
            store,
            clock,
            rng,
            progress or NoProgress(),
            run_id,
            source_deadline_s=source_deadline_s,
        )
        if not dry_run or settings.db_path == IN_MEMORY:
            await store.create_tables()
        return await (_rehearse(work, context) if dry_run else _alone(work, context))


async def _is_missing(store_type: type[LanceDBStore], settings: Settings) -> bool:
    """Return whether there are no rows to compare with: a dry run then compares with an empty database.

    Only the table of the rows counts: a database that lacks another table is compared with all the same.
    """
    try:
        async with store_type.open(settings) as store:
            await store.first_day("")  # reads `stats` and nothing else
    except StorageNotBootstrapped:
        return True
    return False


async def _rehearse(work: Work, context: RunContext) -> RunReport:
    await _checked(context)
    run = _begun(context)
    result = await work(context)
    plan = await context.store.plan_observations(
        result.observations, provenance=result.provenance, run_id=context.run_id, now=context.clock.now()
    )
    return replace(_report(_closed(run, result, plan.counts, context), result, context), plan=plan)


async def _alone(work: Work, context: RunContext) -> RunReport:
    """Hold the lease from before the run's first row until after its last, also when a signal stops it."""
    with cancel_on_signals() as signals:
        try:
            async with database_lease(
                context.store, context.settings, context.run_id, context.clock
            ) as holder:
                await context.store.extend_tables()
                await _checked(context)
                await _tidied(context)
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


async def _checked(context: RunContext) -> None:
    """Refuse a catalogue of another database before anything is read or written."""
    if not context.job.only and not context.job.retire:
        await require_own_catalog(context.store, context.catalog)


async def _tidied(context: RunContext) -> None:
    """Remove what earlier runs left in the tables of runs, also those that failed or stored no value."""
    try:
        await context.store.tidy()
    except StorageError as error:
        log.warning("old versions were not removed, the next run does it", reason=str(error))


async def _housekeeping(context: RunContext, holder: LeaseHolder, signals: StopSignals) -> None:
    """Compact the tables. The run is closed by now, and no failure here changes how it ended."""
    try:
        await holder.renew()  # it deletes old versions, which must not happen under another run
        await context.store.optimize()
    except (StorageError, LeaseLost) as error:
        log.warning("housekeeping failed, the next run does it", run_id=context.run_id, reason=str(error))
    except asyncio.CancelledError:
        if not signals.received and holder.lost is None:
            raise
        settle_cancellation()
        log.warning("housekeeping was stopped, the next run does it", run_id=context.run_id)


async def _recorded(work: Work, context: RunContext, holder: LeaseHolder, signals: StopSignals) -> RunReport:
    store = context.store
    run = _begun(context)
    log.info("run started", run_id=run.ingestion_run_id, job=run.job_name)
    try:
        await store.record_run(run)
        result = await work(context)
        await holder.renew()  # a run that was suspended for longer than its lease must not write any more
        whole = not context.job.only
        definitions = await to_write(
            store, context.catalog, context.clock.now(), renamed=result.renamed, whole=whole
        )
        await store.upsert_metrics(definitions)
        upsert = store.upsert_observations(
            result.observations, provenance=result.provenance, run_id=context.run_id, now=context.clock.now()
        )
        counts, cancelled = await run_to_completion(upsert)
        run = _closed(run, result, counts, context)
        if cancelled and not signals.received:  # a signal that comes this late no longer stops the run
            raise holder.lost or asyncio.CancelledError  # noqa: TRY301  it is closed below like the others
        _, cancelled = await run_to_completion(_close(context, run))
    except BaseException as error:  # whatever ends the work, a signal or a bug, the run is closed
        cause = holder.lost or error
        reason = (
            f"{cause}" if isinstance(cause, CommunityMetricsError) else f"{type(cause).__name__}: {cause}"
        )
        if signals.received:
            reason = f"stopped by {signals.received[0].name}"
        await _close_failed(context, run, reason, error)
        raise
    _log_closed(run, result, context)
    if cancelled and not signals.received and holder.lost is None:
        raise asyncio.CancelledError
    return _report(run, result, context)


async def _close(context: RunContext, run: Run) -> None:
    """Write how each metric ended, and then the closed run: a closed run has all its outcomes."""
    await context.store.record_outcomes(list(context.outcomes.values()))
    await context.store.record_run(run)


async def _close_failed(context: RunContext, run: Run, reason: str, error: BaseException) -> None:
    """Close the run as failed; merged rows stay counted, and the metrics it reached have their outcomes."""
    lines = [reason, error_summary(grouped_failures(context.outcomes.values()))]
    failed = replace(
        run,
        finished_at=context.clock.now(),
        status=RunStatus.FAILED,
        error_summary="\n".join(line for line in lines if line)[:SUMMARY_LIMIT],
    )
    log.error("run failed", run_id=run.ingestion_run_id, job=run.job_name, reason=reason)
    _log_failures(context)
    try:
        try:
            await context.store.record_outcomes(list(context.outcomes.values()))
        finally:  # the run is closed whatever becomes of its outcomes
            await context.store.record_run(failed)
    except StorageError as closing:
        error.add_note(f"Its rows in history and run_outcomes could not be written either: {closing}")


def _begun(context: RunContext) -> Run:
    return Run(
        ingestion_run_id=context.run_id,
        job_name=context.job.name,
        started_at=context.clock.now(),
        scope=",".join(context.job.only) or None,
    )


def _closed(run: Run, result: JobResult, counts: UpsertCounts, context: RunContext) -> Run:
    outcomes = list(context.outcomes.values())
    return replace(
        run,
        finished_at=context.clock.now(),
        status=run_status(outcomes),
        rows_inserted=counts.inserted,
        rows_updated=counts.updated,
        rows_unchanged=counts.unchanged,
        window_start=result.window_start,
        window_end=result.window_end,
        error_summary=error_summary(grouped_failures(outcomes)),
    )


def _report(run: Run, result: JobResult, context: RunContext) -> RunReport:
    """Return the report; its outcomes are in the order of the catalogue."""
    outcomes, ids = context.outcomes, [metric.metric_id for metric in context.catalog.metrics]
    ordered = tuple(outcomes[metric_id] for metric_id in ids if metric_id in outcomes)
    return RunReport(run, ordered, result.notes, tuple(context.metric_notes))


def _log_failures(context: RunContext) -> None:
    """Log one line for each cause, however many metrics failed for it."""
    for failure in grouped_failures(context.outcomes.values()):
        log.warning("metrics failed", cause=failure.cause, url=failure.url, metrics=list(failure.metric_ids))


def _log_closed(run: Run, result: JobResult, context: RunContext) -> None:
    for note in result.notes:
        log.info("note", note=note)
    for metric_id, note in context.metric_notes:
        log.warning("note", metric_id=metric_id, note=note)
    _log_failures(context)
    log.info(
        "run closed",
        run_id=run.ingestion_run_id,
        job=run.job_name,
        status=run.status.value,
        inserted=run.rows_inserted,
        updated=run.rows_updated,
        unchanged=run.rows_unchanged,
    )

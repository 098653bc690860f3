"""A run: one execution of a job, alone on its database, with one row in `history`.

The order of the writes makes a kill harmless: take the lease, write the run as `running`, read the
observations and store them in batches, each with how its metrics ended, close the run, release the lease. A
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
    StorageUnavailable,
)
from community_metrics.runs import record
from community_metrics.runs.answers import AnswerRecorder, secrets_of
from community_metrics.runs.batches import Batches, store_batch
from community_metrics.runs.definitions import require_own_catalog
from community_metrics.runs.job import SOURCE_DEADLINE_S, NoProgress, RunContext, RunReport, Skippable
from community_metrics.runs.lock import database_lease
from community_metrics.runs.mixing import require_own_kind
from community_metrics.runs.signals import cancel_on_signals, run_to_completion, settle_cancellation
from community_metrics.storage import LanceDBStore
from community_metrics.storage.connection import IN_MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.runs.job import Job, Progress, Work
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
        RunInterrupted: SIGTERM or Ctrl-C while it read; what it had read is stored, the run closed as failed.
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
            Batches(record.begun(job, run_id, clock.now())),
            source_deadline_s=source_deadline_s,
        )
        if not dry_run or settings.db_path == IN_MEMORY:
            await store.create_tables()
        if dry_run:
            return await _rehearse(work, context)
        # without the lease: it writes nothing, and may be started while another run is active
        if isinstance(job, Skippable) and (reason := await job.reason_to_skip(context)) is not None:
            return record.skipped(context, reason)
        return await _alone(work, context)


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
    result = await work(context)
    batches, now = context.batches, context.clock.now()
    batches.check()
    values, provenance = batches.pending.observations, context.job.provenance
    plan = batches.rebuilt.values if batches.rebuilt else None
    plan = plan or await context.store.plan_observations(
        values, provenance=provenance, run_id=context.run_id, now=now
    )
    batches.counts += plan.counts
    return replace(record.report_of(context, record.closed(context, result), result), plan=plan)


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
                begun = await context.store.versions_with_values()
                answers = AnswerRecorder(secrets_of(context.settings))
                report = await _recorded(
                    work, replace(context, holder=holder, answers=answers), holder, signals
                )
                if report.run.rows_inserted + report.run.rows_updated and not signals.received:
                    await _housekeeping(context, holder, signals, begun)
                signals.disarm()
                return report
        except asyncio.CancelledError:
            if not signals.received:
                raise
            raise RunInterrupted(
                f"Run {context.run_id} was stopped by {signals.received[0].name}; it is safe to run again."
            ) from None


async def _checked(context: RunContext) -> None:
    """Refuse a database of the other kind and a catalogue of another one, before anything is written."""
    place = context.settings.storage_location
    await require_own_kind(context.store, context.job.provenance, place)
    if not context.job.only and not context.job.retire:
        await require_own_catalog(context.store, context.catalog)


async def _tidied(context: RunContext) -> None:
    """Remove what earlier runs left in the tables of runs, also those that failed or stored no value."""
    try:
        await context.store.tidy()
    except StorageError as error:
        log.warning("old versions were not removed, the next run does it", reason=str(error))


async def _housekeeping(
    context: RunContext, holder: LeaseHolder, signals: StopSignals, begun: Mapping[str, int]
) -> None:
    """Delete old answers and compact the tables, and keep the versions that were there before the run.

    The run is closed by now, and no failure here changes how it ended.
    """
    try:
        await holder.renew()  # it deletes old versions, which must not happen under another run
        await context.store.delete_old_answers(context.clock.now())
        await context.store.optimize(begun)
    except (StorageError, LeaseLost) as error:
        log.warning("housekeeping failed, the next run does it", run_id=context.run_id, reason=str(error))
    except asyncio.CancelledError:
        if not signals.received and holder.lost is None:
            raise
        settle_cancellation()
        log.warning("housekeeping was stopped, the next run does it", run_id=context.run_id)


async def _recorded(work: Work, context: RunContext, holder: LeaseHolder, signals: StopSignals) -> RunReport:
    run = context.batches.run
    log.info("run started", run_id=run.ingestion_run_id, job=run.job_name)
    try:
        await context.store.record_run(run)
        result = await work(context)
        _, cancelled = await run_to_completion(store_batch(context))
        if cancelled and not signals.received:  # a signal that comes this late no longer stops the run
            raise holder.lost or asyncio.CancelledError  # noqa: TRY301  it is closed below like the others
        run = record.closed(context, result)
        _, cancelled = await run_to_completion(context.store.record_run(run))
    except BaseException as error:  # whatever ends the work, a signal or a bug, the run is closed
        # also when it is cancelled once more, because its lease is lost meanwhile
        await run_to_completion(_closed_early(context, holder, signals, error))
        raise
    report = record.report_of(context, run, result)
    record.log_closed(context, report)
    if cancelled and not signals.received and holder.lost is None:
        raise asyncio.CancelledError
    return report


async def _closed_early(
    context: RunContext, holder: LeaseHolder, signals: StopSignals, error: BaseException
) -> None:
    """Close a run that something stopped; after a signal or a failing storage it stores what it has read."""
    cause = holder.lost or error
    reason = f"{cause}" if isinstance(cause, CommunityMetricsError) else f"{type(cause).__name__}: {cause}"
    if signals.received:
        reason = f"stopped by {signals.received[0].name}"
    if (signals.received or isinstance(error, StorageUnavailable)) and holder.lost is None:
        try:
            while context.batches.pending.results:  # a batch that failed is one of its own
                await store_batch(context)
        except CommunityMetricsError as storing:
            error.add_note(f"What it had read last could not be stored: {storing}")
    await record.close_failed(context, reason, error)

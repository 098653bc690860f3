"""The row of a run in `history`, from its opening to its end, and its lines in the log."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from community_metrics.errors import StorageError
from community_metrics.model import OutcomeStatus, Run, RunStatus
from community_metrics.runs.job import RunReport
from community_metrics.series.failures import SUMMARY_LIMIT, error_summary, grouped_failures, run_status
from community_metrics.text import counted

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.runs.job import Job, JobResult, RunContext

log = structlog.get_logger(__name__)


def begun(job: Job, run_id: str, now: datetime) -> Run:
    """Return the row of a run that begins now."""
    return Run(
        ingestion_run_id=run_id,
        job_name=job.name,
        started_at=now,
        scope=",".join(job.only) or None,
        lookback_weeks=getattr(job, "lookback_weeks", None),
    )


def closed(context: RunContext, result: JobResult) -> Run:
    """Return the row of a run whose work is done, with the rows that it has stored."""
    batches = context.batches
    outcomes = list(batches.outcomes.values())
    return replace(
        batches.run_so_far,
        finished_at=context.clock.now(),
        status=run_status(outcomes, metrics_left=batches.metrics_left or 0),
        window_start=result.window_start,
        window_end=result.window_end,
        error_summary=error_summary(grouped_failures(outcomes)),
        metrics_left=batches.metrics_left,
        is_aborted=False,
    )


def skipped(context: RunContext, reason: str) -> RunReport:
    """Return the report of a run that has nothing to do, whose row is not stored, and log the reason."""
    log.info("run skipped", job=context.job.name, reason=reason)
    run = replace(
        context.batches.run, finished_at=context.clock.now(), status=RunStatus.SUCCESS, metrics_left=0
    )
    return RunReport(run, (), (reason,))


async def close_failed(context: RunContext, reason: str, error: BaseException) -> None:
    """Close the run as failed; what it stored stays counted.

    A metric whose values were read but not stored has no outcome and is left for the next run, unless it
    failed.
    """
    batches = context.batches
    unstored = [one for one in batches.outcomes.values() if one.metric_id not in batches.stored]
    failures = [one for one in unstored if one.status is OutcomeStatus.FAILED]
    left = batches.metrics_left
    lines = [reason, error_summary(grouped_failures(batches.outcomes.values()))]
    failed = replace(
        batches.run_so_far,
        finished_at=context.clock.now(),
        status=RunStatus.FAILED,
        error_summary="\n".join(line for line in lines if line)[:SUMMARY_LIMIT],
        metrics_left=None if left is None else left + len(unstored) - len(failures),
        is_aborted=True,
    )
    log.error("run failed", run_id=failed.ingestion_run_id, job=failed.job_name, reason=reason)
    log_failures(context)
    try:
        try:
            await context.store.record_outcomes(failures)
        finally:  # the run is closed whatever becomes of its outcomes
            await context.store.record_run(failed)
    except StorageError as closing:
        error.add_note(f"Its rows in history and run_outcomes could not be written either: {closing}")


def report_of(context: RunContext, run: Run, result: JobResult) -> RunReport:
    """Return the report; its outcomes are in the order of the catalogue."""
    catalog, outcomes = context.catalog, context.batches.outcomes
    ids = [metric.metric_id for metric in catalog.defined] + [one.id for one in catalog.readings]
    ordered = tuple(outcomes[metric_id] for metric_id in ids if metric_id in outcomes)
    return RunReport(run, ordered, (*result.notes, *_left(run)), tuple(context.batches.notes))


def log_closed(context: RunContext, report: RunReport) -> None:
    """Log how a run ended: its notes, the causes of its failures, its counts."""
    for note in report.notes:
        log.info("note", note=note)
    for metric_id, note in report.metric_notes:
        log.warning("note", metric_id=metric_id, note=note)
    log_failures(context)
    run = report.run
    log.info(
        "run closed",
        run_id=run.ingestion_run_id,
        job=run.job_name,
        status=run.status.value,
        inserted=run.rows_inserted,
        updated=run.rows_updated,
        unchanged=run.rows_unchanged,
        metrics_left=run.metrics_left,
    )


def log_failures(context: RunContext) -> None:
    """Log one line for each cause, however many metrics failed for it."""
    for failure in grouped_failures(context.batches.outcomes.values()):
        log.warning("metrics failed", cause=failure.cause, url=failure.url, metrics=list(failure.metric_ids))


def _left(run: Run) -> tuple[str, ...]:
    if not run.metrics_left:
        return ()
    verb = "is" if run.metrics_left == 1 else "are"
    return (f"{counted(run.metrics_left, 'metric')} {verb} left for the next run.",)

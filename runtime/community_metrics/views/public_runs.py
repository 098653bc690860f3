"""What everybody may see of a run: nothing that depends on the metrics of the team."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from community_metrics.model import DIGEST_JOB, EVENT_JOB, RunStatus
from community_metrics.series.failures import error_summary, grouped_failures, run_status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from community_metrics.model import Run, RunOutcome

OF_ALL_METRICS: Final = (
    "rows_inserted",
    "rows_updated",
    "rows_unchanged",
    "metrics_left",
    "window_start",
    "window_end",
)
"""What a run says of all its metrics together: how many rows, and the first and the last day of any."""
NOT_KNOWN: Final[dict[str, Any]] = dict.fromkeys(OF_ALL_METRICS)
"""The counts and the days of only some of the metrics are not stored: null, not 0."""


def public_run(run: Run, every: Sequence[RunOutcome], public: Sequence[RunOutcome]) -> Run:
    """Return a run with the errors of public metrics alone.

    Its status follows from public metrics too, unless something else ended it: that is no metric's error. A
    run of an earlier version does not say what ended it, so that one that failed keeps its status.
    """
    is_by_metrics = bool(every) and (run.status is RunStatus.PARTIAL or run.is_aborted is False)
    return replace(
        run,
        status=run_status(public) if is_by_metrics else run.status,
        error_summary=error_summary(grouped_failures(public)),
    )


def public_loaded_run(run: Run) -> Run:
    """Return a run of another database without what may tell of the team's metrics there.

    Neither its outcomes nor the catalogue of that database are here, which would tell what is the team's.
    """
    return replace(run, scope=None, error_summary=None, **NOT_KNOWN)


def outcomes_of(run: Run, outcomes: Iterable[RunOutcome]) -> list[RunOutcome]:
    """Return those of the outcomes that are of this run."""
    return [outcome for outcome in outcomes if outcome.run_id == run.ingestion_run_id]


def public_scope(run: Run, shown_ids: Sequence[str]) -> str | None:
    """Return the patterns that match a public metric, or the row that the run wrote; None without any."""
    if run.job_name in {EVENT_JOB, DIGEST_JOB}:
        return run.scope
    patterns = run.scope.split(",") if run.scope else []
    return ",".join(p for p in patterns if any(fnmatchcase(one, p) for one in shown_ids)) or None

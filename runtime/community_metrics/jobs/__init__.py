"""Jobs: what runs on a schedule or by hand and writes to the database."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    import random

    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.runs.execute import JobRequest, RunReport
    from community_metrics.runs.progress import Progress

JOB_NAMES = ("seed_from_csv", "weekly_refresh", "update_all", "bootstrap_tables")


async def run_job(
    request: JobRequest,
    settings: Settings,
    *,
    clock: Clock | None = None,
    rng: random.Random | None = None,
    progress: Progress | None = None,
) -> RunReport:
    """Run the job that `request` names, once, and report how it ended.

    Raises:
        ConfigurationError: no job has that name, or its options, the catalogue or a file cannot be used.
        CommunityMetricsError: see `jobs.run.execute`.
    """
    if request.job_name not in JOB_NAMES:
        raise ConfigurationError(
            f"There is no job {request.job_name!r}; the jobs are {', '.join(JOB_NAMES)}."
        )
    # LanceDB takes a second to import; a wrong job name or option is told without waiting for it
    execute = import_module("community_metrics.runs.execute").execute
    prepare = import_module(f"community_metrics.jobs.{request.job_name}").prepare
    report: RunReport = await execute(prepare, request, settings, clock=clock, rng=rng, progress=progress)
    return report

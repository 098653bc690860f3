"""The last time that everything was got, however many runs have been since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.model import RunStatus
from community_metrics.series.freshness import COLLECTING_JOBS, last_success

if TYPE_CHECKING:
    from community_metrics.model import Run
    from community_metrics.storage.reader import LanceDBReader


async def newest_success(reader: LanceDBReader) -> Run | None:
    """Return the last run that asked the registries for every metric and got everything; None for none."""
    found = [
        await reader.runs(limit=1, status=RunStatus.SUCCESS, job_name=job, whole_only=True)
        for job in COLLECTING_JOBS
    ]
    return last_success(run for runs in found for run in runs)

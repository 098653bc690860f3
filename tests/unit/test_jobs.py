"""The registry of the jobs: every list of jobs is derived from it, and invalid options are rejected."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from community_metrics.errors import ConfigurationError
from community_metrics.runs.registry import JOBS, MOST_WEEKS, Refresh, UpdateAll, WeeklyRefresh
from community_metrics.series.freshness import COLLECTING_JOBS

JOBS_FOLDER = Path(str(import_module("community_metrics.jobs").__file__)).parent


def test_each_job_has_a_program() -> None:
    assert {path.stem for path in JOBS_FOLDER.glob("[a-z]*.py")} == {
        *JOBS,
        "deliver",
        "backup",
        "restore_drill",
    }


def test_the_collecting_jobs_are_those_that_refresh() -> None:
    assert {name for name, job in JOBS.items() if issubclass(job, Refresh)} == COLLECTING_JOBS


@pytest.mark.parametrize("job", [WeeklyRefresh, UpdateAll])
@pytest.mark.parametrize("weeks", [0, -3, MOST_WEEKS + 1])
def test_a_look_back_out_of_range_is_rejected(job: type[WeeklyRefresh | UpdateAll], weeks: int) -> None:
    with pytest.raises(ConfigurationError, match="at least 1 and at most 520"):
        job(lookback_weeks=weeks)
    assert job(lookback_weeks=MOST_WEEKS).lookback_weeks == MOST_WEEKS

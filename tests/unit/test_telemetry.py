from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from community_metrics.aws.telemetry import run_gauges
from community_metrics.model import Run, RunStatus
from tests.support.rows import run

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SUCCESS, PARTIAL, FAILED = RunStatus.SUCCESS, RunStatus.PARTIAL, RunStatus.FAILED


def weeks_ago(*statuses: RunStatus, job_name: str = "weekly_refresh") -> list[Run]:
    return [
        run(NOW - timedelta(weeks=age), status, job_name=job_name)
        for age, status in enumerate(statuses, start=1)
    ]


def test_the_age_is_that_of_the_last_whole_success() -> None:
    gauges = run_gauges(weeks_ago(PARTIAL, SUCCESS), NOW)

    assert gauges["AgeOfLastSuccessHours"] == pytest.approx(2 * 7 * 24 - 1 / 60)


def test_an_age_that_nobody_measured_is_not_told() -> None:
    assert "AgeOfLastSuccessHours" not in run_gauges(weeks_ago(PARTIAL, FAILED), NOW)
    assert "AgeOfLastSuccessHours" not in run_gauges([], NOW)


@pytest.mark.parametrize(
    ("statuses", "in_a_row"),
    [
        ((SUCCESS,), 0),
        ((PARTIAL, SUCCESS), 1),
        ((FAILED, PARTIAL, SUCCESS, FAILED), 2),
        ((FAILED, FAILED), 2),
    ],
)
def test_bad_runs_count_from_the_newest_back_to_the_last_success(
    statuses: tuple[RunStatus, ...], in_a_row: int
) -> None:
    assert run_gauges(weeks_ago(*statuses), NOW)["BadRunsInARow"] == in_a_row


def test_a_seed_is_no_success_of_collecting_and_no_bad_run() -> None:
    gauges = run_gauges(weeks_ago(FAILED, job_name="seed_from_csv"), NOW)

    assert gauges == {"BadRunsInARow": 0, "FailedRuns": 0}


def test_a_run_that_still_runs_ends_no_row_of_bad_ones() -> None:
    assert run_gauges(weeks_ago(RunStatus.RUNNING, FAILED, PARTIAL), NOW)["BadRunsInARow"] == 2


def test_a_failure_counts_in_the_hour_after_it() -> None:
    def failed(ago: timedelta) -> float:
        return run_gauges([run(NOW - ago, FAILED)], NOW)["FailedRuns"]

    assert failed(timedelta(minutes=30)) == 1
    assert failed(timedelta(hours=2)) == 0

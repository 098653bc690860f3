from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from community_metrics.aws.telemetry import run_gauges
from community_metrics.model import Lease, Run, RunStatus
from community_metrics.series.freshness import last_success, run_health
from community_metrics.views.runs import Freshness
from tests.support.clock import NOON
from tests.support.rows import run

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SUCCESS, PARTIAL, FAILED, RUNNING = (
    RunStatus.SUCCESS,
    RunStatus.PARTIAL,
    RunStatus.FAILED,
    RunStatus.RUNNING,
)


def weeks_ago(*statuses: RunStatus, job_name: str = "weekly_refresh") -> list[Run]:
    return [
        run(NOW - timedelta(weeks=age), status, job_name=job_name)
        for age, status in enumerate(statuses, start=1)
    ]


def gauges_of(runs: list[Run], lease: Lease | None, now: datetime) -> dict[str, float]:
    return run_gauges(run_health(runs, lease, now), Freshness(now, last_success(runs), {}))


def test_the_age_is_that_of_the_last_whole_success() -> None:
    gauges = gauges_of(weeks_ago(PARTIAL, SUCCESS), None, NOW)

    assert gauges["AgeOfLastSuccessHours"] == pytest.approx(2 * 7 * 24 - 1 / 60)


def test_an_age_that_nobody_measured_is_not_told() -> None:
    assert "AgeOfLastSuccessHours" not in gauges_of(weeks_ago(PARTIAL, FAILED), None, NOW)
    assert "AgeOfLastSuccessHours" not in gauges_of([], None, NOW)


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
    assert gauges_of(weeks_ago(*statuses), None, NOW)["BadRunsInARow"] == in_a_row


def test_a_seed_is_no_success_of_collecting_and_no_bad_run() -> None:
    gauges = gauges_of(weeks_ago(FAILED, job_name="seed_from_csv"), None, NOW)

    assert gauges == {"BadRunsInARow": 0, "FailedRuns": 0, "StaleSources": 0}


def test_stale_sources_are_counted_whatever_the_runs_did() -> None:
    newest = {"npm": NOW.date() - timedelta(days=10), "crates": NOW.date() - timedelta(days=11), "x": None}
    gauges = run_gauges(run_health([], None, NOW), Freshness(NOW, None, newest))

    assert gauges["StaleSources"] == 1


def held(run_id: str, until: datetime) -> Lease:
    return Lease("database", run_id, "host", 1, until - timedelta(minutes=2), until)


def failed(run_: Run, lease: Lease | None = None) -> float:
    return gauges_of([run_], lease, NOW)["FailedRuns"]


def test_a_run_that_still_runs_ends_no_row_of_bad_ones() -> None:
    runs = [run(NOW - timedelta(minutes=5), RUNNING, run_id="live"), *weeks_ago(FAILED, PARTIAL)]

    assert gauges_of(runs, held("live", NOW + timedelta(minutes=1)), NOW)["BadRunsInARow"] == 2


def test_an_abandoned_run_is_a_bad_one() -> None:
    assert gauges_of(weeks_ago(RUNNING, PARTIAL, SUCCESS), None, NOW)["BadRunsInARow"] == 2


def test_a_run_that_began_after_the_lease_was_read_is_not_abandoned() -> None:
    gauges = gauges_of([run(NOW + timedelta(seconds=1), RUNNING)], None, NOW)

    assert gauges == {"BadRunsInARow": 0, "FailedRuns": 0, "StaleSources": 0}


@pytest.mark.parametrize(("minutes_ago", "counts"), [(1, 1), (30, 1), (60, 1), (70, 1), (120, 0)])
def test_a_failure_counts_until_the_next_look_however_late(minutes_ago: int, counts: int) -> None:
    assert failed(run(NOW - timedelta(minutes=minutes_ago), FAILED)) == counts


@pytest.mark.parametrize(("minutes_ago", "counts"), [(1, 1), (70, 1), (120, 0)])
def test_an_abandoned_run_failed_when_its_lease_ran_out(minutes_ago: int, counts: int) -> None:
    lease = held("run-1", NOW - timedelta(minutes=minutes_ago))

    assert failed(run(NOW - timedelta(hours=3), RUNNING), lease) == counts


def test_an_abandoned_run_failed_at_the_latest_when_the_next_one_began() -> None:
    later = run(NOW - timedelta(minutes=10), SUCCESS, run_id="run-2")
    gone = run(NOW - timedelta(hours=3), RUNNING)

    assert gauges_of([later, gone], held("run-2", NOW), NOW)["FailedRuns"] == 1


def test_the_age_of_a_success_in_the_future_is_zero() -> None:
    assert Freshness(NOON - timedelta(days=1), run(NOON), {}).age == timedelta(0)

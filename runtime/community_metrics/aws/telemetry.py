"""How runs ended, as gauges in CloudWatch, which the alarms of `infra/monitoring_stack.py` watch."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from community_metrics.errors import CommunityMetricsError
from community_metrics.model import RunStatus
from community_metrics.series.freshness import COLLECTING_JOBS, last_success, run_view
from community_metrics.storage import LanceDBReader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.model import Lease, Run

NAMESPACE: Final = "CommunityMetrics"
AGE_OF_LAST_SUCCESS_H: Final = "AgeOfLastSuccessHours"
FAILED_RUNS: Final = "FailedRuns"
BAD_RUNS_IN_A_ROW: Final = "BadRunsInARow"
_RUNS_READ: Final = 200
_LOOK_BACK: Final = timedelta(minutes=75)
"""The monitor runs every hour, and some minutes late after a retry, so that it misses no failure.

A failure that it counts twice keeps the alarm on for longer; the alarm notifies only of a change of state.
"""
_HOUR_S: Final = 3_600
_FAILED: Final = frozenset({RunStatus.FAILED.value, "abandoned"})


class TelemetryError(CommunityMetricsError):
    """CloudWatch rejected the gauges; the message has its reason."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """A collecting run that is over; for an abandoned one this is derived."""

    state: str
    at: datetime

    def failed_lately(self, now: datetime) -> bool:
        return self.state in _FAILED and now - self.at <= _LOOK_BACK


def run_gauges(runs: Sequence[Run], lease: Lease | None, now: datetime) -> dict[str, float]:
    """Return the gauges of these runs, newest first, by name; an abandoned run counts as a failed one.

    `now` is an instant before `lease` was read: a run that started later may hold another lease.

    The age is left out while no run has succeeded: the alarm treats missing data as breaching, and a number
    is never invented.
    """
    ended = _ended(runs, lease, now)
    bad = takewhile(lambda run: run.state != RunStatus.SUCCESS, ended)
    gauges = {
        FAILED_RUNS: float(sum(run.failed_lately(now) for run in ended)),
        BAD_RUNS_IN_A_ROW: float(len(list(bad))),
    }
    success = last_success(runs)
    if success is not None and success.finished_at is not None:
        gauges[AGE_OF_LAST_SUCCESS_H] = (now - success.finished_at).total_seconds() / _HOUR_S
    return gauges


async def report_gauges(settings: Settings, clock: Clock) -> dict[str, float]:
    """Measure, publish, and return what was published.

    Raises:
        StorageError: the database cannot be read, so that there are no gauges.
        TelemetryError: CloudWatch rejects the gauges or cannot be reached.
    """
    async with LanceDBReader.open(settings) as reader:
        gauges = await measured_gauges(reader, clock)
    await asyncio.to_thread(publish, gauges)
    return gauges


async def measured_gauges(reader: LanceDBReader, clock: Clock) -> dict[str, float]:
    """Return the gauges of the stored runs.

    Raises:
        StorageError: the database cannot be read, so that there are no gauges.
    """
    now = clock.now()
    lease = await reader.lease()  # before the runs: one that ends in between is read as closed
    return run_gauges(await reader.runs(limit=_RUNS_READ), lease, now)


def publish(gauges: Mapping[str, float]) -> None:
    """Put the gauges into our namespace, without dimensions: one deployment for an account and region.

    Raises:
        TelemetryError: CloudWatch rejects them or cannot be reached.
    """
    data = [{"MetricName": name, "Value": value} for name, value in gauges.items()]
    try:
        boto3.Session().client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
    except (BotoCoreError, ClientError) as error:
        raise TelemetryError(
            f"CloudWatch rejected the gauges: {error}. Fix: allow the role cloudwatch:PutMetricData "
            f"in the namespace {NAMESPACE}."
        ) from None


def _ended(runs: Sequence[Run], lease: Lease | None, now: datetime) -> list[_Ended]:
    """Return the collecting runs that are over, newest first."""
    ended = []
    for later, run in zip((None, *runs), runs, strict=False):
        state = run_view(run, lease, now).state
        if run.job_name in COLLECTING_JOBS and state != RunStatus.RUNNING and run.started_at <= now:
            ended.append(_Ended(state, run.finished_at or _given_up_at(run, lease, later)))
    return ended


def _given_up_at(run: Run, lease: Lease | None, later: Run | None) -> datetime:
    """Return when an abandoned run lost the database: when its lease expired, or the next run started."""
    if lease is not None and lease.run_id == run.ingestion_run_id:
        return max(lease.heartbeat_at, lease.expires_at)
    return run.started_at if later is None else later.started_at

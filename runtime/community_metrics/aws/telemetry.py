"""Gauges of the runs in CloudWatch, which the alarms of `infra/monitoring_stack.py` watch."""

from __future__ import annotations

import asyncio
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
_RECENT: Final = timedelta(minutes=75)
"""The monitor runs every hour, or minutes later after a retry; a longer period misses no failure.

A failure that is counted twice keeps its alarm up for longer; the alarm notifies once, when it rises.
"""
_HOUR_S: Final = 3_600
_FAILED: Final = frozenset({RunStatus.FAILED.value, "abandoned"})


class TelemetryError(CommunityMetricsError):
    """CloudWatch did not accept the gauges; the message has the reason."""


def run_gauges(runs: Sequence[Run], lease: Lease | None, now: datetime) -> dict[str, float]:
    """Return the gauges of these runs (newest first) by name; an abandoned run counts as failed.

    `now` must be before `lease` was read, because a run that starts later may hold a newer lease.

    The age is missing until a run has succeeded: the alarm treats missing data as a breach, and a value must
    not be invented.
    """
    ended = _ended(runs, lease, now)
    bad = takewhile(lambda state: state != RunStatus.SUCCESS, (state for state, _ in ended))
    gauges = {
        FAILED_RUNS: float(sum(state in _FAILED and now - at <= _RECENT for state, at in ended)),
        BAD_RUNS_IN_A_ROW: float(len(list(bad))),
    }
    success = last_success(runs)
    if success is not None and success.finished_at is not None:
        gauges[AGE_OF_LAST_SUCCESS_H] = (now - success.finished_at).total_seconds() / _HOUR_S
    return gauges


async def report_gauges(settings: Settings, clock: Clock) -> dict[str, float]:
    """Compute, publish and return the gauges.

    Raises:
        StorageError: the database cannot be read.
        TelemetryError: CloudWatch rejects the gauges or is unreachable.
    """
    async with LanceDBReader.open(settings) as reader:
        gauges = await measured_gauges(reader, clock)
    await asyncio.to_thread(publish, gauges)
    return gauges


async def measured_gauges(reader: LanceDBReader, clock: Clock) -> dict[str, float]:
    """Return the gauges of the stored runs.

    Raises:
        StorageError: the database cannot be read.
    """
    now = clock.now()
    lease = await reader.lease()  # before the runs, so that a run that ends in between is read as ended
    return run_gauges(await reader.runs(limit=_RUNS_READ), lease, now)


def publish(gauges: Mapping[str, float]) -> None:
    """Publish gauges in our namespace, without dimensions: an account and region has one deployment.

    Raises:
        TelemetryError: CloudWatch rejects them or is unreachable.
    """
    data = [{"MetricName": name, "Value": value} for name, value in gauges.items()]
    try:
        boto3.Session().client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
    except (BotoCoreError, ClientError) as error:
        raise TelemetryError(
            f"CloudWatch did not accept the gauges: {error}. Fix: allow the role cloudwatch:PutMetricData "
            f"in the namespace {NAMESPACE}."
        ) from None


def _ended(runs: Sequence[Run], lease: Lease | None, now: datetime) -> list[tuple[str, datetime]]:
    """Return the state and the end of the collecting runs that have ended, newest first."""
    ended = []
    for later, run in zip((None, *runs), runs, strict=False):
        state = run_view(run, lease, now).state
        if run.job_name in COLLECTING_JOBS and state != RunStatus.RUNNING and run.started_at <= now:
            ended.append((state, run.finished_at or _abandoned_at(run, lease, later)))
    return ended


def _abandoned_at(run: Run, lease: Lease | None, later: Run | None) -> datetime:
    """Return when an abandoned run lost the database: its lease expired, or the next run started."""
    if lease is not None and lease.run_id == run.ingestion_run_id:
        return max(lease.heartbeat_at, lease.expires_at)
    return run.started_at if later is None else later.started_at

"""How the collecting goes, as gauges in CloudWatch: what the alarms of `infra/monitoring_stack.py` watch."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from community_metrics.errors import CommunityMetricsError
from community_metrics.freshness import COLLECTING_JOBS, last_success
from community_metrics.model import RunStatus
from community_metrics.storage import LanceDBReader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from community_metrics.config import Settings
    from community_metrics.model import Run
    from community_metrics.weeks import Clock

NAMESPACE: Final = "CommunityMetrics"
AGE_OF_LAST_SUCCESS_H: Final = "AgeOfLastSuccessHours"
FAILED_RUNS: Final = "FailedRuns"
BAD_RUNS_IN_A_ROW: Final = "BadRunsInARow"
_RUNS_READ: Final = 200
_PERIOD: Final = timedelta(hours=1)
_HOUR_S: Final = 3_600


class TelemetryError(CommunityMetricsError):
    """CloudWatch did not take the gauges; the message has its reason."""


def run_gauges(runs: Sequence[Run], now: datetime) -> dict[str, float]:
    """Return the gauges of these runs, newest first, by name.

    The age is left out while nothing ever succeeded: the alarm takes missing data for trouble, and an
    invented age would be a number that nobody measured.
    """
    closed = [run for run in runs if run.job_name in COLLECTING_JOBS and run.finished_at is not None]
    bad = takewhile(lambda run: run.status is not RunStatus.SUCCESS, closed)
    gauges = {
        FAILED_RUNS: float(sum(_failed_lately(run, now) for run in closed)),
        BAD_RUNS_IN_A_ROW: float(len(list(bad))),
    }
    success = last_success(runs)
    if success is not None and success.finished_at is not None:
        gauges[AGE_OF_LAST_SUCCESS_H] = (now - success.finished_at).total_seconds() / _HOUR_S
    return gauges


async def report_gauges(settings: Settings, clock: Clock) -> dict[str, float]:
    """Measure, publish, and return what was published.

    Raises:
        StorageError: the database cannot be read, so that nothing is known.
        TelemetryError: CloudWatch refuses the gauges or cannot be reached.
    """
    async with LanceDBReader.open(settings) as reader:
        runs = await reader.runs(limit=_RUNS_READ)
    gauges = run_gauges(runs, clock.now())
    await asyncio.to_thread(publish, gauges)
    return gauges


def publish(gauges: Mapping[str, float]) -> None:
    """Put the gauges into our namespace, without dimensions: one deployment for an account and region.

    Raises:
        TelemetryError: CloudWatch refuses them or cannot be reached.
    """
    data = [{"MetricName": name, "Value": value} for name, value in gauges.items()]
    try:
        boto3.Session().client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
    except (BotoCoreError, ClientError) as error:
        raise TelemetryError(
            f"CloudWatch did not take the gauges: {error}. The role needs cloudwatch:PutMetricData "
            f"in the namespace {NAMESPACE}."
        ) from None


def _failed_lately(run: Run, now: datetime) -> bool:
    ended = run.finished_at
    return run.status is RunStatus.FAILED and ended is not None and now - ended <= _PERIOD

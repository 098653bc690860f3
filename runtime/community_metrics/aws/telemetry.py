"""How runs ended and how old the data are, as gauges that the alarms of `infra/monitoring_stack.py` watch."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import boto3
import structlog
from botocore.exceptions import BotoCoreError, ClientError

from community_metrics.catalog import load_catalog
from community_metrics.errors import CommunityMetricsError
from community_metrics.views.rows import read
from community_metrics.views.status import load_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.series.freshness import RunHealth
    from community_metrics.views.runs import Freshness

NAMESPACE: Final = "CommunityMetrics"
AGE_OF_LAST_SUCCESS_H: Final = "AgeOfLastSuccessHours"
FAILED_RUNS: Final = "FailedRuns"
BAD_RUNS_IN_A_ROW: Final = "BadRunsInARow"
STALE_SOURCES: Final = "StaleSources"
PUBLISHED_THROUGH_AGE_DAYS: Final = "PublishedThroughAgeDays"
HOURS_UNTIL_LOSS: Final = "HoursUntilLoss"
_log = structlog.get_logger("community_metrics.telemetry")


class TelemetryError(CommunityMetricsError):
    """CloudWatch rejected the gauges; the message has its reason."""


def run_gauges(health: RunHealth, freshness: Freshness) -> dict[str, float]:
    """Return the gauges of the collecting runs and the number of stale sources, by name.

    The age is left out while no run has succeeded: the alarm treats missing data as a failure, and an age
    would be a number that was never measured.
    """
    gauges = {
        FAILED_RUNS: float(health.failed_lately),
        BAD_RUNS_IN_A_ROW: float(health.bad_in_a_row),
        STALE_SOURCES: float(len(freshness.stale)),
    }
    if freshness.age is not None:
        gauges[AGE_OF_LAST_SUCCESS_H] = freshness.age / timedelta(hours=1)
    return gauges


async def data_gauges(settings: Settings, clock: Clock) -> dict[str, float]:
    """Return the gauges of the runs, of the slowest registry, and of the first loss.

    These are the days since its last published day, and the hours until a metric loses a value that should
    have been read by now. The hours are left out while no such value is known.

    Raises:
        StorageError: the database cannot be read.
        CatalogError: the catalogue cannot be used.
    """
    catalog, now = load_catalog(settings.catalog), clock.now()
    view, _ = await read(settings, lambda reader: load_status(reader, catalog, now))
    published = view.published_through
    _log.info("published through", **{source: f"{day}" for source, day in sorted(published.items())})
    gauges = run_gauges(view.health, view.freshness)
    if view.hours_until_loss is not None:
        gauges[HOURS_UNTIL_LOSS] = view.hours_until_loss
    if published:
        gauges[PUBLISHED_THROUGH_AGE_DAYS] = float(max(view.days_behind.values()))
    return gauges


async def publish_data_gauges(settings: Settings, clock: Clock) -> dict[str, float]:
    """Compute, publish and return the gauges.

    Raises:
        StorageError: the database cannot be read, so that there are no gauges.
        CatalogError: the catalogue cannot be used.
        TelemetryError: CloudWatch rejects the gauges or cannot be reached.
    """
    gauges = await data_gauges(settings, clock)
    await asyncio.to_thread(publish, gauges, settings.deployment_stage)
    return gauges


def namespace_of(stage: str) -> str:
    """Return the CloudWatch namespace of a stage; the role of a stage may write to no other."""
    return f"{NAMESPACE}/{stage}" if stage else NAMESPACE


def publish(gauges: Mapping[str, float], stage: str) -> None:
    """Publish gauges in the namespace of the stage, without dimensions.

    Raises:
        TelemetryError: CloudWatch rejects them or cannot be reached.
    """
    namespace = namespace_of(stage)
    data = [{"MetricName": name, "Value": value} for name, value in gauges.items()]
    try:
        boto3.Session().client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)
    except (BotoCoreError, ClientError) as error:
        raise TelemetryError(
            f"CloudWatch rejected the gauges: {error}. Fix: allow the role cloudwatch:PutMetricData "
            f"in the namespace {namespace}."
        ) from None

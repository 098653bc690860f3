"""Create CloudWatch alarms from specifications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions

from infra.names import PRODUCT, construct_id

if TYPE_CHECKING:
    from aws_cdk import aws_sns as sns
    from constructs import Construct

    from infra.names import Gauge
    from infra.settings import DeploymentSettings

AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD


@dataclass(frozen=True, slots=True)
class AlarmSpec:
    """One alarm: it rises after `periods` periods in a row at or beyond the threshold."""

    name: str
    description: str
    threshold: float
    comparison: cloudwatch.ComparisonOperator = AT_LEAST
    periods: int = 1
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING


def gauge(
    settings: DeploymentSettings, name: Gauge, statistic: str, period: Duration | None = None
) -> cloudwatch.Metric:
    """Return the CloudWatch metric of a gauge; the default period is one hour."""
    return cloudwatch.Metric(
        namespace=settings.metric_namespace,
        metric_name=str(name),
        statistic=statistic,
        period=period or Duration.hours(1),
    )


def add_alarm(
    scope: Construct,
    settings: DeploymentSettings,
    spec: AlarmSpec,
    metric: cloudwatch.IMetric,
    topic: sns.ITopic,
) -> cloudwatch.Alarm:
    """Create the alarm; it notifies the topic when it rises and when it ends."""
    alarm = cloudwatch.Alarm(
        scope,
        construct_id(spec.name),
        alarm_name=settings.named(f"{PRODUCT}-{spec.name}"),
        alarm_description=spec.description,
        metric=metric,
        threshold=spec.threshold,
        comparison_operator=spec.comparison,
        evaluation_periods=spec.periods,
        treat_missing_data=spec.missing,
    )
    action = actions.SnsAction(topic)
    alarm.add_alarm_action(action)
    alarm.add_ok_action(action)
    return alarm

"""The alarms on what EC2 measures about the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns

from infra import arns
from infra.alarms import AlarmSpec, add_alarm

if TYPE_CHECKING:
    from constructs import Construct

    from infra.settings import DeploymentSettings

STATUS_CHECK = AlarmSpec(
    "status-check",
    "EC2's status checks of the host fail, or the host is stopped. EC2 recovers it from faulty hardware by "
    "itself. If the alarm stays, reboot or replace the host as the runbook describes.",
    threshold=1,
    periods=5,
    missing=cloudwatch.TreatMissingData.BREACHING,
)
CPU_CREDITS = AlarmSpec(
    "cpu-credits",
    "The host has used 144 CPU credits more than it earned (2.4 hours of one CPU). AWS "
    "charges for those that it does not earn back.",
    threshold=144,
    periods=3,
)


def add_host_alarms(scope: Construct, settings: DeploymentSettings, instance_id: str) -> None:
    """Create the alarms on the status checks and, for a burstable instance, on its CPU credits."""
    topic = sns.Topic.from_topic_arn(scope, "Alarms", arns.topic_arn(scope, settings))
    # the maximum of the system's, the instance's and the disk's check
    checks = _metric("StatusCheckFailed", instance_id, Duration.minutes(1))
    add_alarm(scope, settings, STATUS_CHECK, checks, topic)
    if settings.is_burstable:
        surplus = _metric("CPUSurplusCreditBalance", instance_id, Duration.minutes(5))
        add_alarm(scope, settings, CPU_CREDITS, surplus, topic)


def _metric(name: str, instance_id: str, period: Duration) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/EC2",
        metric_name=name,
        dimensions_map={"InstanceId": instance_id},
        statistic="Maximum",
        period=period,
    )

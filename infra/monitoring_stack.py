"""The monitoring stack: alarm topic, log groups, alarms on our gauges, one dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs

from infra import arns
from infra.alarm_topic import AlarmTopic
from infra.alarms import BELOW, AlarmSpec, add_alarm, gauge
from infra.names import PRODUCT, Gauge, LogGroup

if TYPE_CHECKING:
    from constructs import Construct

    from infra.settings import DeploymentSettings

EIGHT_DAYS_H = 8 * 24
HOUR, FIVE_MINUTES = Duration.hours(1), Duration.minutes(5)

# (metric, statistic, alarm). The age is a gauge, because an alarm can evaluate at most seven days.
JOB_ALARMS = (
    (
        Gauge.AGE_OF_LAST_SUCCESS_H,
        "Maximum",
        AlarmSpec(
            "no-success",
            "No run succeeded for 8 days, or the monitor has stopped. See `community-metrics history`.",
            threshold=EIGHT_DAYS_H,
            periods=3,
            missing=cloudwatch.TreatMissingData.BREACHING,
        ),
    ),
    (
        Gauge.FAILED_RUNS,
        "Sum",
        AlarmSpec(
            "run-failed", "A run failed or was abandoned. See `community-metrics history`.", threshold=1
        ),
    ),
    (
        Gauge.BAD_RUNS_IN_A_ROW,
        "Maximum",
        AlarmSpec("bad-runs", "Two runs in a row were partial, failed or abandoned.", threshold=2),
    ),
    (
        Gauge.STALE_SOURCES,
        "Maximum",
        AlarmSpec(
            "stale-sources",
            "The newest day of a source is more than 10 days old. See `community-metrics status`.",
            threshold=1,
            periods=3,
        ),
    ),
    (
        Gauge.PUBLISHED_THROUGH_AGE_DAYS,
        "Maximum",
        AlarmSpec(
            "registry-stalled",
            "A registry has published no day for two weeks. See `community-metrics status`.",
            threshold=14,
            periods=3,
        ),
    ),
    (
        # without a value in danger there is no gauge; that the monitor has stopped is said by `no-success`
        Gauge.HOURS_UNTIL_LOSS,
        "Minimum",
        AlarmSpec(
            "loss-ahead",
            "Within 48 hours a source drops a value that was not read. See `community-metrics status`.",
            threshold=48,
            comparison=BELOW,
        ),
    ),
)
BACKUP_ALARMS = (
    (
        Gauge.BACKUP_AGE_H,
        "Maximum",
        AlarmSpec(
            "backup-age",
            "The newest backup is 8 days old, or there is none. See the runbook, `A backup is too old`.",
            threshold=EIGHT_DAYS_H,
            periods=3,
            missing=cloudwatch.TreatMissingData.BREACHING,
        ),
    ),
    (
        # once a month: until a drill succeeds, the alarm of the one that failed stays
        Gauge.RESTORE_FAILED,
        "Maximum",
        AlarmSpec(
            "restore-failed",
            "The newest backup could not be restored. See the runbook, `The restore drill failed`.",
            threshold=1,
            missing=cloudwatch.TreatMissingData.IGNORE,
        ),
    ),
)
HOST_ALARMS = (
    (
        Gauge.CERTIFICATE_LIFETIME_LEFT,
        "Minimum",
        AlarmSpec(
            "certificate",
            "Less than a quarter of the certificate's lifetime is left; renewal is due at a third.",
            threshold=25,
            comparison=BELOW,
            periods=3,
        ),
    ),
    (
        Gauge.DISK_USED,
        "Maximum",
        AlarmSpec("disk", "The host's disk is 85 % full.", threshold=85, periods=2),
    ),
    (
        Gauge.MEMORY_USED,
        "Maximum",
        AlarmSpec("memory", "The host uses 90 % of its memory.", threshold=90, periods=2),
    ),
)
# measured every five minutes by `cm-readiness`
READINESS_ALARMS = (
    (
        Gauge.READY,
        "Minimum",
        AlarmSpec(
            "not-ready",
            "For 10 minutes the host could not reach its storage or answer through nginx, or it is off.",
            threshold=1,
            comparison=BELOW,
            periods=2,
            missing=cloudwatch.TreatMissingData.BREACHING,
        ),
    ),
    (
        Gauge.SERVER_ERRORS,
        "Sum",
        AlarmSpec("server-errors", "The host returned 5 or more 5xx responses in 5 minutes.", threshold=5),
    ),
)


class MonitoringStack(Stack):
    """Creates the log groups, alarms and dashboard before anything runs."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploymentSettings, **stack: Any) -> None:
        super().__init__(scope, id_, **stack)
        self.topic = AlarmTopic(
            self, "Alarms", settings=settings, name=settings.named(arns.ALARM_TOPIC)
        ).topic
        self._build_log_groups(settings)
        self._build_alarms_and_dashboard(settings)

    def _build_log_groups(self, settings: DeploymentSettings) -> None:
        # of host and Lambda alike: a switch between them must not delete logs
        for group in LogGroup:
            logs.LogGroup(
                self,
                f"{group.name.title().replace('_', '')}Log",
                log_group_name=settings.named(group),
                retention=logs.RetentionDays.THREE_MONTHS,
                removal_policy=RemovalPolicy.DESTROY,
            )

    def _build_alarms_and_dashboard(self, settings: DeploymentSettings) -> None:
        hourly = JOB_ALARMS + (BACKUP_ALARMS if settings.backs_up else ())
        hourly += () if settings.serverless else HOST_ALARMS
        often = () if settings.serverless else READINESS_ALARMS
        alarms, graphs = [], []
        for period, entries in ((HOUR, hourly), (FIVE_MINUTES, often)):
            for name, statistic, spec in entries:
                metric = gauge(settings, name, statistic, period)
                alarms.append(add_alarm(self, settings, spec, metric, self.topic))
                graphs.append(cloudwatch.GraphWidget(title=spec.name, left=[metric], width=8))
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=settings.named(PRODUCT),
            widgets=[[cloudwatch.AlarmStatusWidget(alarms=alarms, width=24)], graphs],
        )

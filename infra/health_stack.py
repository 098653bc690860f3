"""The health stack: an external health check of the API, in us-east-1, where Route 53 publishes its metrics.

Names end in the deployment's region, because each deployment of an account has its own stack there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_sns as sns

from infra import arns
from infra.alarm_topic import AlarmTopic
from infra.alarms import BELOW, AlarmSpec, add_alarm
from infra.names import HEALTH_PATH, HEALTH_REGION, HEALTHY_BODY

if TYPE_CHECKING:
    from constructs import Construct

    from infra.settings import DeploymentSettings

INTERVAL_S = 30
FAILURES = 3
HTTPS = 443


class HealthStack(Stack):
    """Creates the health check and its alarm, and a topic unless the main one is in this region."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        **stack: Any,
    ) -> None:
        super().__init__(scope, id_, stack_name=f"{id_}-{settings.region}", **stack)
        topic = self._topic(settings)
        check = self._build_check(settings)
        metric = cloudwatch.Metric(
            namespace="AWS/Route53",
            metric_name="HealthCheckStatus",
            dimensions_map={"HealthCheckId": check.ref},
            statistic="Minimum",
            period=Duration.minutes(1),
        )
        spec = AlarmSpec(
            f"api-down-{settings.region}",
            f"https://{settings.api_host}{HEALTH_PATH} did not return {HEALTHY_BODY} for three minutes.",
            threshold=1,
            comparison=BELOW,
            periods=3,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )
        add_alarm(self, settings, spec, metric, topic)

    def _topic(self, settings: DeploymentSettings) -> sns.ITopic:
        # an alarm can only notify a topic of its own region
        if settings.region == HEALTH_REGION:
            return sns.Topic.from_topic_arn(self, "Alarms", arns.topic_arn(self, settings))
        name = f"{settings.named(arns.ALARM_TOPIC)}-{settings.region}"
        return AlarmTopic(self, "Alarms", settings=settings, name=name).topic

    def _build_check(self, settings: DeploymentSettings) -> route53.CfnHealthCheck:
        return route53.CfnHealthCheck(
            self,
            "Check",
            health_check_config=route53.CfnHealthCheck.HealthCheckConfigProperty(
                type="HTTPS_STR_MATCH",
                fully_qualified_domain_name=settings.api_host,
                port=HTTPS,
                resource_path=HEALTH_PATH,
                search_string=HEALTHY_BODY,
                request_interval=INTERVAL_S,
                failure_threshold=FAILURES,
                enable_sni=True,
            ),
        )

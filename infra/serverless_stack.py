"""The serverless stack: an HTTP API with its Lambda function, and scheduled jobs with theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_sns as sns

from infra import arns
from infra.alarms import AlarmSpec, add_alarm
from infra.functions import Function
from infra.http_api import PublicApi
from infra.names import LogGroup, Reader
from infra.network import FunctionNetwork
from infra.policies import api_policy, jobs_policy
from infra.schedule import JobSchedules

if TYPE_CHECKING:
    from aws_cdk import aws_sqs as sqs
    from constructs import Construct

    from infra.settings import DeploymentSettings


class ServerlessStack(Stack):
    """Serves the API and runs the jobs in Lambda, instead of on the host."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploymentSettings, **stack: Any) -> None:
        super().__init__(scope, id_, **stack)
        self._settings = settings
        self._network = FunctionNetwork(self, "Network", settings=settings) if settings.is_private else None
        self._topic = sns.Topic.from_topic_arn(self, "Alarms", arns.topic_arn(self, settings))
        api = self._build_function("Api", Reader.API, api_policy(self, settings))
        jobs = self._build_function("Jobs", Reader.JOBS, jobs_policy(self, settings))
        public = PublicApi(self, "Public", settings=settings, function=api.function)
        schedules = JobSchedules(self, "Schedules", settings=settings, function=jobs.function)
        self._watch_api(public.api)
        self._watch_jobs(jobs, schedules.dead_letters)
        self.ipv6_address = None
        self.record_target = route53.RecordTarget.from_alias(
            targets.ApiGatewayv2DomainProperties(
                public.domain.regional_domain_name, public.domain.regional_hosted_zone_id
            )
        )
        CfnOutput(self, "ApiUrl", value=f"https://{settings.api_host}")

    def _build_function(self, id_: str, reader: Reader, policy: list[iam.PolicyStatement]) -> Function:
        groups = {Reader.API: LogGroup.LAMBDA_API, Reader.JOBS: LogGroup.LAMBDA_JOBS}
        return Function(
            self,
            id_,
            settings=self._settings,
            reader=reader,
            policy=policy,
            log_group=groups[reader],
            network=self._network,
        )

    def _watch_api(self, api: gateway.HttpApi) -> None:
        # an unhandled error is a 500 response, which Lambda counts as a success
        metric = api.metric_server_error(period=Duration.minutes(5), statistic="Sum")
        spec = AlarmSpec("api-errors", "The API returned 5xx five times in five minutes.", threshold=5)
        add_alarm(self, self._settings, spec, metric, self._topic)

    def _watch_jobs(self, jobs: Function, dead_letters: sqs.Queue) -> None:
        errors: cloudwatch.IMetric = jobs.function.metric_errors(period=Duration.hours(1), statistic="Sum")
        add_alarm(
            self,
            self._settings,
            AlarmSpec("job-error", "The jobs function failed.", threshold=1),
            errors,
            self._topic,
        )
        waiting = dead_letters.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(5), statistic="Maximum"
        )
        spec = AlarmSpec("dead-letters", "A scheduled job failed after all retries.", threshold=1)
        add_alarm(self, self._settings, spec, waiting, self._topic)

"""The SNS topic that alarms notify, and its subscriber."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

if TYPE_CHECKING:
    from infra.settings import DeploymentSettings


class AlarmTopic(Construct):
    """Sends the alarms of one region to the e-mail address in the settings."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploymentSettings, name: str) -> None:
        super().__init__(scope, id_)
        self.topic = sns.Topic(self, "Topic", topic_name=name, enforce_ssl=True)
        self.topic.add_subscription(subscriptions.EmailSubscription(settings.alarm_email))
        self.topic.add_to_resource_policy(self._alarms_may_publish())

    def _alarms_may_publish(self) -> iam.PolicyStatement:
        # a custom topic policy replaces the default one, which allows this account's alarms to publish
        return iam.PolicyStatement(
            sid="AlarmsMayPublish",
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[self.topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
        )

"""Findings of cdk-nag and of CloudFormation's own checks that stay as they are, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Acknowledgment, App, Validations

from infra.names import CERTIFICATES_PREFIX, DATA_PREFIX, HOST_LOG_GROUPS, PRODUCT, LogGroup, StackName

if TYPE_CHECKING:
    from infra.settings import DeploymentSettings

_METRICS_REASON = "PutMetricData knows no resources; a condition binds it to our namespace."
_STREAMS_REASON = "Log streams are named by what writes them; the group is ours alone."
_OBJECTS_REASON = "Every object under the database's prefix is the role's work; other prefixes are not."


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that one stack may break, and why that is right."""

    stack: StackName
    rule: str
    reason: str


def findings(settings: DeploymentSettings) -> tuple[Finding, ...]:
    """Return what a deployment with these settings acknowledges, and nothing that it does not have."""
    if settings.awaits_image:
        return tuple(_always())
    own = _serverless(settings) if settings.serverless else _host(settings)
    return (*_always(), *own)


def acknowledge(app: App, settings: DeploymentSettings) -> None:
    """Acknowledge each finding on its stack only."""
    for finding in findings(settings):
        stack = app.node.find_child(finding.stack)
        Validations.of(stack).acknowledge(Acknowledgment(id=finding.rule, reason=finding.reason))


def _always() -> list[Finding]:
    return [
        Finding(
            StackName.SECRETS,
            "AwsSolutions-SMG4",
            "LanceDB and GitHub issue these keys; only their owner can rotate them. The runbook says how.",
        ),
        Finding(
            StackName.STORAGE,
            "AwsSolutions-S1",
            "One role reads and writes these private buckets; an access log would need a bucket of its own.",
        ),
    ]


def _host(settings: DeploymentSettings) -> list[Finding]:
    stack = StackName.HOST
    return [
        Finding(
            stack, "AwsSolutions-VPC7", "One host, whose nginx logs each request; a flow log repeats it."
        ),
        Finding(stack, "AwsSolutions-EC23", "A public API: 443 and 80 are open to the world on purpose."),
        Finding(
            stack, "AwsSolutions-EC28", "Our own gauges watch the host; CPU credits come every 5 minutes."
        ),
        Finding(
            stack, "AwsSolutions-EC29", "Termination protection would forbid the replacement of the box."
        ),
        Finding(
            stack, "CloudFormation-Validate::W9010", "The image is pinned: `latest` would replace the box."
        ),
        _iam(stack, "*", _METRICS_REASON),
        _iam(
            stack,
            f"arn:aws:s3:::{_bucket('certificates', settings)}/{CERTIFICATES_PREFIX}/*",
            "The host keeps its certificates, and their names follow from the CA; other prefixes are closed.",
        ),
        *(_iam(stack, _streams(group, settings), _STREAMS_REASON) for group in HOST_LOG_GROUPS),
        *_data(stack, settings),
    ]


def _serverless(settings: DeploymentSettings) -> list[Finding]:
    stack = StackName.SERVERLESS
    groups = (LogGroup.LAMBDA_API, LogGroup.LAMBDA_JOBS)
    return [
        Finding(
            stack, "AwsSolutions-APIG4", "Reading is public; where tokens are set, the application asks."
        ),
        Finding(stack, "AwsSolutions-SQS3", "This is the dead-letter queue."),
        _iam(stack, "*", _METRICS_REASON),
        *(_iam(stack, _streams(group, settings), _STREAMS_REASON) for group in groups),
        *_data(stack, settings),
    ]


def _data(stack: StackName, settings: DeploymentSettings) -> list[Finding]:
    if settings.storage != "s3":
        return []
    return [_iam(stack, f"arn:aws:s3:::{_bucket('data', settings)}/{DATA_PREFIX}/*", _OBJECTS_REASON)]


def _iam(stack: StackName, resource: str, reason: str) -> Finding:
    return Finding(stack, f"AwsSolutions-IAM5[Resource::{resource}]", reason)


def _streams(group: LogGroup, settings: DeploymentSettings) -> str:
    return f"arn:aws:logs:{settings.region}:<AWS::AccountId>:log-group:{group}:*"


def _bucket(purpose: str, settings: DeploymentSettings) -> str:
    return f"{PRODUCT}-{purpose}-<AWS::AccountId>-{settings.region}"

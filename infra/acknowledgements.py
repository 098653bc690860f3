"""Findings of cdk-nag and of CloudFormation's checks that are acknowledged, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Acknowledgment, App, Validations

from infra.arns import bucket_name, stack_names
from infra.names import BACKUP_PREFIX, CERTIFICATES_PREFIX, DATA_PREFIX, HOST_LOG_GROUPS, LogGroup, StackName

if TYPE_CHECKING:
    from infra.settings import DeploymentSettings

_METRICS_REASON = "PutMetricData has no resource types; a condition limits it to our namespace."
_SESSIONS_REASON = " The permissions that AWS documents as the minimum for sessions have no resource either."
_METRICS_AND_NETWORK_REASON = f"{_METRICS_REASON} Interfaces that Lambda will create have no ARN yet."
_STREAMS_REASON = "Writers name their own log streams; the log group is used by this deployment only."
_OBJECTS_REASON = "The role reads and writes every object under the database's prefix, and no other prefix."
_BACKUPS_REASON = "Each backup has keys of its own below this prefix: one role adds them, one reads them."
_TEMPLATES_REASON = "A pull request compares the templates of our stacks; a stack's ARN ends in a random id."


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that one stack does not follow, and the reason."""

    stack: StackName
    rule: str
    reason: str


def findings(settings: DeploymentSettings) -> tuple[Finding, ...]:
    """Return the findings of a deployment with these settings, and no others."""
    common = [*_always(), *_pipeline(settings)]
    if settings.awaits_image:
        return tuple(common)
    others = _serverless(settings) if settings.serverless else _host(settings)
    return (*common, *others)


def acknowledge(app: App, settings: DeploymentSettings) -> None:
    """Acknowledge each finding on its stack."""
    for finding in findings(settings):
        stack = app.node.find_child(settings.named(finding.stack))
        Validations.of(stack).acknowledge(Acknowledgment(id=finding.rule, reason=finding.reason))


def _always() -> list[Finding]:
    return [
        Finding(
            StackName.SECRETS,
            "AwsSolutions-SMG4",
            "LanceDB and GitHub issue these keys; their owner rotates them as the runbook describes.",
        ),
        Finding(
            StackName.STORAGE,
            "AwsSolutions-S1",
            "Our roles alone use these private buckets; an access log would need another bucket.",
        ),
    ]


def _pipeline(settings: DeploymentSettings) -> list[Finding]:
    if settings.github_repository is None:
        return []
    stacks = (
        f"arn:aws:cloudformation:{region}:<AWS::AccountId>:stack/{name}/*"
        for region, name in stack_names(settings)
    )
    return [
        _iam(StackName.PIPELINE, "*", "GetAuthorizationToken has no resource types."),
        *(_iam(StackName.PIPELINE, stack, _TEMPLATES_REASON) for stack in stacks),
    ]


def _host(settings: DeploymentSettings) -> list[Finding]:
    stack = StackName.HOST
    return [
        *_network(stack, settings, "One host, and nginx logs each request; a flow log repeats it."),
        Finding(stack, "AwsSolutions-EC23", "A public API: ports 443 and 80 are open on purpose."),
        Finding(stack, "AwsSolutions-EC28", "Custom metrics and five-minute CPU credits monitor the host."),
        Finding(stack, "AwsSolutions-EC29", "Termination protection would block replacing the instance."),
        Finding(stack, "CloudFormation-Validate::W9010", "Pinned: `latest` would replace the instance."),
        _iam(stack, "*", _METRICS_REASON + _SESSIONS_REASON),
        _iam(
            stack,
            f"arn:aws:s3:::{_bucket('tls', settings)}/{CERTIFICATES_PREFIX}/*",
            "The host stores its certificates under this prefix, and may use no other prefix.",
        ),
        *(_iam(stack, _streams(group, settings), _STREAMS_REASON) for group in HOST_LOG_GROUPS),
        *_data(stack, settings),
        *_backups(stack, settings),
    ]


def _serverless(settings: DeploymentSettings) -> list[Finding]:
    stack = StackName.SERVERLESS
    groups = (LogGroup.LAMBDA_API, LogGroup.LAMBDA_JOBS)
    return [
        Finding(stack, "AwsSolutions-APIG4", "Reads are public, or the application checks bearer tokens."),
        Finding(stack, "AwsSolutions-SQS3", "This is the dead-letter queue."),
        _iam(stack, "*", _METRICS_AND_NETWORK_REASON if settings.is_private else _METRICS_REASON),
        *_network(stack, settings, "Nothing can come in, and HTTPS goes out to AWS, registries, LanceDB."),
        *(_iam(stack, _streams(group, settings), _STREAMS_REASON) for group in groups),
        *_data(stack, settings),
        *_backups(stack, settings),
    ]


def _network(stack: StackName, settings: DeploymentSettings, reason: str) -> list[Finding]:
    if settings.vpc_id is not None:
        rule = "Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId"
        return [
            Finding(stack, rule, "The routes of the user's subnets are the user's; nothing here adds one.")
        ]
    has_none = settings.serverless and not settings.is_private
    return [] if has_none else [Finding(stack, "AwsSolutions-VPC7", reason)]


def _data(stack: StackName, settings: DeploymentSettings) -> list[Finding]:
    if settings.storage != "s3":
        return []
    return [_iam(stack, f"arn:aws:s3:::{_bucket('data', settings)}/{DATA_PREFIX}/*", _OBJECTS_REASON)]


def _backups(stack: StackName, settings: DeploymentSettings) -> list[Finding]:
    if not settings.backs_up:
        return []
    return [_iam(stack, f"arn:aws:s3:::{_bucket('bkup', settings)}/{BACKUP_PREFIX}/*", _BACKUPS_REASON)]


def _iam(stack: StackName, resource: str, reason: str) -> Finding:
    return Finding(stack, f"AwsSolutions-IAM5[Resource::{resource}]", reason)


def _streams(group: LogGroup, settings: DeploymentSettings) -> str:
    return f"arn:aws:logs:{settings.region}:<AWS::AccountId>:log-group:{settings.named(group)}:*"


def _bucket(purpose: str, settings: DeploymentSettings) -> str:
    return bucket_name(settings, purpose, "<AWS::AccountId>", settings.region)

"""The complete IAM policy of each role; `tests/infra/test_policies.py` compares every statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import DefaultStackSynthesizer, Stack
from aws_cdk import aws_iam as iam

from infra import arns
from infra.names import (
    CERTIFICATES_PREFIX,
    DATA_PREFIX,
    HEALTH_REGION,
    HOST_LOG_GROUPS,
    METRIC_NAMESPACE,
    LogGroup,
    Reader,
    secrets_for,
)

if TYPE_CHECKING:
    from constructs import Construct

    from infra.settings import DeploymentSettings

# the CDK CLI uploads files with one, deploys with the other, and reads the deployed state with the third
BOOTSTRAP_ROLES = ("deploy", "file-publishing", "lookup")
PUSH_ACTIONS = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeRepositories",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
]


def host_policy(
    scope: Construct, settings: DeploymentSettings, release_arn: str
) -> list[iam.PolicyStatement]:
    """Return the policy of the instance: boot, serve the API, run the jobs, report metrics."""
    return [
        _read_secrets(scope, settings, None),
        _allow("ReadRelease", ["s3:GetObject"], [release_arn]),
        _allow("StoreCertificates", ["s3:GetObject", "s3:PutObject"], [arns.certificate_objects(scope)]),
        _list("ListCertificates", arns.certificates_bucket(scope), f"{CERTIFICATES_PREFIX}/*"),
        _write_logs(scope, *HOST_LOG_GROUPS),
        _put_metrics(),
        _allow("Notify", ["sns:Publish"], [arns.topic_arn(scope)]),
        _allow("SignalBoot", ["cloudformation:SignalResource"], [Stack.of(scope).stack_id]),
        *_use_data(scope, settings, write=True),
    ]


def api_policy(scope: Construct, settings: DeploymentSettings) -> list[iam.PolicyStatement]:
    """Return the policy of the API function: read only."""
    return [
        _read_secrets(scope, settings, Reader.API),
        _write_logs(scope, LogGroup.LAMBDA_API),
        *_use_data(scope, settings, write=False),
    ]


def jobs_policy(scope: Construct, settings: DeploymentSettings) -> list[iam.PolicyStatement]:
    """Return the policy of the jobs function: write the database, publish metrics."""
    return [
        _read_secrets(scope, settings, Reader.JOBS),
        _write_logs(scope, LogGroup.LAMBDA_JOBS),
        _put_metrics(),
        _allow("SendDeadLetters", ["sqs:SendMessage"], [arns.dead_letters_arn(scope)]),
        *_use_data(scope, settings, write=True),
    ]


def deploy_policy(scope: Construct, settings: DeploymentSettings) -> list[iam.PolicyStatement]:
    """Return the policy of the pipeline's deploy role: use the CDK's roles, push the Lambda image."""
    return [
        _allow("UseBootstrapRoles", ["sts:AssumeRole"], _bootstrap_roles(scope, settings)),
        # GetAuthorizationToken has no resource types
        _allow("LogInToRegistry", ["ecr:GetAuthorizationToken"], ["*"]),
        _allow("PushImages", PUSH_ACTIONS, [arns.image_repository(scope)]),
    ]


def review_policy(scope: Construct) -> list[iam.PolicyStatement]:
    """Return the policy of the pipeline's review role: read the templates of our stacks, and nothing else."""
    return [
        _allow(
            "ReadTemplates",
            ["cloudformation:DescribeStacks", "cloudformation:GetTemplate"],
            arns.stacks(scope),
        )
    ]


def _bootstrap_roles(scope: Construct, settings: DeploymentSettings) -> list[str]:
    account = Stack.of(scope).account
    return [
        f"arn:aws:iam::{account}:role/cdk-{DefaultStackSynthesizer.DEFAULT_QUALIFIER}-{purpose}-role-{account}-{region}"
        for region in sorted({settings.region, HEALTH_REGION})
        for purpose in BOOTSTRAP_ROLES
    ]


def _read_secrets(
    scope: Construct, settings: DeploymentSettings, reader: Reader | None
) -> iam.PolicyStatement:
    entries = secrets_for(settings.storage, reader)
    return _allow("ReadSecrets", ["secretsmanager:GetSecretValue"], arns.secret_arns(scope, entries))


def _write_logs(scope: Construct, *groups: LogGroup) -> iam.PolicyStatement:
    return _allow(
        "WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], arns.log_stream_arns(scope, groups)
    )


def _put_metrics() -> iam.PolicyStatement:
    # PutMetricData has no resource types; only the namespace can limit it
    return _allow(
        "PutMetrics",
        ["cloudwatch:PutMetricData"],
        ["*"],
        {"StringEquals": {"cloudwatch:namespace": METRIC_NAMESPACE}},
    )


def _use_data(scope: Construct, settings: DeploymentSettings, *, write: bool) -> list[iam.PolicyStatement]:
    if settings.storage != "s3":
        return []
    actions = ["s3:GetObject"]
    if write:
        actions += ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    return [
        _allow("UseData", actions, [arns.data_objects(scope)]),
        _list("ListData", arns.data_bucket(scope), DATA_PREFIX, f"{DATA_PREFIX}/*"),
    ]


def _list(sid: str, bucket: str, *prefixes: str) -> iam.PolicyStatement:
    return _allow(
        sid, ["s3:ListBucket"], [arns.bucket_arn(bucket)], {"StringLike": {"s3:prefix": list(prefixes)}}
    )


def _allow(
    sid: str, actions: list[str], resources: list[str], conditions: dict[str, dict[str, object]] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=actions, resources=resources, conditions=conditions)

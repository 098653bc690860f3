"""The complete IAM policy of each role; `tests/infra/test_policies.py` compares every statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import DefaultStackSynthesizer, Stack
from aws_cdk import aws_iam as iam

from infra import arns
from infra.names import (
    BACKUP_PREFIX,
    CERTIFICATES_PREFIX,
    DATA_PREFIX,
    FUNCTIONS,
    HEALTH_REGION,
    HOST_LOG_GROUPS,
    LogGroup,
    Reader,
    secrets_for,
)

if TYPE_CHECKING:
    from constructs import Construct

    from infra.settings import DeploymentSettings

# what Lambda does with the role of a function in a VPC
NETWORK_ACTIONS = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
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
        _read_secrets(scope, settings),
        _allow("ReadRelease", ["s3:GetObject"], [release_arn]),
        _allow(
            "StoreCertificates", ["s3:GetObject", "s3:PutObject"], [arns.certificate_objects(scope, settings)]
        ),
        _list("ListCertificates", arns.certificates_bucket(scope, settings), f"{CERTIFICATES_PREFIX}/*"),
        _write_logs(scope, settings, *HOST_LOG_GROUPS),
        _put_metrics(settings),
        _allow("Notify", ["sns:Publish"], [arns.topic_arn(scope, settings)]),
        _allow("SignalBoot", ["cloudformation:SignalResource"], [Stack.of(scope).stack_id]),
        *_send_mail(scope, settings),
        *([_open_sessions()] if settings.session_manager else []),
        *_use_data(scope, settings, write=True),
        *_write_backups(scope, settings),
    ]


def api_policy(scope: Construct, settings: DeploymentSettings) -> list[iam.PolicyStatement]:
    """Return the policy of the API function: read only."""
    return [
        _read_secrets(scope, settings, *FUNCTIONS[Reader.API]),
        _write_logs(scope, settings, LogGroup.LAMBDA_API),
        *_use_network(scope, settings, Reader.API),
        *_use_data(scope, settings, write=False),
    ]


def jobs_policy(scope: Construct, settings: DeploymentSettings) -> list[iam.PolicyStatement]:
    """Return the policy of the jobs function: write the database, publish metrics."""
    return [
        _read_secrets(scope, settings, *FUNCTIONS[Reader.JOBS]),
        _write_logs(scope, settings, LogGroup.LAMBDA_JOBS),
        _put_metrics(settings),
        _allow("SendDeadLetters", ["sqs:SendMessage"], [arns.dead_letters_arn(scope, settings)]),
        *_send_mail(scope, settings),
        *_use_network(scope, settings, Reader.JOBS),
        *_use_data(scope, settings, write=True),
        *_write_backups(scope, settings),
    ]


def backup_reader_policy(scope: Construct, settings: DeploymentSettings) -> list[iam.PolicyStatement]:
    """Return the policy of the role that reads backups: for the restore drill, a restore, and the monitor.

    It is a role of its own, so that what writes backups does not read them by mistake, and so that CloudTrail
    has each reading. The writer can assume it: who takes the host over can read backups, as it can the
    database. Neither role can delete one.
    """
    return [
        _allow("ReadBackups", ["s3:GetObject"], [arns.backup_objects(scope, settings)]),
        _list("ListBackups", arns.backup_bucket(scope, settings), f"{BACKUP_PREFIX}/*"),
    ]


def deploy_policy(scope: Construct, settings: DeploymentSettings) -> list[iam.PolicyStatement]:
    """Return the policy of the pipeline's deploy role: use the CDK's roles, push the Lambda image."""
    return [
        _allow("UseBootstrapRoles", ["sts:AssumeRole"], _bootstrap_roles(scope, settings)),
        # GetAuthorizationToken has no resource types
        _allow("LogInToRegistry", ["ecr:GetAuthorizationToken"], ["*"]),
        _allow("PushImages", PUSH_ACTIONS, [arns.image_repository(scope, settings)]),
    ]


def review_policy(scope: Construct, settings: DeploymentSettings) -> list[iam.PolicyStatement]:
    """Return the policy of the pipeline's review role: read the templates of our stacks, and nothing else."""
    return [
        _allow(
            "ReadTemplates",
            ["cloudformation:DescribeStacks", "cloudformation:GetTemplate"],
            arns.stacks(scope, settings),
        )
    ]


def _bootstrap_roles(scope: Construct, settings: DeploymentSettings) -> list[str]:
    account = Stack.of(scope).account
    return [
        f"arn:aws:iam::{account}:role/cdk-{DefaultStackSynthesizer.DEFAULT_QUALIFIER}-{purpose}-role-{account}-{region}"
        for region in sorted({settings.region, HEALTH_REGION})
        for purpose in BOOTSTRAP_ROLES
    ]


def _read_secrets(scope: Construct, settings: DeploymentSettings, *readers: Reader) -> iam.PolicyStatement:
    entries = secrets_for(settings.storage, *readers, delivery=settings.delivers)
    return _allow(
        "ReadSecrets", ["secretsmanager:GetSecretValue"], arns.secret_arns(scope, settings, entries)
    )


def _send_mail(scope: Construct, settings: DeploymentSettings) -> list[iam.PolicyStatement]:
    """Allow mail from the one identity of SES; with a domain, from any address at exactly this domain."""
    identity = settings.mail_identity
    if identity is None:
        return []
    # SES checks SendRawEmail too, because a message with parts is sent raw
    actions = ["ses:SendEmail", "ses:SendRawEmail"]
    sender: dict[str, dict[str, object]] = {"StringEquals": {"ses:FromAddress": identity}}
    if "@" not in identity:
        sender = {"StringLike": {"ses:FromAddress": f"*@{identity}"}}
    return [_allow("SendMail", actions, [arns.mail_identity(scope, identity)], sender)]


def _write_logs(scope: Construct, settings: DeploymentSettings, *groups: LogGroup) -> iam.PolicyStatement:
    return _allow(
        "WriteLogs",
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        arns.log_stream_arns(scope, settings, groups),
    )


def _put_metrics(settings: DeploymentSettings) -> iam.PolicyStatement:
    # PutMetricData has no resource types; only the namespace can limit it
    return _allow(
        "PutMetrics",
        ["cloudwatch:PutMetricData"],
        ["*"],
        {"StringEquals": {"cloudwatch:namespace": settings.metric_namespace}},
    )


def _open_sessions() -> iam.PolicyStatement:
    # what the agent needs for sessions, and nothing for Run Command; the ssmmessages actions have no resource
    # types, and AWS documents UpdateInstanceInformation with "*" too
    actions = [
        f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")
    ]
    return _allow("OpenSessions", ["ssm:UpdateInstanceInformation", *actions], ["*"])


def _use_network(scope: Construct, settings: DeploymentSettings, reader: Reader) -> list[iam.PolicyStatement]:
    """Let Lambda connect the function to the VPC, as its documentation lists, and deny that to the code."""
    if not settings.is_private:
        return []
    # the Describe actions have no resource types; an interface that does not exist yet has no ARN to name
    code = {"ArnEquals": {"lambda:SourceFunctionArn": arns.function_arn(scope, settings, reader)}}
    return [
        _allow("UseNetwork", list(NETWORK_ACTIONS), ["*"]),
        iam.PolicyStatement(
            sid="DenyNetworkToCode",
            effect=iam.Effect.DENY,
            actions=list(NETWORK_ACTIONS),
            resources=["*"],
            conditions=code,
        ),
    ]


def _use_data(scope: Construct, settings: DeploymentSettings, *, write: bool) -> list[iam.PolicyStatement]:
    if settings.storage != "s3":
        return []
    actions = ["s3:GetObject"]
    if write:
        actions += ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    return [
        _allow("UseData", actions, [arns.data_objects(scope, settings)]),
        _list("ListData", arns.data_bucket(scope, settings), DATA_PREFIX, f"{DATA_PREFIX}/*"),
    ]


def _write_backups(scope: Construct, settings: DeploymentSettings) -> list[iam.PolicyStatement]:
    """Allow to add backups and nothing else; the bucket's lifecycle ends what is left of a failed upload."""
    if not settings.backs_up:
        return []
    return [_allow("WriteBackups", ["s3:PutObject"], [arns.backup_objects(scope, settings)])]


def _list(sid: str, bucket: str, *prefixes: str) -> iam.PolicyStatement:
    return _allow(
        sid, ["s3:ListBucket"], [arns.bucket_arn(bucket)], {"StringLike": {"s3:prefix": list(prefixes)}}
    )


def _allow(
    sid: str, actions: list[str], resources: list[str], conditions: dict[str, dict[str, object]] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=actions, resources=resources, conditions=conditions)

"""ARNs of resources with a fixed name.

Stacks refer to each other's resources by name instead of importing them: CloudFormation does not change an
export that a deployed stack still imports, which would block the switch between host and Lambda.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Stack

from infra.names import (
    BACKUP_PREFIX,
    CERTIFICATES_PREFIX,
    DATA_PREFIX,
    FUNCTIONS,
    HEALTH_REGION,
    IMAGE_REPOSITORY,
    PRODUCT,
    LogGroup,
    Reader,
    SecretEntry,
    StackName,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs import Construct

    from infra.settings import DeploymentSettings


ALARM_TOPIC = f"{PRODUCT}-alarms"
DEAD_LETTERS = f"{PRODUCT}-dead-letters"


def secret_arns(scope: Construct, settings: DeploymentSettings, entries: Iterable[SecretEntry]) -> list[str]:
    """Return the ARN pattern of each secret; Secrets Manager appends six random characters."""
    return [
        Stack.of(scope).format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{settings.named(entry.name)}-??????",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        for entry in entries
    ]


def log_stream_arns(scope: Construct, settings: DeploymentSettings, groups: Iterable[LogGroup]) -> list[str]:
    """Return the ARN pattern of every stream of each log group."""
    return [
        Stack.of(scope).format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"{settings.named(group)}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        for group in groups
    ]


def topic_arn(scope: Construct, settings: DeploymentSettings) -> str:
    """Return the ARN of the alarm topic in the region of `scope`."""
    return Stack.of(scope).format_arn(service="sns", resource=settings.named(ALARM_TOPIC))


def dead_letters_arn(scope: Construct, settings: DeploymentSettings) -> str:
    """Return the ARN of the dead-letter queue of the jobs function."""
    return Stack.of(scope).format_arn(service="sqs", resource=settings.named(DEAD_LETTERS))


def function_name(settings: DeploymentSettings, reader: Reader) -> str:
    """Return the name of the function that runs the API or the jobs."""
    return settings.named(f"{PRODUCT}-{reader}")


def function_arn(scope: Construct, settings: DeploymentSettings, reader: Reader) -> str:
    """Return the ARN of the function that runs the API or the jobs."""
    return Stack.of(scope).format_arn(
        service="lambda",
        resource="function",
        resource_name=function_name(settings, reader),
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def mail_identity(scope: Construct, identity: str) -> str:
    """Return the ARN of an identity of SES, an address or a domain, in the region of `scope`."""
    return Stack.of(scope).format_arn(service="ses", resource="identity", resource_name=identity)


def certificates_bucket(scope: Construct, settings: DeploymentSettings) -> str:
    """Return the name of the bucket that holds the certificate across replacements of the host."""
    return _bucket(scope, settings, "tls")


def data_bucket(scope: Construct, settings: DeploymentSettings) -> str:
    """Return the name of the bucket that holds the database with `storage = "s3"`."""
    return _bucket(scope, settings, "data")


def backup_bucket(scope: Construct, settings: DeploymentSettings) -> str:
    """Return the name of the bucket that holds the backups."""
    # four letters, like `data`: with the longest stage and region the name has 63 characters, S3's limit
    return _bucket(scope, settings, "bkup")


def certificate_objects(scope: Construct, settings: DeploymentSettings) -> str:
    """Return the ARN pattern of the objects under the certificate prefix."""
    return f"{bucket_arn(certificates_bucket(scope, settings))}/{CERTIFICATES_PREFIX}/*"


def data_objects(scope: Construct, settings: DeploymentSettings) -> str:
    """Return the ARN pattern of the objects under the database's prefix."""
    return f"{bucket_arn(data_bucket(scope, settings))}/{DATA_PREFIX}/*"


def backup_objects(scope: Construct, settings: DeploymentSettings) -> str:
    """Return the ARN pattern of the objects under the prefix of the backups."""
    return f"{bucket_arn(backup_bucket(scope, settings))}/{BACKUP_PREFIX}/*"


def bucket_name(settings: DeploymentSettings, purpose: str, account: str, region: str) -> str:
    """Return the name of a bucket, which is unique among all accounts."""
    return f"{settings.named(PRODUCT)}-{purpose}-{account}-{region}"


def image_repository(scope: Construct, settings: DeploymentSettings) -> str:
    """Return the ARN of the repository of the Lambda images."""
    return Stack.of(scope).format_arn(
        service="ecr", resource="repository", resource_name=settings.named(IMAGE_REPOSITORY)
    )


def stacks(scope: Construct, settings: DeploymentSettings) -> list[str]:
    """Return the ARN patterns of the stacks of this stage; a stack's ARN ends in a random id."""
    return [
        Stack.of(scope).format_arn(
            service="cloudformation", region=region, resource="stack", resource_name=f"{name}/*"
        )
        for region, name in stack_names(settings)
    ]


def stack_names(settings: DeploymentSettings) -> list[tuple[str, str]]:
    """Return the region and the name of each stack of this stage."""
    return [
        (HEALTH_REGION, f"{settings.named(stack)}-{settings.region}")
        if stack is StackName.HEALTH
        else (settings.region, settings.named(stack))
        for stack in StackName
    ]


def bucket_arn(name: str) -> str:
    """Return the ARN of a bucket."""
    return f"arn:aws:s3:::{name}"


def function_arns(scope: Construct, settings: DeploymentSettings) -> list[str]:
    """Return the ARN of each Lambda function, and the pattern of its versions."""
    return [
        Stack.of(scope).format_arn(
            service="lambda",
            resource="function",
            resource_name=settings.named(f"{PRODUCT}-{reader}{version}"),
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        for reader in FUNCTIONS
        for version in ("", ":*")
    ]


def _bucket(scope: Construct, settings: DeploymentSettings, purpose: str) -> str:
    stack = Stack.of(scope)
    return bucket_name(settings, purpose, stack.account, stack.region)

"""ARNs of resources with a fixed name.

Stacks refer to each other's resources by name instead of importing them: CloudFormation does not change an
export that a deployed stack still imports, which would block the switch between host and Lambda.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Stack

from infra.names import (
    CERTIFICATES_PREFIX,
    DATA_PREFIX,
    HEALTH_REGION,
    IMAGE_REPOSITORY,
    PRODUCT,
    LogGroup,
    SecretEntry,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs import Construct


ALARM_TOPIC = f"{PRODUCT}-alarms"
DEAD_LETTERS = f"{PRODUCT}-dead-letters"


def secret_arns(scope: Construct, entries: Iterable[SecretEntry]) -> list[str]:
    """Return the ARN pattern of each secret; Secrets Manager appends six random characters."""
    return [
        Stack.of(scope).format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{entry.name}-??????",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        for entry in entries
    ]


def log_stream_arns(scope: Construct, groups: Iterable[LogGroup]) -> list[str]:
    """Return the ARN pattern of every stream of each log group."""
    return [
        Stack.of(scope).format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"{group}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        for group in groups
    ]


def topic_arn(scope: Construct) -> str:
    """Return the ARN of the alarm topic in the region of `scope`."""
    return Stack.of(scope).format_arn(service="sns", resource=ALARM_TOPIC)


def dead_letters_arn(scope: Construct) -> str:
    """Return the ARN of the dead-letter queue of the jobs function."""
    return Stack.of(scope).format_arn(service="sqs", resource=DEAD_LETTERS)


def certificates_bucket(scope: Construct) -> str:
    """Return the name of the bucket that holds the certificate across replacements of the host."""
    return _bucket(scope, "certificates")


def data_bucket(scope: Construct) -> str:
    """Return the name of the bucket that holds the database with `storage = "s3"`."""
    return _bucket(scope, "data")


def certificate_objects(scope: Construct) -> str:
    """Return the ARN pattern of the objects under the certificate prefix."""
    return f"{bucket_arn(certificates_bucket(scope))}/{CERTIFICATES_PREFIX}/*"


def data_objects(scope: Construct) -> str:
    """Return the ARN pattern of the objects under the database's prefix."""
    return f"{bucket_arn(data_bucket(scope))}/{DATA_PREFIX}/*"


def image_repository(scope: Construct) -> str:
    """Return the ARN of the repository of the Lambda images."""
    return Stack.of(scope).format_arn(service="ecr", resource="repository", resource_name=IMAGE_REPOSITORY)


def stacks(scope: Construct) -> list[str]:
    """Return the ARN patterns of our stacks in both regions."""
    stack = Stack.of(scope)
    return [
        stack.format_arn(
            service="cloudformation", region=region, resource="stack", resource_name=f"{PRODUCT}-*/*"
        )
        for region in sorted({stack.region, HEALTH_REGION})
    ]


def bucket_arn(name: str) -> str:
    """Return the ARN of a bucket."""
    return f"arn:aws:s3:::{name}"


def _bucket(scope: Construct, purpose: str) -> str:
    stack = Stack.of(scope)
    return f"{PRODUCT}-{purpose}-{stack.account}-{stack.region}"

"""ARNs of what has a fixed name.

Stacks name each other's resources instead of importing them: an export that a deployed stack still uses
cannot change, so that a switch between host and Lambda would lock itself out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Stack

from infra.names import CERTIFICATES_PREFIX, DATA_PREFIX, PRODUCT, LogGroup, SecretEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from constructs import Construct


DEAD_LETTERS = f"{PRODUCT}-undelivered"


def secret_arns(scope: Construct, entries: Iterable[SecretEntry]) -> list[str]:
    """Return the ARN of each entry; Secrets Manager ends it with six characters of its own choosing."""
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
    """Return the ARN that covers every stream of each group, and nothing outside it."""
    return [
        Stack.of(scope).format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"{group}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        for group in groups
    ]


def topic_name() -> str:
    """Return the name of the topic that a deployment's alarms in its own region notify."""
    return f"{PRODUCT}-alarms"


def topic_arn(scope: Construct) -> str:
    """Return the ARN of the alarm topic in the region of `scope`."""
    return Stack.of(scope).format_arn(service="sns", resource=topic_name())


def dead_letters_arn(scope: Construct) -> str:
    """Return the ARN of the queue that keeps the events no job could handle."""
    return Stack.of(scope).format_arn(service="sqs", resource=DEAD_LETTERS)


def certificates_bucket(scope: Construct) -> str:
    """Return the name of the bucket that keeps certificates from one box to the next."""
    return _bucket(scope, "certificates")


def data_bucket(scope: Construct) -> str:
    """Return the name of the bucket that holds the database with `storage = "s3"`."""
    return _bucket(scope, "data")


def certificate_objects(scope: Construct) -> str:
    """Return the ARN of everything under the certificate prefix."""
    return f"{bucket_arn(certificates_bucket(scope))}/{CERTIFICATES_PREFIX}/*"


def data_objects(scope: Construct) -> str:
    """Return the ARN of everything under the database's prefix."""
    return f"{bucket_arn(data_bucket(scope))}/{DATA_PREFIX}/*"


def bucket_arn(name: str) -> str:
    """Return the ARN of a bucket."""
    return f"arn:aws:s3:::{name}"


def _bucket(scope: Construct, purpose: str) -> str:
    stack = Stack.of(scope)
    return f"{PRODUCT}-{purpose}-{stack.account}-{stack.region}"

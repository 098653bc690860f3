"""The secrets stack: creates each secret in Secrets Manager, without a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from infra.names import PRODUCT, construct_id, secrets_for

if TYPE_CHECKING:
    from constructs import Construct

    from infra.names import SecretEntry
    from infra.settings import DeploymentSettings


class SecretsStack(Stack):
    """Creates the secrets that `community-metrics secrets put` fills; they are retained on removal."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploymentSettings, **stack: Any) -> None:
        super().__init__(scope, id_, **stack)
        # also while deliveries are off: a secret that is retained could not be created a second time
        for entry in secrets_for(settings.storage, delivery=settings.delivery is not None):
            self._build_secret(entry, settings.named(entry.name))
        CfnOutput(self, "Next", value=next_command(settings))

    def _build_secret(self, entry: SecretEntry, name: str) -> None:
        # CfnSecret, because the Secret construct generates a value, which would look like a key
        secret = secretsmanager.CfnSecret(
            self, construct_id(entry.key), name=name, description=entry.description
        )
        # if the first deploy fails, the empty secrets are deleted, so that the next one can create them
        secret.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)


def next_command(settings: DeploymentSettings) -> str:
    """Return the command that sets the secrets of this deployment."""
    command = f"{PRODUCT} secrets put --region {settings.region} --storage {settings.storage}"
    if settings.stage:
        command += f" --stage {settings.stage}"
    if settings.delivery is not None:
        command += " --delivery"
    if settings.lancedb_region:
        command += f" --lancedb-region {settings.lancedb_region}"
    # a laptop outside the network cannot reach the cluster
    return f"{command} --unchecked" if settings.is_private and settings.storage == "enterprise" else command

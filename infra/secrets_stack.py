"""The secrets stack: one entry for each secret, made without a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_secretsmanager as secretsmanager

from infra.names import PRODUCT, secrets_for

if TYPE_CHECKING:
    from constructs import Construct

    from infra.names import SecretEntry
    from infra.settings import DeploymentSettings


class SecretsStack(Stack):
    """Makes the entries that `community-metrics secrets put` fills; they outlive the stack."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploymentSettings, **stack: Any) -> None:
        super().__init__(scope, id_, **stack)
        for entry in secrets_for(settings.storage):
            self._build_entry(entry)
        CfnOutput(self, "Next", value=next_command(settings))

    def _build_entry(self, entry: SecretEntry) -> None:
        # CfnSecret, since the Secret construct would generate a value that looks like a key
        secret = secretsmanager.CfnSecret(
            self, _construct_id(entry.key), name=entry.name, description=entry.description
        )
        # a first deploy that fails takes its empty entries back, so that the next try finds the names free
        secret.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)


def next_command(settings: DeploymentSettings) -> str:
    """Return the command that fills the entries of this deployment."""
    command = f"{PRODUCT} secrets put --region {settings.region} --storage {settings.storage}"
    if settings.lancedb_region is None:
        return command
    return f"{command} --lancedb-region {settings.lancedb_region}"


def _construct_id(key: str) -> str:
    return "".join(word.capitalize() for word in key.split("-"))

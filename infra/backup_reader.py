"""The role that reads backups, which the role that writes them may assume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from infra.policies import backup_reader_policy

if TYPE_CHECKING:
    from constructs import Construct

    from infra.settings import DeploymentSettings


def build_backup_reader(scope: Construct, settings: DeploymentSettings, writer: iam.IRole) -> iam.Role | None:
    """Create the role that reads backups; None without backups.

    Its trust in the writer is enough within an account: the writer needs no permission to assume it.
    """
    if not settings.backs_up:
        return None
    return iam.Role(
        scope,
        "BackupReader",
        assumed_by=iam.ArnPrincipal(writer.role_arn),
        inline_policies={"backups": iam.PolicyDocument(statements=backup_reader_policy(scope, settings))},
    )

"""The environment variables of a deployed process: its settings, and the ids of its secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra import arns
from infra.names import BACKUP_PREFIX, CATALOG_PATH, DATA_PREFIX, secrets_for

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from constructs import Construct

    from infra.names import Reader
    from infra.settings import DeploymentSettings


def plain_settings(scope: Construct, settings: DeploymentSettings) -> dict[str, str]:
    """Return the non-secret `CM_*` variables, the same for the API and the jobs."""
    common = {
        "CM_CORS_ORIGINS": ",".join(settings.dashboard_origins),
        "CM_CONTACT": settings.contact,
        "CM_LOG_FORMAT": "json",
    }
    if settings.api_check_interval_s is not None:
        common["CM_API_CHECK_INTERVAL_S"] = f"{settings.api_check_interval_s:g}"
    if settings.public_read:  # without it the runtime decides by whether there are hashes of tokens
        common["CM_PUBLIC_READ"] = "true"
    if settings.catalog is not None:
        common["CM_CATALOG"] = CATALOG_PATH
    if settings.stage:
        common["CM_DEPLOYMENT_STAGE"] = settings.stage
    if settings.storage == "s3":
        database = f"s3://{arns.data_bucket(scope, settings)}/{DATA_PREFIX}"
        return {**common, "CM_STORAGE_MODE": "local", "CM_DB_PATH": database}
    if settings.lancedb_region:
        common["CM_LANCEDB_REGION"] = settings.lancedb_region
    return {**common, "CM_STORAGE_MODE": "enterprise"}


def backup_settings(
    scope: Construct, settings: DeploymentSettings, reader: iam.IRole | None
) -> dict[str, str]:
    """Return the `CM_BACKUP_*` variables of what makes and reads backups; none without a role that reads."""
    if reader is None:
        return {}
    return {
        "CM_BACKUP_TARGET": f"s3://{arns.backup_bucket(scope, settings)}/{BACKUP_PREFIX}",
        "CM_BACKUP_WRITE_ONLY": "true",
        "CM_BACKUP_READ_ROLE": reader.role_arn,
    }


def secret_ids(settings: DeploymentSettings, *readers: Reader) -> dict[str, str]:
    """Return the `CM_*_SECRET` variables of these readers: the secrets' names, never their values."""
    entries = secrets_for(settings.storage, *readers, delivery=settings.delivers)
    return {entry.id_variable: settings.named(entry.name) for entry in entries}

"""The settings of a deployment, and what follows from them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from infra.names import API_LABEL, METRIC_NAMESPACE, staged
from infra.settings.backup import BackupSettings
from infra.settings.consistency import inconsistencies
from infra.settings.delivery import DeliverySettings
from infra.settings.network import NetworkSettings
from infra.settings.origins import require_https_origin
from infra.settings.values import (
    Contact,
    Digest,
    Domain,
    Email,
    Generation,
    GitHubEnvironment,
    ImageId,
    InstanceType,
    Network,
    Region,
    Repository,
    Stage,
    ZoneId,
)

# a wider range is not an office or a VPN
_SHORTEST_SSH_PREFIX = {4: 16, 6: 32}
# partitions whose ARNs do not begin with `arn:aws:`
_OTHER_PARTITIONS = re.compile(r"cn-|us-gov-|us-iso|eu-iso")


class DeploymentSettings(NetworkSettings, BaseModel):
    """All settings of a deployment. Create it with `load_settings`, which reports every error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    stage: Stage = ""
    region: Region
    domain: Domain
    hosted_zone_id: ZoneId | None = None
    hosted_zone_name: Domain | None = None
    dashboard_origins: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    alarm_email: Email
    contact: Contact
    public_read: bool = False
    catalog: Annotated[Path | None, Field(strict=False)] = None
    storage: Literal["enterprise", "s3"]
    lancedb_region: Region | None = None
    lancedb_port: Annotated[int, Field(ge=1, le=65535)] = 443
    api_check_interval_s: Annotated[float, Field(ge=0.5, le=60)] | None = None
    host_image: ImageId | None = None
    instance_type: InstanceType = "t4g.small"
    host_generation: Generation | None = None
    key_pair: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
    ssh_cidrs: Annotated[tuple[Network, ...], Field(strict=False)] = ()
    ipv6: bool = False
    ship_logs: bool = True
    session_manager: bool = True
    serverless: bool = False
    lambda_image: Digest | None = None
    github_repository: Repository | None = None
    github_environment: GitHubEnvironment = "production"
    github_oidc_provider: Literal["create", "existing"] = "create"
    # not strict: a table is a dictionary
    backup: Annotated[BackupSettings, Field(strict=False)] = BackupSettings(enabled=True)
    delivery: Annotated[DeliverySettings | None, Field(strict=False)] = None

    @field_validator("region")
    @classmethod
    def _check_partition(cls, region: str) -> str:
        if _OTHER_PARTITIONS.match(region):
            raise ValueError(
                f"{region} is in another AWS partition (China, GovCloud, isolated); "
                "use a region such as eu-central-1"
            )
        return region

    @field_validator("dashboard_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            require_https_origin(origin)
        return origins

    @field_validator("ssh_cidrs")
    @classmethod
    def _check_ranges(cls, cidrs: tuple[Network, ...]) -> tuple[Network, ...]:
        for cidr in cidrs:
            shortest = _SHORTEST_SSH_PREFIX[cidr.version]
            if cidr.prefixlen < shortest:
                raise ValueError(
                    f"{cidr} would open SSH to too many addresses; use ranges of /{shortest} or narrower"
                )
        return cidrs

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        if errors := inconsistencies({name: getattr(self, name) for name in self.model_fields_set}):
            raise ValueError("\n".join(errors))
        return self

    @property
    def api_host(self) -> str:
        """The domain name of the API; each stage of a domain has its own."""
        label = f"{API_LABEL}-{self.stage}" if self.stage else API_LABEL
        return f"{label}.{self.domain}"

    @property
    def metric_namespace(self) -> str:
        """The CloudWatch namespace of this stage's gauges."""
        return f"{METRIC_NAMESPACE}/{self.stage}" if self.stage else METRIC_NAMESPACE

    def named(self, name: str) -> str:
        """Return the name of a resource in this stage; `name` is its name without a stage."""
        return staged(name, self.stage)

    @property
    def backs_up(self) -> bool:
        """Whether the database is backed up, which is so unless the file says otherwise."""
        return self.backup.enabled

    @property
    def delivers(self) -> bool:
        """Whether digests are sent."""
        return self.delivery is not None and self.delivery.enabled

    @property
    def mail_identity(self) -> str | None:
        """The identity of SES that digests are sent from; None if none is."""
        return self.delivery.ses_identity if self.delivery is not None and self.delivery.enabled else None

    @property
    def smtp_port(self) -> int | None:
        """The port of the mail server that the firewall lets through; None for none."""
        return self.delivery.smtp_port if self.delivery is not None and self.delivery.enabled else None

    @property
    def awaits_image(self) -> bool:
        """Whether the Lambda functions have no image yet; then only secrets and storage can be deployed."""
        return self.serverless and self.lambda_image is None

    @property
    def is_burstable(self) -> bool:
        """Whether the instance type earns CPU credits (t3, t3a, t4g)."""
        return re.match(r"t\d", self.instance_type) is not None

"""Deployment settings: read and validate `deployment.toml`; one message lists every error."""

from __future__ import annotations

import re
import tomllib
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import Url

from infra.names import API_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# a wider range is not an office or a VPN
_SHORTEST_SSH_PREFIX = {4: 16, 6: 32}
# a URL may have a comma or a quote in its host; a name in DNS has none, and commas separate CM_CORS_ORIGINS
_ORIGIN = re.compile(r"https://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[1-9][0-9]*)?")
# partitions whose ARNs do not begin with `arn:aws:`
_OTHER_PARTITIONS = re.compile(r"cn-|us-gov-|us-iso|eu-iso")
_INVALID = object()  # replaces a value that has its own error


def _network(value: object) -> object:
    if isinstance(value, (IPv4Network, IPv6Network)):
        return value
    try:
        # as a string: ip_network(5) would be the address 0.0.0.5
        return ip_network(value if isinstance(value, str) else repr(value))
    except ValueError:
        raise ValueError(f"{value!r} is not a network such as 203.0.113.0/24 (without host bits)") from None


Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
Domain = Annotated[
    str,
    StringConstraints(
        max_length=230, pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$"
    ),
]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
ImageId = Annotated[str, StringConstraints(pattern=r"^ami-([0-9a-f]{8}|[0-9a-f]{17})$")]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
InstanceType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$")]
ZoneId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{5,32}$")]
# the name of a GitHub repository in the subject of its tokens: with ids since July 2026
Repository = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9-]+(/[A-Za-z0-9_.-]+|@[0-9]+/[A-Za-z0-9_.-]+@[0-9]+)$")
]
Environment = Annotated[str, StringConstraints(max_length=255, pattern=r"^[A-Za-z0-9_.-]+$")]

_EXAMPLES = {
    "region": "eu-central-1",
    "domain": "example.org, in lower case",
    "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
    "hosted_zone_name": "example.org, in lower case",
    "alarm_email": "ops@example.org",
    "host_image": "ami-0123456789abcdef0",
    "lambda_image": "sha256:<64 hex digits>, as `make image` prints it",
    "instance_type": "t4g.small",
    "github_repository": "owner/name, or owner@1234/name@5678 with the ids of GitHub",
    "github_environment": "production",
}


class SettingsError(Exception):
    """`deployment.toml` is invalid; the message lists every error and its fix."""


class DeploymentSettings(BaseModel):
    """All settings of a deployment. Create it with `load_settings`, which reports every error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    region: Region
    domain: Domain
    hosted_zone_id: ZoneId | None = None
    hosted_zone_name: Domain | None = None
    dashboard_origins: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    alarm_email: Email
    storage: Literal["enterprise", "s3"]
    lancedb_region: Region | None = None
    lancedb_port: Annotated[int, Field(ge=1, le=65535)] = 443
    api_check_interval_s: Annotated[float, Field(ge=0.5, le=60)] | None = None
    host_image: ImageId | None = None
    instance_type: InstanceType = "t4g.small"
    key_pair: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
    ssh_cidrs: Annotated[tuple[Network, ...], Field(strict=False)] = ()
    ipv6: bool = False
    ship_logs: bool = False
    serverless: bool = False
    lambda_image: Digest | None = None
    github_repository: Repository | None = None
    github_environment: Environment = "production"
    github_oidc_provider: Literal["create", "existing"] = "create"

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
            _require_https_origin(origin)
        return origins

    @field_validator("ssh_cidrs")
    @classmethod
    def _check_ranges(
        cls, cidrs: tuple[IPv4Network | IPv6Network, ...]
    ) -> tuple[IPv4Network | IPv6Network, ...]:
        for cidr in cidrs:
            shortest = _SHORTEST_SSH_PREFIX[cidr.version]
            if cidr.prefixlen < shortest:
                raise ValueError(
                    f"{cidr} would open SSH to too many addresses; use ranges of /{shortest} or narrower"
                )
        return cidrs

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        if errors := _inconsistencies(dict(self)):
            raise ValueError("\n".join(errors))
        return self

    @property
    def api_host(self) -> str:
        """The domain name of the API."""
        return f"{API_LABEL}.{self.domain}"

    @property
    def awaits_image(self) -> bool:
        """Whether the Lambda functions have no image yet; then only secrets and storage can be deployed."""
        return self.serverless and self.lambda_image is None

    @property
    def is_burstable(self) -> bool:
        """Whether the instance type earns CPU credits (t3, t3a, t4g)."""
        return re.match(r"t\d", self.instance_type) is not None


def load_settings(path: Path, lambda_image: str | None = None) -> DeploymentSettings:
    """Read the deployment file; `lambda_image` replaces the one in the file.

    Raises:
        SettingsError: the file is missing, unreadable or invalid.
    """
    replaced = {} if lambda_image is None else {"lambda_image": lambda_image}
    return parse_settings({**_read(path), **replaced}, origin=str(path))


def load_region(path: Path) -> str:
    """Read the region alone, because `make image` runs before `lambda_image` can be set.

    Raises:
        SettingsError: the file is missing or unreadable, or its region is invalid.
    """
    content = _read(path)
    if errors := [error for error in _errors(content) if re.match(r"region\b", error)]:
        raise SettingsError(_message(str(path), errors))
    return str(content["region"])


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"{path} does not exist. Fix: copy deployment.example.toml to deployment.toml and edit it."
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None


def parse_settings(content: dict[str, Any], *, origin: str) -> DeploymentSettings:
    """Validate the content of a deployment file; `origin` is its name in messages.

    Raises:
        SettingsError: the content is invalid; one message lists every error.
    """
    if errors := _errors(content):
        raise SettingsError(_message(origin, errors))
    return DeploymentSettings.model_validate(content)


def _message(origin: str, errors: list[str]) -> str:
    return "\n  - ".join([f"{origin} is invalid; nothing was synthesised:", *errors])


def _errors(content: dict[str, Any]) -> list[str]:
    """Return every error; pydantic itself compares settings only if each of them is valid."""
    try:
        DeploymentSettings.model_validate(content)
    except ValidationError as error:
        invalid = {str(item["loc"][0]): _INVALID for item in error.errors() if item["loc"]}
        compared = _inconsistencies({**content, **invalid})
        return list(dict.fromkeys([*_messages(error), *compared]))
    return []


def _inconsistencies(content: Mapping[str, Any]) -> list[str]:
    """Return the contradictions between settings; `_INVALID` counts as set to an unknown value."""
    errors = [*_zone_errors(content), *_hosting_errors(content)]
    if content.get("ssh_cidrs") and content.get("key_pair") is None:
        errors.append("ssh_cidrs opens port 22, but nobody can log in without key_pair; set it")
    return errors


def _zone_errors(content: Mapping[str, Any]) -> list[str]:
    zone, domain = content.get("hosted_zone_name"), content.get("domain")
    if (content.get("hosted_zone_id") is None) != (zone is None):
        return ["hosted_zone_id and hosted_zone_name go together; set both or neither"]
    if not isinstance(zone, str) or not isinstance(domain, str):
        return []
    if domain == zone or domain.endswith(f".{zone}"):
        return []
    return [f"domain is {domain!r}, which is outside the hosted zone {zone!r}"]


def _hosting_errors(content: Mapping[str, Any]) -> list[str]:
    serverless = content.get("serverless", False)
    if serverless is _INVALID:
        return []
    if not serverless:
        is_set = content.get("host_image") is not None
        return [] if is_set else ["host_image is not set; the host needs the id of a Debian 13 image"]
    errors = []
    if content.get("hosted_zone_id") is None:
        errors.append("serverless = true needs hosted_zone_id: the certificate is validated by a DNS record")
    errors += [
        f"{name} = true is for the host; remove it with serverless = true"
        for name in ("ipv6", "ship_logs")
        if content.get(name) is True
    ]
    return errors


def _messages(error: ValidationError) -> list[str]:
    messages: dict[str, None] = {}  # a union reports one error once for each of its members
    for item in error.errors(include_url=False):
        message = item["msg"].removeprefix("Value error, ")
        if not item["loc"]:
            messages.update(dict.fromkeys(message.splitlines()))
            continue
        messages[_describe(str(item["loc"][0]), item["type"], message, item["input"])] = None
    return list(messages)


def _describe(key: str, kind: str, message: str, value: object) -> str:
    if kind == "missing":
        return f"{key} is not set"
    if kind == "extra_forbidden":
        return (
            f"{key} is not a setting; known settings are {', '.join(sorted(DeploymentSettings.model_fields))}"
        )
    if kind == "string_pattern_mismatch":
        return f"{key} is {value!r}; expected a value such as {_EXAMPLES[key]}"
    return f"{key}: {message}"


def _require_https_origin(origin: str) -> None:
    if "*" in origin:
        raise ValueError(f"{origin!r} would allow every website to read the API; list exact origins")
    if "@" in origin:  # not in the message: the part before the @ may contain a password
        raise ValueError(
            "an origin must not contain a user, a password or '@'; use https://metrics.example.org"
        )
    sent = _as_browsers_send(origin)
    if origin != sent:
        fix = f"; write {sent}" if sent else ""
        raise ValueError(
            f"{origin!r} is not an origin such as https://metrics.example.org as browsers send it "
            f"(https, host in ASCII and lower case, no path, no :443){fix}"
        )


def _as_browsers_send(origin: str) -> str | None:
    """Return the origin as browsers write it, None if it cannot be one.

    The runtime checks `CM_CORS_ORIGINS` by the same standard; `test_settings.py` compares the two.
    """
    try:
        sent = str(Url(origin)).removesuffix("/")  # pydantic parses URLs by the standard of the browsers
    except ValueError:
        return None
    return sent if _ORIGIN.fullmatch(sent) else None

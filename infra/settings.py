"""Deployment settings: what `deployment.toml` may say, and one message with every fault of it."""

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
)
from pydantic import model_validator as whole_model

from infra.names import API_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# A wider range than this is not somebody's office or VPN
_SHORTEST_SSH_PREFIX = {4: 16, 6: 32}
# what a browser sends: lower case, no default port; no comma, which separates them in CM_CORS_ORIGINS
_ORIGIN = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:(?P<port>[1-9][0-9]{0,4}))?")
_HTTPS = 443
_HIGHEST_PORT = 65535
# their ARNs do not begin with `arn:aws:`
_OTHER_PARTITIONS = re.compile(r"cn-|us-gov-|us-iso|eu-iso")
_UNREADABLE = object()  # stands for a value that has a fault of its own


def _network(value: object) -> object:
    if isinstance(value, (IPv4Network, IPv6Network)):
        return value
    try:
        # as text: the number 5 would be the address 0.0.0.5
        return ip_network(value if isinstance(value, str) else repr(value))
    except ValueError:
        raise ValueError(
            f"{value!r} is no network such as 203.0.113.0/24 (no bits beyond the prefix)"
        ) from None


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

_EXAMPLES = {
    "region": "eu-central-1",
    "domain": "example.org, in lower case",
    "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
    "hosted_zone_name": "example.org, in lower case",
    "alarm_email": "ops@example.org",
    "host_image": "ami-0123456789abcdef0",
    "lambda_image": "sha256:<64 hex digits>, as `make image` prints it",
    "instance_type": "t4g.small",
}


class SettingsError(Exception):
    """`deployment.toml` cannot be used; the text lists every fault and its mend."""


class DeploymentSettings(BaseModel):
    """Everything a deployment decides. Read it with `load_settings`, which words the faults."""

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
    host_image: ImageId | None = None
    instance_type: InstanceType = "t4g.small"
    key_pair: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
    ssh_cidrs: Annotated[tuple[Network, ...], Field(strict=False)] = ()
    ipv6: bool = False
    ship_logs: bool = False
    serverless: bool = False
    lambda_image: Digest | None = None

    @field_validator("region")
    @classmethod
    def _in_the_common_partition(cls, region: str) -> str:
        if _OTHER_PARTITIONS.match(region):
            raise ValueError(
                f"{region} belongs to another partition of AWS (China, GovCloud, isolated); "
                "choose a region such as eu-central-1"
            )
        return region

    @field_validator("dashboard_origins")
    @classmethod
    def _exact_https_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            _require_https_origin(origin)
        return origins

    @field_validator("ssh_cidrs")
    @classmethod
    def _narrow(cls, cidrs: tuple[IPv4Network | IPv6Network, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
        for cidr in cidrs:
            least = _SHORTEST_SSH_PREFIX[cidr.version]
            if cidr.prefixlen < least:
                raise ValueError(
                    f"{cidr} would let half the internet try to log in; name ranges of /{least} or narrower"
                )
        return cidrs

    @whole_model(mode="after")
    def _parts_agree(self) -> Self:
        if faults := _disagreements(dict(self)):
            raise ValueError("\n".join(faults))
        return self

    @property
    def api_host(self) -> str:
        """The name at which the API answers."""
        return f"{API_LABEL}.{self.domain}"

    @property
    def awaits_image(self) -> bool:
        """Say whether the functions have no image yet: only what it is pushed to can be deployed."""
        return self.serverless and self.lambda_image is None

    @property
    def is_burstable(self) -> bool:
        """Say whether the instance type earns CPU credits (t3, t3a, t4g)."""
        return re.match(r"t\d", self.instance_type) is not None


def load_settings(path: Path) -> DeploymentSettings:
    """Read the deployment file.

    Raises:
        SettingsError: the file is missing or unreadable, or has faults; one message with all of them.
    """
    return parse_settings(_read(path), origin=str(path))


def load_region(path: Path) -> str:
    """Read the region alone, for what is done before the rest of the file can be filled in.

    Raises:
        SettingsError: the file is missing or unreadable, or its region has a fault.
    """
    content = _read(path)
    if faults := [fault for fault in _faults(content) if re.match(r"region\b", fault)]:
        raise SettingsError(_refusal(str(path), faults))
    return str(content["region"])


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"There is no {path}. Copy deployment.example.toml to deployment.toml and fill it in."
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None


def parse_settings(content: dict[str, Any], *, origin: str) -> DeploymentSettings:
    """Check the content of a deployment file that `origin` names in the message.

    Raises:
        SettingsError: one message with every fault.
    """
    if faults := _faults(content):
        raise SettingsError(_refusal(origin, faults))
    return DeploymentSettings.model_validate(content)


def _refusal(origin: str, faults: list[str]) -> str:
    return "\n  - ".join([f"{origin} cannot be used, nothing was synthesised:", *faults])


def _faults(content: dict[str, Any]) -> list[str]:
    """Return every fault; pydantic alone compares the parts only where each part is sound."""
    try:
        DeploymentSettings.model_validate(content)
    except ValidationError as error:
        broken = {str(item["loc"][0]): _UNREADABLE for item in error.errors() if item["loc"]}
        compared = _disagreements({**content, **broken})
        return list(dict.fromkeys([*_worded_faults(error), *compared]))
    return []


def _disagreements(said: Mapping[str, Any]) -> list[str]:
    """Return how the parts contradict each other; what is `_UNREADABLE` is set, and no more is known."""
    faults = [*_zone_faults(said), *_flavour_faults(said)]
    if said.get("ssh_cidrs") and said.get("key_pair") is None:
        faults.append("ssh_cidrs opens port 22, but key_pair is not set, so nobody could log in; set it")
    return faults


def _zone_faults(said: Mapping[str, Any]) -> list[str]:
    zone, domain = said.get("hosted_zone_name"), said.get("domain")
    if (said.get("hosted_zone_id") is None) != (zone is None):
        return ["hosted_zone_id and hosted_zone_name belong together; set both or neither"]
    if not isinstance(zone, str) or not isinstance(domain, str):
        return []
    if domain == zone or domain.endswith(f".{zone}"):
        return []
    return [f"domain is {domain!r}, which is outside the hosted zone {zone!r}"]


def _flavour_faults(said: Mapping[str, Any]) -> list[str]:
    serverless = said.get("serverless", False)
    if serverless is _UNREADABLE:
        return []
    if not serverless:
        known = said.get("host_image") is not None
        return [] if known else ["host_image is not set; the host needs the id of a Debian 13 image"]
    faults = []
    if said.get("hosted_zone_id") is None:
        faults.append("serverless = true needs hosted_zone_id: a record in the zone proves the certificate")
    faults += [
        f"{name} = true is for the host; leave it out with serverless = true"
        for name in ("ipv6", "ship_logs")
        if said.get(name) is True
    ]
    return faults


def _worded_faults(error: ValidationError) -> list[str]:
    faults: dict[str, None] = {}  # a union reports one fault once for each of its members
    for item in error.errors(include_url=False):
        message = item["msg"].removeprefix("Value error, ")
        if not item["loc"]:
            faults.update(dict.fromkeys(message.splitlines()))
            continue
        faults[_worded(str(item["loc"][0]), item["type"], message, item["input"])] = None
    return list(faults)


def _worded(key: str, kind: str, message: str, value: object) -> str:
    if kind == "missing":
        return f"{key} is not set"
    if kind == "extra_forbidden":
        return (
            f"{key} is not a setting; the settings are {', '.join(sorted(DeploymentSettings.model_fields))}"
        )
    if kind == "string_pattern_mismatch":
        return f"{key} is {value!r}, but should look like {_EXAMPLES[key]}"
    return f"{key}: {message}"


def _require_https_origin(origin: str) -> None:
    if "*" in origin:
        raise ValueError(f"{origin!r} would let any page read the API; list the exact origins")
    if "@" in origin:  # not repeated in the message: what stands before the @ may be a password
        raise ValueError("an origin holds no user, password or '@'; write it as https://metrics.example.org")
    found = _ORIGIN.fullmatch(origin)
    port = int(found["port"] or 0) if found else 0
    if found is None or port > _HIGHEST_PORT or port == _HTTPS:
        raise ValueError(
            f"{origin!r} is not an origin such as https://metrics.example.org, as a browser sends it "
            "(https, lower case, no path, no :443)"
        )

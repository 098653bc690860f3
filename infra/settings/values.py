"""The types of the settings' values, with the pattern and an example of each."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import BeforeValidator, StringConstraints


def _network(value: object) -> object:
    if isinstance(value, (IPv4Network, IPv6Network)):
        return value
    try:
        # as a string: ip_network(5) would be the address 0.0.0.5
        return ip_network(value if isinstance(value, str) else repr(value))
    except ValueError:
        raise ValueError(f"{value!r} is not a network such as 203.0.113.0/24 (without host bits)") from None


Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
# at most 12 characters, because a bucket's name has at most 63; no hyphen, which separates the parts of names
Stage = Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9]{0,11})?$")]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
Domain = Annotated[
    str,
    StringConstraints(
        max_length=230, pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$"
    ),
]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
# an address or a domain as SES lists it; no `*` or `?`, which are patterns in a policy
MailIdentity = Annotated[
    str,
    StringConstraints(
        max_length=254,
        pattern=r"^([A-Za-z0-9._%+-]+@)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$",
    ),
]
# no quote or backslash, which systemd would interpret in an environment file
Contact = Annotated[str, StringConstraints(pattern=r"^(https?://|[^@\s]+@)[!#-&(-\[\]-~]+$", max_length=200)]
ImageId = Annotated[str, StringConstraints(pattern=r"^ami-([0-9a-f]{8}|[0-9a-f]{17})$")]
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
InstanceType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$")]
ZoneId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{5,32}$")]
# the name of a GitHub repository in the subject of its tokens: with ids since July 2026
Repository = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9-]+(/[A-Za-z0-9_.-]+|@[0-9]+/[A-Za-z0-9_.-]+@[0-9]+)$")
]
GitHubEnvironment = Annotated[str, StringConstraints(max_length=255, pattern=r"^[A-Za-z0-9_.-]+$")]
Generation = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:._-]{1,40}$")]
Zone = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d[a-g]$")]
VpcId = Annotated[str, StringConstraints(pattern=r"^vpc-([0-9a-f]{8}|[0-9a-f]{17})$")]
SubnetId = Annotated[str, StringConstraints(pattern=r"^subnet-([0-9a-f]{8}|[0-9a-f]{17})$")]
EndpointService = Annotated[
    str, StringConstraints(pattern=r"^com\.amazonaws\.vpce\.[a-z0-9-]+\.vpce-svc-[0-9a-f]{17}$")
]

EXAMPLES = {
    "stage": "staging: at most 12 lower-case letters and digits",
    "region": "eu-central-1",
    "domain": "example.org, in lower case",
    "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
    "hosted_zone_name": "example.org, in lower case",
    "alarm_email": "ops@example.org",
    "contact": "ops@example.org or https://example.org/contact",
    "host_image": "ami-0123456789abcdef0",
    "lambda_image": "sha256:<64 hex digits>, as `make image` prints it",
    "instance_type": "t4g.small",
    "availability_zone": "eu-central-1b",
    "vpc_id": "vpc-0123456789abcdef0",
    "public_subnet_id": "subnet-0123456789abcdef0",
    "private_subnet_ids": "subnet-0123456789abcdef0",
    "privatelink_service": "com.amazonaws.vpce.eu-central-1.vpce-svc-0123456789abcdef0",
    "privatelink_domain": "metrics.lancedb.example, in lower case",
    "github_repository": "owner/name, or owner@1234/name@5678 with the ids of GitHub",
    "github_environment": "production",
    "delivery.ses_identity": "metrics@example.org or example.org, the domain in lower case",
    "host_generation": "2026-11-28T10:00:00Z",
}

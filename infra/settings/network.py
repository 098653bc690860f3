"""The settings of the network, and their contradictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field

from infra.settings.values import Domain, EndpointService, SubnetId, VpcId, Zone

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_VPC = ("public_subnet_id", "private_subnet_ids")


class NetworkSettings(BaseModel):
    """Where the host or the functions run, and how they reach a private LanceDB cluster."""

    availability_zone: Zone | None = None
    vpc_id: VpcId | None = None
    public_subnet_id: SubnetId | None = None
    private_subnet_ids: Annotated[tuple[SubnetId, ...], Field(strict=False)] = ()
    privatelink_service: EndpointService | None = None
    privatelink_domain: Domain | None = None

    @property
    def zone_letter(self) -> str | None:
        """The letter of the zone: `b` of `eu-central-1b`; None without a zone."""
        return None if self.availability_zone is None else self.availability_zone[-1]

    @property
    def is_private(self) -> bool:
        """Whether functions run in a VPC, as only that can reach a private cluster."""
        return self.vpc_id is not None or self.privatelink_service is not None


def network_errors(content: Mapping[str, Any]) -> list[str]:
    """Return the contradictions between settings of the network; an invalid value counts as set."""
    return [*_zone_errors(content), *_vpc_errors(content), *_privatelink_errors(content)]


def _zone_errors(content: Mapping[str, Any]) -> list[str]:
    zone, region = content.get("availability_zone"), content.get("region")
    if isinstance(zone, str) and isinstance(region, str) and zone[:-1] != region:
        return [f"availability_zone is {zone!r}, which is not in the region {region!r}"]
    return []


def _vpc_errors(content: Mapping[str, Any]) -> list[str]:
    if content.get("vpc_id") is None:
        return [f"{name} is a subnet of vpc_id; set it too" for name in _OF_VPC if content.get(name)]
    errors = []
    if content.get("availability_zone") is not None:
        errors.append("availability_zone is that of the subnet with vpc_id; remove it, or use another subnet")
    if content.get("ipv6") is True:
        errors.append("ipv6 = true needs a network of the deployment's own; remove it with vpc_id")
    serverless = content.get("serverless", False)
    if serverless is True and not content.get("private_subnet_ids"):
        errors.append(
            "vpc_id needs private_subnet_ids with serverless = true: subnets with a route to a NAT gateway, "
            "because functions have no public address"
        )
    if serverless is False and content.get("public_subnet_id") is None:
        errors.append(
            "vpc_id needs public_subnet_id for the host: a subnet with a route to an internet gateway"
        )
    return errors


def _privatelink_errors(content: Mapping[str, Any]) -> list[str]:
    service, domain = content.get("privatelink_service"), content.get("privatelink_domain")
    if (service is None) != (domain is None):
        return ["privatelink_service and privatelink_domain go together; set both or neither"]
    if service is None:
        return []
    errors = []
    if content.get("vpc_id") is not None:
        errors.append(
            "privatelink_service is for a new network; with vpc_id, create the endpoint in your VPC"
        )
    if content.get("storage") == "s3":
        errors.append('privatelink_service leads to a LanceDB cluster; remove it with storage = "s3"')
    region = content.get("region")
    if isinstance(service, str) and isinstance(region, str) and f".vpce.{region}." not in service:
        errors.append(f"privatelink_service is {service!r}, which is not in the region {region!r}")
    return errors

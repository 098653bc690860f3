"""The VPC of a deployment: a new one, or the user's, without a look-up.

CloudFormation creates the subnets of a new zone while those of the old zone still exist. So each zone has its
own address ranges, and its own names in the template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2

if TYPE_CHECKING:
    from constructs import Construct

    from infra.settings import DeploymentSettings

VPC_RANGE = "10.0.0.0/20"  # room for 16 subnets: the public ones first, then the private ones
SUBNET_BITS = 24
RANGES = 8  # of each kind: without a zone, and the zones a to g
_UNUSED = "unused"  # an imported VPC must name zones, which no template contains


def own_vpc(scope: Construct, settings: DeploymentSettings, *, with_private_subnet: bool) -> ec2.Vpc:
    """Create a VPC with one public subnet; with a private one too, there is a NAT gateway between them."""
    letter = settings.zone_letter
    number = 0 if letter is None else 1 + "abcdefg".index(letter)
    subnets = [*_skip(number), _subnet("Public", letter, ec2.SubnetType.PUBLIC, settings)]
    if with_private_subnet:
        private = _subnet("Private", letter, ec2.SubnetType.PRIVATE_WITH_EGRESS, settings)
        subnets += [*_skip(RANGES - 1), private]
    zone = settings.availability_zone
    return ec2.Vpc(
        scope,
        "Vpc",
        ip_addresses=ec2.IpAddresses.cidr(VPC_RANGE),
        ip_protocol=ec2.IpProtocol.DUAL_STACK if settings.ipv6 else None,
        availability_zones=None if zone is None else [zone],
        max_azs=1 if zone is None else None,
        nat_gateways=1 if with_private_subnet else 0,
        restrict_default_security_group=False,
        subnet_configuration=subnets,
    )


def users_vpc(scope: Construct, settings: DeploymentSettings) -> ec2.IVpc | None:
    """Return the VPC in the settings with its subnets, None if there is none."""
    if settings.vpc_id is None:
        return None
    if settings.serverless:
        private = list(settings.private_subnet_ids)
        return ec2.Vpc.from_vpc_attributes(
            scope,
            "Vpc",
            vpc_id=settings.vpc_id,
            availability_zones=[_UNUSED] * len(private),
            private_subnet_ids=private,
        )
    return ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id=settings.vpc_id,
        availability_zones=[_UNUSED],
        public_subnet_ids=[str(settings.public_subnet_id)],
    )


def _subnet(
    name: str, letter: str | None, kind: ec2.SubnetType, settings: DeploymentSettings
) -> ec2.SubnetConfiguration:
    is_public = kind is ec2.SubnetType.PUBLIC
    return ec2.SubnetConfiguration(
        name=f"{name}{(letter or '').upper()}",
        subnet_type=kind,
        cidr_mask=SUBNET_BITS,
        map_public_ip_on_launch=False if is_public else None,
        ipv6_assign_address_on_creation=False if is_public and settings.ipv6 else None,
    )


def _skip(count: int) -> list[ec2.SubnetConfiguration]:
    """Return subnets that reserve their range and are not created."""
    return [
        ec2.SubnetConfiguration(
            name=f"Range{count}x{number}",
            subnet_type=ec2.SubnetType.PRIVATE_ISOLATED,
            cidr_mask=SUBNET_BITS,
            reserved=True,
        )
        for number in range(count)
    ]

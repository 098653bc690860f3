"""The network of the host: a VPC with one public subnet, no NAT gateway, and a security group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

if TYPE_CHECKING:
    from infra.settings import DeploymentSettings

HTTPS = 443
HTTP = 80
SSH = 22


class Network(Construct):
    """Creates the VPC and the security group of the host."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploymentSettings) -> None:
        super().__init__(scope, id_)
        self.vpc = self._build_vpc(settings)
        self.firewall = ec2.SecurityGroup(
            self,
            "Firewall",
            vpc=self.vpc,
            description="HTTP and HTTPS in, SSH from the configured ranges, HTTP and HTTPS out",
            allow_all_outbound=False,
        )
        self._allow_ingress(settings)
        self._allow_egress(settings)

    def _build_vpc(self, settings: DeploymentSettings) -> ec2.Vpc:
        return ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr("10.0.0.0/24"),
            ip_protocol=ec2.IpProtocol.DUAL_STACK if settings.ipv6 else None,
            max_azs=1,
            nat_gateways=0,
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="Public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    map_public_ip_on_launch=False,
                    cidr_mask=26,
                    ipv6_assign_address_on_creation=False if settings.ipv6 else None,
                )
            ],
        )

    def _allow_ingress(self, settings: DeploymentSettings) -> None:
        for port, purpose in ((HTTPS, "API"), (HTTP, "redirect to HTTPS, ACME challenge")):
            self._allow(ec2.Peer.any_ipv4(), port, purpose)
            if settings.ipv6:
                self._allow(ec2.Peer.any_ipv6(), port, purpose)
        for cidr in settings.ssh_cidrs:
            peer = ec2.Peer.ipv4 if cidr.version == 4 else ec2.Peer.ipv6  # noqa: PLR2004  IP versions
            self._allow(peer(str(cidr)), SSH, "SSH")

    def _allow_egress(self, settings: DeploymentSettings) -> None:
        # AWS, registries and LanceDB use HTTPS, Debian's mirrors HTTP; Amazon's DNS and NTP need no rule
        cluster = settings.lancedb_port if settings.storage == "enterprise" else HTTPS
        for port in dict.fromkeys((HTTPS, HTTP, cluster)):
            self.firewall.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "egress")
            if settings.ipv6:
                self.firewall.add_egress_rule(ec2.Peer.any_ipv6(), ec2.Port.tcp(port), "egress")

    def _allow(self, peer: ec2.IPeer, port: int, purpose: str) -> None:
        self.firewall.add_ingress_rule(peer, ec2.Port.tcp(port), purpose)

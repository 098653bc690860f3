"""The network of the host: one public subnet, no NAT, and a firewall that lets in what the host serves."""

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
    """Gives the host a subnet with a way out and a security group."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploymentSettings) -> None:
        super().__init__(scope, id_)
        self.vpc = self._build_vpc(settings)
        self.firewall = ec2.SecurityGroup(
            self,
            "Firewall",
            vpc=self.vpc,
            description="Web from everywhere, SSH from the configured ranges, out to the web only",
            allow_all_outbound=False,
        )
        self._open_in(settings)
        self._open_out(settings)

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

    def _open_in(self, settings: DeploymentSettings) -> None:
        for port, purpose in ((HTTPS, "API"), (HTTP, "redirect, and proof of the name to the CA")):
            self._allow_in(ec2.Peer.any_ipv4(), port, purpose)
            if settings.ipv6:
                self._allow_in(ec2.Peer.any_ipv6(), port, purpose)
        for cidr in settings.ssh_cidrs:
            peer = ec2.Peer.ipv4 if cidr.version == 4 else ec2.Peer.ipv6  # noqa: PLR2004  IP's own numbers
            self._allow_in(peer(str(cidr)), SSH, "SSH")

    def _open_out(self, settings: DeploymentSettings) -> None:
        # AWS, registries and LanceDB speak HTTPS, Debian's mirrors HTTP; DNS and time never meet the firewall
        cluster = settings.lancedb_port if settings.storage == "enterprise" else HTTPS
        for port in dict.fromkeys((HTTPS, HTTP, cluster)):
            self.firewall.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "out")
            if settings.ipv6:
                self.firewall.add_egress_rule(ec2.Peer.any_ipv6(), ec2.Port.tcp(port), "out")

    def _allow_in(self, peer: ec2.IPeer, port: int, purpose: str) -> None:
        self.firewall.add_ingress_rule(peer, ec2.Port.tcp(port), purpose)

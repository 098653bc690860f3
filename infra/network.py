"""The networks of the host and of the functions: a VPC of ours or the user's, and a security group.

A stack has its own network, because CloudFormation changes no export that another stack imports: a shared one
could not be moved to another zone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.cluster_endpoint import ClusterEndpoint
from infra.vpc import own_vpc, users_vpc

if TYPE_CHECKING:
    from infra.settings import DeploymentSettings

HTTPS = 443
HTTP = 80
SSH = 22
PUBLIC = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
PRIVATE = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)


class HostNetwork(Construct):
    """The VPC, the public subnet and the security group of the host."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploymentSettings) -> None:
        super().__init__(scope, id_)
        self.vpc = users_vpc(self, settings) or own_vpc(self, settings, with_private_subnet=False)
        self.firewall = ec2.SecurityGroup(
            self,
            "Firewall",
            vpc=self.vpc,
            description="HTTP and HTTPS in, SSH from the configured ranges, HTTP and HTTPS out",
            allow_all_outbound=False,
        )
        self._allow_ingress(settings)
        # AWS, registries and LanceDB use HTTPS, Debian's mirrors HTTP; Amazon's DNS and NTP need no rule
        _allow_egress(self.firewall, settings, HTTPS, HTTP)
        self.cluster = connect_cluster(self, settings, self.vpc, self.firewall, PUBLIC)

    def _allow_ingress(self, settings: DeploymentSettings) -> None:
        for port, purpose in ((HTTPS, "API"), (HTTP, "redirect to HTTPS, ACME challenge")):
            self._allow(ec2.Peer.any_ipv4(), port, purpose)
            if settings.ipv6:
                self._allow(ec2.Peer.any_ipv6(), port, purpose)
        for cidr in settings.ssh_cidrs:
            peer = ec2.Peer.ipv4 if cidr.version == 4 else ec2.Peer.ipv6  # noqa: PLR2004  IP versions
            self._allow(peer(str(cidr)), SSH, "SSH")

    def _allow(self, peer: ec2.IPeer, port: int, purpose: str) -> None:
        self.firewall.add_ingress_rule(peer, ec2.Port.tcp(port), purpose)


class FunctionNetwork(Construct):
    """The VPC, the private subnets and the security group of the functions."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploymentSettings) -> None:
        super().__init__(scope, id_)
        self.vpc = users_vpc(self, settings) or own_vpc(self, settings, with_private_subnet=True)
        self.firewall = ec2.SecurityGroup(
            self, "Firewall", vpc=self.vpc, description="Nothing in, HTTPS out", allow_all_outbound=False
        )
        _allow_egress(self.firewall, settings, HTTPS)
        self.cluster = connect_cluster(self, settings, self.vpc, self.firewall, PRIVATE)


def connect_cluster(
    scope: Construct,
    settings: DeploymentSettings,
    vpc: ec2.IVpc,
    firewall: ec2.SecurityGroup,
    subnets: ec2.SubnetSelection,
) -> ClusterEndpoint | None:
    """Create the endpoint of the cluster; in the user's VPC, name the security group that needs access."""
    if settings.vpc_id is not None:
        CfnOutput(Stack.of(scope), "SecurityGroup", value=firewall.security_group_id)
    if settings.privatelink_service is None:
        return None
    return ClusterEndpoint(scope, "Cluster", settings=settings, vpc=vpc, subnets=subnets, client=firewall)


def _allow_egress(firewall: ec2.SecurityGroup, settings: DeploymentSettings, *ports: int) -> None:
    cluster = (settings.lancedb_port,) if settings.storage == "enterprise" else ()
    mail = () if settings.smtp_port is None else (settings.smtp_port,)
    for port in dict.fromkeys((*ports, *cluster, *mail)):
        firewall.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "egress")
        if settings.ipv6:
            firewall.add_egress_rule(ec2.Peer.any_ipv6(), ec2.Port.tcp(port), "egress")

"""The private way to a LanceDB cluster: an interface endpoint (PrivateLink), and a name for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

if TYPE_CHECKING:
    from infra.settings import DeploymentSettings


class ClusterEndpoint(Construct):
    """Creates the endpoint, which only the client's security group can use, and its name in the VPC.

    The name is one on the cluster's certificate, because clients compare the two. A private zone of our own
    resolves it: the endpoint's own private DNS would need the service to have one, and to have accepted the
    endpoint before it can be turned on.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: DeploymentSettings,
        vpc: ec2.IVpc,
        subnets: ec2.SubnetSelection,
        client: ec2.SecurityGroup,
    ) -> None:
        super().__init__(scope, id_)
        firewall = ec2.SecurityGroup(
            self,
            "Firewall",
            vpc=vpc,
            description="LanceDB in, from this deployment",
            allow_all_outbound=False,
        )
        firewall.add_ingress_rule(client, ec2.Port.tcp(settings.lancedb_port), "LanceDB")
        endpoint = ec2.InterfaceVpcEndpoint(
            self,
            "Endpoint",
            vpc=vpc,
            subnets=subnets,
            service=ec2.InterfaceVpcEndpointService(str(settings.privatelink_service), settings.lancedb_port),
            private_dns_enabled=False,
            security_groups=[firewall],
            open=False,
        )
        zone = route53.PrivateHostedZone(self, "Zone", zone_name=str(settings.privatelink_domain), vpc=vpc)
        target = targets.InterfaceVpcEndpointTarget(endpoint)
        self.name = route53.ARecord(self, "Name", zone=zone, target=route53.RecordTarget.from_alias(target))

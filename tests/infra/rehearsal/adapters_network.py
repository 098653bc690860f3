"""Adapters of a private network: the endpoint of the cluster, and the private zone with its name."""

from __future__ import annotations

from typing import Any, Self

from tests.infra.rehearsal.adapters import Adapter, check, client


class VpcEndpoint(Adapter):
    """Creates the endpoint, and changes its subnets in place."""

    TYPE = "AWS::EC2::VPCEndpoint"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        asked = (
            "VpcId",
            "ServiceName",
            "VpcEndpointType",
            "SubnetIds",
            "SecurityGroupIds",
            "PrivateDnsEnabled",
        )
        made = client("ec2", region).create_vpc_endpoint(**{key: properties[key] for key in asked})
        endpoint = made["VpcEndpoint"]["VpcEndpointId"]
        return endpoint, {"DnsEntries": [f"Z0REHEARSAL:{endpoint}.vpce.amazonaws.com"], "Id": endpoint}

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Self,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Self:
        properties = cloudformation_json["Properties"]
        check(cls.TYPE, properties)
        ec2, endpoint = client("ec2", region_name), original_resource.physical_resource_id
        (found,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
        before, after = set(found["SubnetIds"]), set(properties["SubnetIds"])
        ec2.modify_vpc_endpoint(
            VpcEndpointId=endpoint, AddSubnetIds=[*after - before], RemoveSubnetIds=[*before - after]
        )
        return original_resource

    def remove(self) -> None:
        client("ec2", self.region).delete_vpc_endpoints(VpcEndpointIds=[self.physical_resource_id])


class HostedZone(Adapter):
    """Creates the private zone; moto's own model makes a public one."""

    TYPE = "AWS::Route53::HostedZone"

    @classmethod
    def make(cls, region: str, name: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        (vpc,) = properties["VPCs"]
        made = client("route53", region).create_hosted_zone(
            Name=properties["Name"],
            CallerReference=f"{name}-{vpc['VPCId']}",
            HostedZoneConfig={"PrivateZone": True},
            VPC={"VPCId": vpc["VPCId"], "VPCRegion": vpc["VPCRegion"]},
        )
        zone = made["HostedZone"]["Id"].rpartition("/")[2]
        return zone, {"Id": zone}

    def remove(self) -> None:
        client("route53", self.region).delete_hosted_zone(Id=self.physical_resource_id)

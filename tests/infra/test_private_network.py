"""The host and the functions in the VPC of the user, and beside an endpoint of a private cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.flavours import PRIVATELINK, SERVERLESS, SMALLEST
from tests.infra.rehearsal.stage import Stage, open_stage

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "us-east-1"
HOST, HOST_OF_STAGE = "community-metrics-host", "community-metrics-link-host"
SERVERLESS_STACK = "community-metrics-serverless"
pytestmark = pytest.mark.timeout(1200)  # the first test runs every deploy


@dataclass(frozen=True, slots=True)
class Private:
    """The user's network, and what boto3 reads after each deploy."""

    vpc: str
    public: str
    private: list[str]
    host_in_a_vpc: dict[str, Any]
    host_privatelink: dict[str, Any]
    moved: dict[str, Any]
    functions_in_a_vpc: dict[str, Any]
    functions_privatelink: dict[str, Any]


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Private]:
    with open_stage(tmp_path_factory.mktemp("stage")) as stage:
        stage.bootstrap(REGION)
        ec2 = stage.client("ec2", REGION)
        vpc = ec2.create_vpc(CidrBlock="172.20.0.0/16")["Vpc"]["VpcId"]
        public, *private = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"172.20.{number}.0/24")["Subnet"]["SubnetId"]
            for number in range(3)
        ]
        in_a_vpc = {"vpc_id": vpc, "public_subnet_id": public, "private_subnet_ids": private}
        zone_a, zone_b = ({"availability_zone": f"us-east-1{letter}"} for letter in "ab")

        def deployed(stack: str, **content: Any) -> dict[str, Any]:
            stage.write_settings(content)
            stage.deploy(REGION, stack)
            return read(stage)

        # a stack of its own: moto cannot move a stack to another VPC and change it afterwards
        link = {**SMALLEST, **PRIVATELINK, "stage": "link"}
        yield Private(
            vpc,
            public,
            private,
            host_privatelink=deployed(HOST_OF_STAGE, **link, **zone_a),
            moved=deployed(HOST_OF_STAGE, **link, **zone_b),
            host_in_a_vpc=deployed(HOST, **SMALLEST, **in_a_vpc),
            functions_in_a_vpc=deployed(SERVERLESS_STACK, **SERVERLESS, **in_a_vpc),
            functions_privatelink=deployed(SERVERLESS_STACK, **SERVERLESS, **PRIVATELINK, **zone_b),
        )


def read(stage: Stage) -> dict[str, Any]:
    """Return the running instances, functions, endpoints, private zones and NAT gateways."""
    ec2, route53 = stage.client("ec2", REGION), stage.client("route53", REGION)
    found = ec2.describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])
    functions = stage.client("lambda", REGION).list_functions()["Functions"]
    zones = [zone["Id"] for zone in route53.list_hosted_zones()["HostedZones"]]
    return {
        "boxes": [box for reservation in found["Reservations"] for box in reservation["Instances"]],
        "addresses": ec2.describe_addresses()["Addresses"],
        "functions": functions,
        "subnets": {subnet["SubnetId"]: subnet for subnet in ec2.describe_subnets()["Subnets"]},
        "endpoints": ec2.describe_vpc_endpoints()["VpcEndpoints"],
        "gateways": ec2.describe_nat_gateways()["NatGateways"],
        "records": {
            zone["VPCs"][0]["VPCId"]: route53.list_resource_record_sets(
                HostedZoneId=zone["HostedZone"]["Id"]
            )["ResourceRecordSets"]
            for zone in (route53.get_hosted_zone(Id=id_) for id_ in zones)
        },
    }


def only(items: list[dict[str, Any]]) -> dict[str, Any]:
    (item,) = items
    return item


def test_the_host_is_in_the_public_subnet_of_the_users_vpc(private: Private) -> None:
    found = private.host_in_a_vpc
    box = only([box for box in found["boxes"] if box["VpcId"] == private.vpc])

    assert box["SubnetId"] == private.public
    assert box["InstanceId"] in {address.get("InstanceId") for address in found["addresses"]}


@pytest.mark.parametrize("state", ["host_privatelink", "moved"])
def test_the_endpoint_of_the_cluster_is_in_the_subnet_of_the_host(private: Private, state: str) -> None:
    found = getattr(private, state)
    box, endpoint = only(found["boxes"]), only(found["endpoints"])

    assert endpoint["ServiceName"] == PRIVATELINK["privatelink_service"]
    assert endpoint["SubnetIds"] == [box["SubnetId"]]


def test_a_move_to_another_zone_keeps_the_endpoint(private: Private) -> None:
    before, after = private.host_privatelink, private.moved

    assert only(after["endpoints"])["VpcEndpointId"] == only(before["endpoints"])["VpcEndpointId"]
    assert only(after["boxes"])["Placement"]["AvailabilityZone"] == "us-east-1b"
    assert only(after["addresses"])["PublicIp"] == only(before["addresses"])["PublicIp"]
    assert only(after["addresses"])["InstanceId"] == only(after["boxes"])["InstanceId"]


def test_in_the_vpc_of_the_host_the_name_of_the_cluster_leads_to_the_endpoint(private: Private) -> None:
    box, endpoint = only(private.moved["boxes"]), only(private.moved["endpoints"])
    record = only([item for item in private.moved["records"][box["VpcId"]] if item["Type"] == "A"])

    assert record["Name"] == "metrics.lancedb.example."
    assert endpoint["VpcEndpointId"] in record["AliasTarget"]["DNSName"]


def test_the_functions_are_in_the_private_subnets_of_the_users_vpc(private: Private) -> None:
    for function in private.functions_in_a_vpc["functions"]:
        assert sorted(function["VpcConfig"]["SubnetIds"]) == sorted(private.private)


def test_beside_an_endpoint_the_functions_are_in_a_private_subnet_with_a_nat_gateway(
    private: Private,
) -> None:
    found = private.functions_privatelink
    networks = {tuple(function["VpcConfig"]["SubnetIds"]) for function in found["functions"]}
    ((subnet,),) = networks
    gateway = only(found["gateways"])

    assert found["subnets"][subnet]["CidrBlock"] == "10.0.10.0/24"
    assert gateway["VpcId"] == found["subnets"][subnet]["VpcId"]
    assert gateway["SubnetId"] != subnet
    assert subnet in {id_ for endpoint in found["endpoints"] for id_ in endpoint["SubnetIds"]}

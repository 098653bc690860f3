"""The networks: their zones, the user's VPC, the endpoint of a private cluster; and what makes a new host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.infra.flavours import IN_A_VPC, PRIVATELINK
from tests.infra.resolve import resolve

if TYPE_CHECKING:
    from tests.infra.conftest import Assembly

VPC = IN_A_VPC["vpc_id"]
LINKS = [("host-privatelink", "host"), ("serverless-privatelink", "serverless")]


def subnet_of(assembly: Assembly) -> tuple[str, dict[str, Any]]:
    """Return the logical id and the properties of the only subnet."""
    resources = assembly.stacks["host"]["Resources"]
    ((name, subnet),) = [item for item in resources.items() if item[1]["Type"] == "AWS::EC2::Subnet"]
    return name, resolve(subnet["Properties"])


def instance_id(assembly: Assembly) -> str:
    """Return the logical id of the instance."""
    resources = assembly.stacks["host"]["Resources"].items()
    found: list[str] = [name for name, item in resources if item["Type"] == "AWS::EC2::Instance"]
    (name,) = found
    return name


def test_the_subnets_of_two_zones_can_exist_side_by_side(assemblies: dict[str, Assembly]) -> None:
    (one, first), (other, second) = (subnet_of(assemblies[name]) for name in ("cluster-port", "zone-b"))

    assert one != other
    assert (first["CidrBlock"], second["CidrBlock"]) == ("10.0.0.0/24", "10.0.2.0/24")
    assert second["AvailabilityZone"] == "us-east-1b"
    assert first["Ipv6CidrBlock"]["Fn::Select"][0] != second["Ipv6CidrBlock"]["Fn::Select"][0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cluster-port", "zone-b"),
        ("smallest", "other-type"),
        ("smallest", "with-ipv6"),
        ("host-privatelink", "other-cluster"),
        ("smallest", "host-in-a-vpc"),
    ],
)
def test_the_change_makes_another_instance_that_must_signal(
    assemblies: dict[str, Assembly], one: str, other: str
) -> None:
    before, after = assemblies[one], assemblies[other]
    (instance,) = after.resources("AWS::EC2::Instance")

    assert instance_id(before) != instance_id(after)
    assert instance["CreationPolicy"] == {"ResourceSignal": {"Timeout": "PT20M"}}


def test_every_setting_that_changes_the_instance_makes_another_one(smallest: Assembly) -> None:
    """CloudFormation changes the other properties in place, without a gate."""
    properties = set(smallest.properties("AWS::EC2::Instance"))
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", "AWS::EC2::Instance").schema
    replacing = schema["createOnlyProperties"] + schema["conditionalCreateOnlyProperties"]
    named = {path.rpartition("/")[2] for path in replacing} & properties

    # all of them are facts in the user data, of which the logical id is a digest
    assert named == {"BlockDeviceMappings", "ImageId", "InstanceType", "NetworkInterfaces", "UserData"}


def test_the_zone_of_the_instance_is_that_of_its_subnet(assemblies: dict[str, Assembly]) -> None:
    for name in ("smallest", "zone-b", "host-in-a-vpc"):
        instance = resolve(assemblies[name].properties("AWS::EC2::Instance"))

        assert "AvailabilityZone" not in instance
        subnet = instance["NetworkInterfaces"][0]["SubnetId"]
        assert subnet == (IN_A_VPC["public_subnet_id"] if name == "host-in-a-vpc" else subnet)


def test_nothing_turns_off_the_automatic_recovery_of_ec2(smallest: Assembly) -> None:
    assert not smallest.resources("AWS::EC2::LaunchTemplate")  # the only place of MaintenanceOptions
    assert "LaunchTemplate" not in smallest.properties("AWS::EC2::Instance")


def test_a_new_instance_is_not_slow_for_lack_of_credits(assemblies: dict[str, Assembly]) -> None:
    for name in ("smallest", "fullest"):
        instance = assemblies[name].properties("AWS::EC2::Instance")

        assert instance["CreditSpecification"] == {"CPUCredits": "unlimited"}


def test_in_the_users_vpc_only_a_security_group_is_created(assemblies: dict[str, Assembly]) -> None:
    for name, stack in (("host-in-a-vpc", "host"), ("serverless-in-a-vpc", "serverless")):
        template = assemblies[name].stacks[stack]
        network = {
            resource["Type"]
            for resource in template["Resources"].values()
            if resource["Type"].startswith("AWS::EC2::")
        }

        assert network - {"AWS::EC2::Instance", "AWS::EC2::EIP", "AWS::EC2::EIPAssociation"} == {
            "AWS::EC2::SecurityGroup"
        }
        assert assemblies[name].properties("AWS::EC2::SecurityGroup")["VpcId"] == VPC
        assert resolve(template["Outputs"]["SecurityGroup"]["Value"]) == "<NetworkFirewall.GroupId>"


@pytest.mark.parametrize(
    ("flavour", "subnets"),
    [
        ("serverless-in-a-vpc", IN_A_VPC["private_subnet_ids"]),
        ("serverless-privatelink", ["<NetworkVpcPrivateSubnet1Subnet>"]),
    ],
)
def test_both_functions_are_in_the_private_subnets(
    assemblies: dict[str, Assembly], flavour: str, subnets: list[str]
) -> None:
    functions = assemblies[flavour].properties_of("AWS::Lambda::Function")

    assert [resolve(function["VpcConfig"]) for function in functions] == [
        {"SecurityGroupIds": ["<NetworkFirewall.GroupId>"], "SubnetIds": subnets}
    ] * 2


def test_without_a_private_network_the_functions_are_in_none(serverless: Assembly) -> None:
    assert not any("VpcConfig" in found for found in serverless.properties_of("AWS::Lambda::Function"))


def test_functions_reach_registries_and_aws_through_a_nat_gateway(assemblies: dict[str, Assembly]) -> None:
    assembly = assemblies["serverless-privatelink"]
    routes = [resolve(route) for route in assembly.properties_of("AWS::EC2::Route")]

    assert {route["RouteTableId"]: route["NatGatewayId"] for route in routes if "NatGatewayId" in route} == {
        "<NetworkVpcPrivateSubnet1RouteTable>": "<NetworkVpcPublicSubnet1NATGateway>"
    }
    for function in assembly.resources("AWS::Lambda::Function"):
        assert any("PrivateSubnet1DefaultRoute" in name for name in function["DependsOn"])


@pytest.mark.parametrize(("flavour", "stack"), LINKS)
def test_the_endpoint_of_the_cluster_can_be_used_by_this_deployment_only(
    assemblies: dict[str, Assembly], flavour: str, stack: str
) -> None:
    endpoint = resolve(assemblies[flavour].properties("AWS::EC2::VPCEndpoint", stack))
    rule = resolve(assemblies[flavour].properties("AWS::EC2::SecurityGroupIngress", stack))

    assert endpoint["ServiceName"] == PRIVATELINK["privatelink_service"]
    assert endpoint["SecurityGroupIds"] == [rule["GroupId"]]
    assert rule["SourceSecurityGroupId"] == "<NetworkFirewall.GroupId>"
    assert (rule["FromPort"], rule["ToPort"]) == (8443, 8443)


@pytest.mark.parametrize(("flavour", "stack"), LINKS)
def test_the_name_on_the_clusters_certificate_leads_to_the_endpoint(
    assemblies: dict[str, Assembly], flavour: str, stack: str
) -> None:
    zone = assemblies[flavour].properties("AWS::Route53::HostedZone", stack)
    record = assemblies[flavour].properties("AWS::Route53::RecordSet", stack)

    assert zone["Name"] == record["Name"] == "metrics.lancedb.example."
    assert resolve(zone["VPCs"]) == [{"VPCId": "<NetworkVpc>", "VPCRegion": "us-east-1"}]
    assert "DnsEntries" in str(record["AliasTarget"])


def test_the_host_boots_after_its_way_to_the_cluster_exists(assemblies: dict[str, Assembly]) -> None:
    (instance,) = assemblies["host-privatelink"].resources("AWS::EC2::Instance")

    assert any(name.startswith("NetworkClusterName") for name in instance["DependsOn"])


@pytest.mark.parametrize("flavour", ["host-privatelink", "serverless-in-a-vpc"])
def test_the_command_for_the_secrets_of_a_private_cluster_does_not_check_them(
    assemblies: dict[str, Assembly], flavour: str
) -> None:
    command = assemblies[flavour].stacks["secrets"]["Outputs"]["Next"]["Value"]

    assert command.endswith(" --unchecked")
    assert "--unchecked" not in assemblies["smallest"].stacks["secrets"]["Outputs"]["Next"]["Value"]

"""The host moves: to another zone, to another instance type, to a new box with nothing else changed.

Only the stack of the host is deployed; `test_rehearsal.py` deploys all. moto deletes the old instance
before it creates the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.infra.flavours import SMALLEST
from tests.infra.node import ROOT
from tests.infra.rehearsal.readback import World, read_back
from tests.infra.rehearsal.stage import Stage, open_stage

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-central-1"
HOST = "community-metrics-host"
pytestmark = pytest.mark.timeout(1200)  # the first test runs every deploy


@dataclass(frozen=True, slots=True)
class Moves:
    """The state of AWS after each deploy, and the difference to AWS after the last."""

    stage: Stage
    first: World
    moved: World
    other_type: World
    replaced: World
    difference: str


@pytest.fixture(scope="module")
def moves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moves]:
    with open_stage(tmp_path_factory.mktemp("stage")) as stage:
        stage.bootstrap(REGION)
        made = stage.client("route53", REGION).create_hosted_zone(Name="example.org", CallerReference="moves")
        zone = made["HostedZone"]["Id"].rpartition("/")[2]
        host = {**SMALLEST, "region": REGION}
        worlds = []
        for change in (
            {"availability_zone": "eu-central-1a"},
            {"availability_zone": "eu-central-1b"},
            {"availability_zone": "eu-central-1b", "instance_type": "t4g.medium"},
        ):
            stage.write_settings({**host, **change})
            stage.deploy(REGION, HOST)
            worlds.append(read_back(stage, REGION, zone))
        stage.python("infra.replace_host", "deployment.toml")
        stage.deploy(REGION, HOST)
        worlds.append(read_back(stage, REGION, zone))
        difference = stage.cdk(
            "diff", HOST, "--exclusively", "--fail", "--method=template", region=REGION
        ).stdout
        first, moved, other_type, replaced = worlds
        yield Moves(stage, first, moved, other_type, replaced, difference)


def assert_only_the_instance_is_new(old: World, new: World) -> None:
    """Another instance has the same address, and the alarms watch it."""
    assert new.box["InstanceId"] != old.box["InstanceId"]
    assert new.address["PublicIp"] == old.address["PublicIp"]
    assert new.address["InstanceId"] == new.box["InstanceId"]
    for name in ("status-check", "cpu-credits"):
        (watched,) = new.alarms[name]["Dimensions"]
        assert watched["Value"] == new.box["InstanceId"]


def zone_of(world: World) -> str:
    zone: str = world.box["Placement"]["AvailabilityZone"]
    return zone


def test_another_zone_gets_a_new_instance_with_the_same_address(moves: Moves) -> None:
    assert_only_the_instance_is_new(moves.first, moves.moved)
    assert (zone_of(moves.first), zone_of(moves.moved)) == ("eu-central-1a", "eu-central-1b")


def test_only_the_subnet_of_the_new_zone_is_left(moves: Moves) -> None:
    found = moves.stage.client("ec2", REGION).describe_subnets(
        Filters=[{"Name": "vpc-id", "Values": [moves.moved.box["VpcId"]]}]
    )["Subnets"]

    assert [(subnet["AvailabilityZone"], subnet["CidrBlock"]) for subnet in found] == [
        ("eu-central-1b", "10.0.2.0/24")
    ]
    assert moves.moved.box["VpcId"] == moves.first.box["VpcId"]


def test_another_instance_type_gets_a_new_instance_with_the_same_address(moves: Moves) -> None:
    assert_only_the_instance_is_new(moves.moved, moves.other_type)
    assert moves.other_type.box["InstanceType"] == "t4g.medium"
    assert moves.other_type.facts["sha256"] == moves.moved.facts["sha256"]


def test_one_command_replaces_the_instance_by_the_same_one(moves: Moves) -> None:
    old, new = moves.other_type, moves.replaced

    assert_only_the_instance_is_new(old, new)
    assert {key: value for key, value in new.facts.items() if key not in {"instance", "resource"}} == {
        key: value for key, value in old.facts.items() if key not in {"instance", "resource"}
    }
    assert (new.box["InstanceType"], zone_of(new)) == (old.box["InstanceType"], zone_of(old))


def test_the_status_checks_of_the_host_can_be_read(moves: Moves) -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    _, _, query = runbook.partition("describe-instance-status --include-all-instances --query '")
    box = moves.replaced.box["InstanceId"]

    pages = moves.stage.client("ec2", REGION).get_paginator("describe_instance_status")
    found = pages.paginate(InstanceIds=[box], IncludeAllInstances=True).search(query.partition("'")[0])
    assert list(found) == [[box, "running", "ok", "ok"]]


def test_the_next_deploy_replaces_nothing(moves: Moves) -> None:
    assert "Number of stacks with differences: 0" in moves.difference

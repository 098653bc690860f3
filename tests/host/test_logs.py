"""The journal on its way to CloudWatch, where the deployment says so: in order, and whole after an outage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.names import LogGroup
from tests.host.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.host.box import Box
    from tests.host.world import World

UNIT = "community-metrics-logs.service"
SWITCH = """python3 - <<'END'
import json, sys
path = "/var/lib/community-metrics/deployment.json"
facts = json.load(open(path))
sys.path.insert(0, f"/opt/community-metrics/releases/{facts['sha256'][:16]}/host")
import edge
edge.switch_log_shipping(on=ON)
END"""


@pytest.fixture(scope="module")
def talker(make_module_box: Callable[..., Box]) -> Box:
    """A box of its own, installed, whose journal is not shipped yet."""
    box = make_module_box(installed=True)
    box.boot()
    box.stop_collecting()
    return box


@pytest.fixture
def shipping(talker: Box) -> Iterator[Box]:
    """The box as `ship_logs = true` leaves it."""
    talker.succeeds(SWITCH.replace("ON", "True"))
    yield talker
    talker.succeeds(SWITCH.replace("ON", "False"))


def test_without_the_switch_nothing_is_shipped(world: World, talker: Box) -> None:
    assert talker.run(f"systemctl is-active {UNIT}").stdout == "inactive\n"
    assert streams(world, talker, LogGroup.HOST_SYSTEM) == []


def test_each_line_goes_to_its_group_from_the_boot_on(world: World, shipping: Box) -> None:
    shipping.succeeds(
        "curl --silent --fail --unix-socket /run/community-metrics/api.sock http://box/api/v1/health"
    )
    shipping.succeeds("systemd-run --quiet --wait --unit=community-metrics-job-proof-1 echo of-the-jobs")
    shipping.run("systemd-run --quiet --wait --unit=community-metrics-job-proof-2 false")
    shipping.succeeds(r"printf 'before\342\200\250after' | logger --tag=proof")
    shipping.succeeds("logger --tag=proof of-the-system")

    eventually(lambda: found(world, shipping, LogGroup.HOST_API, "/api/v1/health"), 40)
    eventually(lambda: found(world, shipping, LogGroup.HOST_JOBS, "echo: of-the-jobs"), 20)
    failed = "systemd: community-metrics-job-proof-2.service: Failed with result 'exit-code'."
    eventually(lambda: found(world, shipping, LogGroup.HOST_JOBS, failed), 20)
    eventually(lambda: found(world, shipping, LogGroup.HOST_SYSTEM, "proof: of-the-system"), 20)
    assert found(world, shipping, LogGroup.HOST_SYSTEM, "proof: before\u2028after")
    assert found(world, shipping, LogGroup.HOST_SYSTEM, "systemd: Startup finished in ")


def test_no_line_is_lost_and_none_is_out_of_order_when_cloudwatch_was_away(
    world: World, shipping: Box
) -> None:
    eventually(lambda: streams(world, shipping, LogGroup.HOST_SYSTEM)[0], 40)
    world.stop("aws")
    try:
        shipping.succeeds("for n in $(seq 500); do echo during-the-outage-$n; done | logger --tag=proof")
        eventually(lambda: has_said(shipping, "CloudWatch takes no lines"), 60)
        shipping.succeeds(f"systemctl kill --signal=KILL {UNIT}")
        shipping.succeeds("echo during-the-outage-501 | logger --tag=proof")
    finally:
        world.start("aws")

    eventually(lambda: found(world, shipping, LogGroup.HOST_SYSTEM, "during-the-outage-501"), 90)
    lines = found(world, shipping, LogGroup.HOST_SYSTEM, "proof: during-the-outage-")
    assert lines == [f"proof: during-the-outage-{number}" for number in range(1, 502)]


def test_the_shipper_is_nobody_who_could_change_anything(shipping: Box) -> None:
    shown = shipping.succeeds(f"systemctl show --property=User --property=CapabilityBoundingSet {UNIT}")

    assert sorted(shown.splitlines()) == ["CapabilityBoundingSet=", "User=cm-logs"]


def streams(world: World, box: Box, group: LogGroup) -> list[str]:
    """Return the box's streams in a group."""
    known = world.client("logs").describe_log_streams(
        logGroupName=str(group), logStreamNamePrefix=box.hostname
    )
    return [stream["logStreamName"] for stream in known["logStreams"]]


def found(world: World, box: Box, group: LogGroup, words: str) -> list[str]:
    """Return the box's lines in a group with these words in them, in CloudWatch's order."""
    client, lines = world.client("logs"), []
    for stream in streams(world, box, group):
        told = client.get_log_events(logGroupName=str(group), logStreamName=stream, startFromHead=True)
        lines += [event["message"] for event in told["events"] if words in event["message"]]
    assert lines
    return lines


def has_said(box: Box, words: str) -> bool:
    assert words in box.journal(UNIT)
    return True

"""Shipping the journal to CloudWatch, which is the default: in order, and complete after an outage."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from infra.host import ship_logs
from infra.names import LogGroup
from tests.host.waiting import eventually
from tests.infra.rehearsal.readback import logged

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
def shipping(make_module_box: Callable[..., Box]) -> Box:
    """An installed box with the default, `ship_logs = true`."""
    box = make_module_box(installed=True)
    box.boot()
    box.stop_collecting()
    return box


@pytest.fixture
def silent(shipping: Box) -> Iterator[Box]:
    """The box with `ship_logs = false`."""
    shipping.succeeds(SWITCH.replace("ON", "False"))
    yield shipping
    shipping.succeeds(SWITCH.replace("ON", "True"))


def test_without_ship_logs_nothing_is_shipped(world: World, silent: Box) -> None:
    silent.succeeds("logger --tag=proof not-shipped")
    time.sleep(2 * ship_logs.POLL_INTERVAL_S)

    assert silent.run(f"systemctl is-active {UNIT}").stdout == "inactive\n"
    assert "proof: not-shipped" not in "".join(logged(world.client("logs"), LogGroup.HOST_SYSTEM).values())


def test_each_entry_since_the_boot_goes_to_its_group(world: World, shipping: Box) -> None:
    shipping.succeeds(
        "curl --silent --fail --unix-socket /run/community-metrics/api.sock http://localhost/api/v1/health"
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


def test_no_entry_is_lost_or_out_of_order_after_an_outage_of_cloudwatch(world: World, shipping: Box) -> None:
    eventually(lambda: streams(world, shipping, LogGroup.HOST_SYSTEM)[0], 40)
    world.stop("aws")
    try:
        shipping.succeeds(f"systemctl restart {UNIT}")  # an open connection would survive the stop
        shipping.succeeds("for n in $(seq 500); do echo during-the-outage-$n; done | logger --tag=proof")
        eventually(lambda: has_logged(shipping, "CloudWatch is unavailable"), 60)
        shipping.succeeds(f"systemctl kill --signal=KILL {UNIT}")
        shipping.succeeds("echo during-the-outage-501 | logger --tag=proof")
    finally:
        world.start("aws")

    eventually(lambda: found(world, shipping, LogGroup.HOST_SYSTEM, "during-the-outage-501"), 90)
    lines = found(world, shipping, LogGroup.HOST_SYSTEM, "proof: during-the-outage-")
    assert lines == [f"proof: during-the-outage-{number}" for number in range(1, 502)]


def test_the_log_shipper_has_no_privileges(shipping: Box) -> None:
    shown = shipping.succeeds(f"systemctl show --property=User --property=CapabilityBoundingSet {UNIT}")

    assert sorted(shown.splitlines()) == ["CapabilityBoundingSet=", "User=cm-logs"]


def streams(world: World, box: Box, group: LogGroup) -> list[str]:
    """Return the box's streams in a group."""
    known = world.client("logs").describe_log_streams(
        logGroupName=str(group), logStreamNamePrefix=box.hostname
    )
    return [stream["logStreamName"] for stream in known["logStreams"]]


def found(world: World, box: Box, group: LogGroup, text: str) -> list[str]:
    """Return the box's events in a group that contain this text, in CloudWatch's order."""
    client, lines = world.client("logs"), []
    for stream in streams(world, box, group):
        response = client.get_log_events(logGroupName=str(group), logStreamName=stream, startFromHead=True)
        lines += [event["message"] for event in response["events"] if text in event["message"]]
    assert lines
    return lines


def has_logged(box: Box, text: str) -> bool:
    assert text in box.journal(UNIT)
    return True

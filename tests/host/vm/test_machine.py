"""What systemd-nspawn does not enforce, on a real kernel: limits, the denied metadata service, the clock.

The order matters: one machine, two boots.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from tests.host.ledger import Ledger
from tests.host.waiting import eventually

if TYPE_CHECKING:
    from tests.host.vm.machine import Machine
    from tests.host.world import World

REFRESH = "community-metrics-weekly-refresh"
CATCH_UP = "community-metrics-catch-up"
API = "community-metrics-api.service"
MONDAY = datetime(2027, 1, 4, 5, 40, tzinfo=UTC)
LATER_TUESDAY = datetime(2027, 1, 12, 9, 0, tzinfo=UTC)
SOCKET = "curl --silent --max-time 60 --unix-socket /run/community-metrics/api.sock http://api/api/v1/health"
METADATA = (
    "curl --silent --max-time 10 --output /dev/null --request PUT http://169.254.169.254/latest/api/token"
)
TOKEN = f"{METADATA} --header 'X-aws-ec2-metadata-token-ttl-seconds: 60'"
ALLOCATE = "python3 -c 'bytes([1]) * (1200 << 20)'"
THREADS = (
    "python3 -c 'from threading import Event, Thread;"
    " [Thread(target=Event().wait, daemon=True).start() for _ in range(400)]'"
)
CURL_CANNOT_CONNECT = (7, 28)
RUN_S = 400


@pytest.fixture(scope="module")
def monday(world: World, machine: Machine) -> Machine:
    """The machine on a Monday before 06:00, after its first run."""
    world.registry.today = date(2027, 1, 4)
    machine.boot(MONDAY)
    eventually(lambda: assert_runs_since(world, MONDAY, ["success"]), RUN_S)
    return machine


def inside(unit: str, command: str) -> str:
    """Return a script that runs a command in the control group of a unit, with the unit's limits."""
    group = f"/sys/fs/cgroup$(systemctl show --value --property ControlGroup {unit})"
    return f'group={group}; sh -c "echo \\$\\$ > $group/cgroup.procs; exec {command}"'


def assert_runs_since(world: World, start: datetime, states: list[str]) -> None:
    runs = [view.state for view in Ledger(world).runs() if view.run.started_at >= start]
    assert runs == states


def test_the_api_cannot_reach_the_metadata_service(monday: Machine) -> None:
    assert monday.run(inside(API, TOKEN)).returncode != 0
    assert monday.run(TOKEN).returncode == 0  # the host can


def test_a_job_cannot_reach_the_metadata_service(monday: Machine) -> None:
    unit = "community-metrics-job-proof.service"  # the name gives it the sandbox of a job

    tried = monday.run(f"systemd-run --quiet --wait --collect --unit={unit} {TOKEN}")

    assert tried.returncode in CURL_CANNOT_CONNECT, tried.stderr


def test_the_api_is_killed_and_restarted_beyond_its_memory_limit(monday: Machine) -> None:
    before = restarts(monday)

    assert monday.run(inside(API, ALLOCATE)).returncode != 0
    assert '"status":"ok"' in monday.wait_until(SOCKET)
    assert "oom" in monday.succeeds("journalctl --dmesg --no-pager; journalctl --no-pager -u " + API).lower()
    assert restarts(monday) > before


def test_the_memory_of_the_api_is_accounted(monday: Machine) -> None:
    assert int(monday.succeeds(f"systemctl show --value --property MemoryCurrent {API}")) > 1 << 20


def test_the_api_cannot_start_unlimited_threads(monday: Machine) -> None:
    assert "can't start new thread" in monday.run(inside(API, THREADS)).stderr


def test_the_timer_fires_on_monday_at_06_00(world: World, monday: Machine) -> None:
    monday.succeeds("date --set '2027-01-04 05:59:50'")
    six = datetime(2027, 1, 4, 6, 0, tzinfo=UTC)

    eventually(lambda: assert_runs_since(world, six, ["success"]), RUN_S)
    assert started_at(monday).startswith("Mon 2027-01-04 06:00:0")


def test_a_missed_monday_is_run_once(world: World, monday: Machine) -> None:
    world.registry.today = LATER_TUESDAY.date()
    monday.cut_power()
    monday.boot(LATER_TUESDAY)

    eventually(lambda: assert_runs_since(world, LATER_TUESDAY, ["success"]), RUN_S)
    # the catch-up runs twice after a boot, perhaps during the refresh; the last one finds a complete week
    monday.wait_until(f"journalctl --quiet --boot --unit={CATCH_UP} --grep='is complete'", RUN_S)
    assert_runs_since(world, LATER_TUESDAY, ["success"])
    assert monday.succeeds(f"journalctl --quiet --boot --unit={REFRESH} --grep='^Starting ' | wc -l") == "1\n"


def restarts(machine: Machine) -> int:
    return int(machine.succeeds(f"systemctl show --value --property NRestarts {API}"))


def started_at(machine: Machine) -> str:
    return machine.succeeds(f"systemctl show --value --property ExecMainStartTimestamp {REFRESH}.service")

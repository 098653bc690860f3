"""Secrets: each reader has only its own, none leaks, and a rotated one is fetched."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.host import probe
from tests.host.ledger import Ledger
from tests.host.search import PLACES, VALUES, found
from tests.host.waiting import eventually
from tests.host.world import SECRETS
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.host.box import Box
    from tests.host.world import World

RENEW = "community-metrics-secrets"
REFRESH = "community-metrics-weekly-refresh"
IS_WORKING = "pgrep --full 'jobs[.]weekly_refresh'"  # the pattern does not match the shell that has it
HOUR_S = 3600
PROBES = {"api": probe.probed_as_the_api, "jobs": probe.probed_as_a_job}
OWN = {
    "api": ["cm_complete", "cm_lancedb_api_key", "cm_lancedb_host_override", "cm_lancedb_uri"],
    "jobs": [
        "cm_complete",
        "cm_github_token",
        "cm_lancedb_api_key",
        "cm_lancedb_host_override",
        "cm_lancedb_uri",
    ],
}
READY = "curl --silent --fail --max-time 15 --unix-socket /run/community-metrics/api.sock http://localhost/api/v1/ready"


@pytest.mark.parametrize("reader", PROBES)
def test_a_reader_can_access_its_own_credentials_only(box: Box, reader: str) -> None:
    results = PROBES[reader](box)

    assert results.pop("credentials") == OWN[reader]
    assert [name for name, is_allowed in results.items() if is_allowed] == []


def test_each_reader_has_its_own_key(box: Box) -> None:
    for reader, key in (("api", "lancedb-read-key"), ("jobs", "lancedb-write-key")):
        held = box.succeeds(f"cat /run/community-metrics/secrets/{reader}/lancedb_api_key")
        assert held == SECRETS[key]
    assert (
        box.succeeds("findmnt --noheadings --output=FSTYPE --target=/run/community-metrics/secrets")
        == "tmpfs\n"
    )


@pytest.fixture
def working(world: World, box: Box) -> Iterator[Box]:
    """The shared box during a run, so that a job is visible."""
    world.registries.always("*", Scripted(hang=True))
    box.succeeds(f"systemctl start --no-block {REFRESH}")
    eventually(lambda: assert_running(Ledger(world)), 30)
    yield box
    box.succeeds(f"systemctl stop {REFRESH}")
    world.stop("registries")
    world.start("registries")


def test_no_secret_is_visible(working: Box) -> None:
    seen = {place: found(working, command, VALUES) for place, command in PLACES.items()}

    working.succeeds(IS_WORKING)
    assert seen == {place: [] for place in PLACES}


def test_the_search_finds_a_secret(box: Box) -> None:
    assert found(box, "cat /etc/hostname", ["nowhere", box.hostname]) == [box.hostname]


@pytest.fixture
def entries(world: World, box: Box) -> Iterator[None]:
    """Restores the first values in Secrets Manager, LanceDB and the box."""
    yield
    world.lancedb.read_key, world.lancedb.write_key = (
        SECRETS["lancedb-read-key"],
        SECRETS["lancedb-write-key"],
    )
    for key in ("lancedb-read-key", "lancedb-write-key"):
        put(world, key, SECRETS[key])
    box.succeeds(f"systemctl start {RENEW}")
    box.wait_until(READY)


def test_rotated_secrets_are_fetched_within_the_hour(box: Box) -> None:
    (timer,) = json.loads(box.succeeds(f"systemctl list-timers --output=json {RENEW}.timer"))
    calendar = box.succeeds(f"systemctl show --property=TimersCalendar {RENEW}.timer")

    assert 0 <= timer["next"] / 1e6 - time.time() <= HOUR_S
    assert "OnCalendar=*-*-* *:00/15:00" in calendar


@pytest.mark.usefixtures("entries")
def test_a_rotated_key_reaches_the_api_and_the_jobs(world: World, box: Box) -> None:
    world.lancedb.read_key, world.lancedb.write_key = "read-key-rotated", "write-key-rotated"
    put(world, "lancedb-read-key", "read-key-rotated")
    put(world, "lancedb-write-key", "write-key-rotated")
    assert box.run(READY).returncode != 0

    box.succeeds(f"systemctl start {RENEW}")  # as the timer does

    box.wait_until(READY)
    assert world.lancedb.log[-1].headers["x-api-key"] == "read-key-rotated"
    box.succeeds("cm-job bootstrap_tables")
    assert {entry.headers["x-api-key"] for entry in world.lancedb.requests("merge_insert")[-2:]} == {
        "write-key-rotated"
    }


@pytest.mark.usefixtures("entries")
def test_an_invalid_value_is_reported_and_changes_nothing(world: World, box: Box) -> None:
    serving = box.succeeds("systemctl show --property=MainPID community-metrics-api")
    put(world, "lancedb-read-key", "half a key")
    box.succeeds(f"systemctl start --no-block {RENEW}")

    eventually(lambda: assert_logged(box, "api: ", "CM_LANCEDB_API_KEY: holds a space"), 30)
    assert box.succeeds("systemctl show --property=MainPID community-metrics-api") == serving
    box.succeeds(READY)
    assert "half a key" not in box.journal()

    put(world, "lancedb-read-key", SECRETS["lancedb-read-key"])
    box.wait_until(
        f"systemctl show --property=ActiveState,Result {RENEW} | grep -c -e =inactive -e =success | grep 2"
    )


BOOTSTRAP = """
release=$(echo /opt/community-metrics/releases/*)
python3 $release/host/bootstrap.py $release /var/lib/community-metrics/deployment.json
"""


@pytest.mark.usefixtures("entries")
def test_a_boot_with_a_rejected_key_fails_with_the_reason(world: World, box: Box) -> None:
    put(world, "lancedb-write-key", "a-key-of-another-cluster")

    box.succeeds(f"systemctl start {RENEW}")
    booted = box.run(BOOTSTRAP, limit_s=120)

    assert booted.returncode == 1
    assert "lancedb-write-key was rejected. LanceDB at db://rehearsal" in booted.stdout
    assert booted.stdout.splitlines()[-1].startswith("bootstrap, keys: ")
    assert "a-key-of-another-cluster" not in booted.stdout


def assert_running(ledger: Ledger) -> None:
    assert ledger.runs()[0].state == "running"


def put(world: World, key: str, value: str) -> None:
    world.client("secretsmanager").put_secret_value(SecretId=f"community-metrics/{key}", SecretString=value)


def assert_logged(box: Box, *parts: str) -> None:
    logged = box.journal(RENEW, lines=30)
    assert [part for part in parts if part not in logged] == []

"""Only a box that can serve takes the address; any other signals why, and the old box keeps the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.names import LogGroup
from tests.host.box import BoxError
from tests.host.imds import instance_id
from tests.host.waiting import eventually
from tests.infra.rehearsal.readback import logged, newest_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.host.box import Box
    from tests.host.world import World

HEALTH = "/api/v1/health"
CERTIFICATE_S = 90
READINESS = "community-metrics-readiness"


@pytest.fixture(scope="module")
def serving(world: World, make_module_box: Callable[..., Box]) -> Box:
    """The old box, which has the address and a certificate."""
    old = make_module_box(installed=True)
    old.boot()
    old.stop_collecting()
    old.take_address()
    old.succeeds("systemctl start --no-block community-metrics-certificate.service")
    eventually(lambda: world.get(HEALTH).raise_for_status(), CERTIFICATE_S)
    return old


def reason(world: World, box: Box) -> str:
    """Return what the box wrote to the boot log."""
    texts = logged(world.client("logs"), LogGroup.BOOT)
    (text,) = (text for name, text in texts.items() if name.startswith(f"{instance_id(box.address)}-"))
    return text


def test_a_box_that_cannot_reach_storage_signals_the_reason_and_the_old_one_keeps_the_address(
    world: World, serving: Box, make_box: Callable[..., Box]
) -> None:
    new = make_box()
    new.boot()
    world.stop("lancedb")
    try:
        with pytest.raises(BoxError, match="the user data exited with 1"):
            new.bootstrap()
    finally:
        world.start("lancedb")

    last = world.aws.signals[-1]
    assert (last["Status"], last["UniqueId"]) == ("FAILURE", instance_id(new.address))
    log = reason(world, new)
    assert "The keys of LanceDB cannot be used: " in log
    assert log.splitlines()[-1].startswith("bootstrap, keys: ")
    timers = new.run("systemctl list-timers --no-legend 'community-metrics-*'").stdout
    assert timers == ""  # it starts no run
    assert world.get(HEALTH).status_code == 200


def test_a_box_that_never_becomes_ready_signals_the_reason_and_the_old_one_keeps_the_address(
    world: World, serving: Box, make_box: Callable[..., Box]
) -> None:
    new = make_box(installed=True)
    new.boot()
    new.stop_collecting()
    folder = "/etc/systemd/system/community-metrics-api.service.d"
    unresolved = "[Service]\\nInaccessiblePaths=/etc/resolv.conf /etc/hosts\\n"  # the check of the keys works
    new.succeeds(f"printf '{unresolved}' > {folder}/90-unresolved.conf && systemctl daemon-reload")
    new.succeeds("systemctl restart community-metrics-api.service")

    with pytest.raises(BoxError, match="the user data exited with 1"):
        new.bootstrap()

    last = world.aws.signals[-1]
    assert (last["Status"], last["UniqueId"]) == ("FAILURE", instance_id(new.address))
    expected = "bootstrap, ready: not ready within 60 s: GET /api/v1/ready on /run/community-metrics/api.sock"
    assert reason(world, new).splitlines()[-1].startswith(f"{expected} returned 503: ")
    assert world.get(HEALTH).status_code == 200


def test_a_box_whose_nginx_cannot_start_signals_the_reason_and_the_old_one_keeps_the_address(
    world: World, serving: Box, make_box: Callable[..., Box]
) -> None:
    new = make_box(installed=True)
    new.boot()
    new.stop_collecting()
    new.succeeds("systemctl stop nginx && systemd-run --quiet --unit=squatter python3 -m http.server 443")

    with pytest.raises(BoxError, match="the user data exited with 1"):
        new.bootstrap()

    last = world.aws.signals[-1]
    assert (last["Status"], last["UniqueId"]) == ("FAILURE", instance_id(new.address))
    assert "bootstrap, nginx: " in reason(world, new).splitlines()[-1]
    assert world.get(HEALTH).status_code == 200


def test_a_mirror_that_is_down_delays_the_updates_and_not_the_take_over(
    world: World, serving: Box, make_box: Callable[..., Box]
) -> None:
    new = make_box(installed=True)
    new.boot()
    new.stop_collecting()
    facts = world.deployment.facts
    release = f"/opt/community-metrics/releases/{facts['sha256'][:16]}"
    # a bootstrap by hand has no stand-in for the bucket, so the unit restores the certificate before it
    new.succeeds("systemctl start community-metrics-certificate.service")
    eventually(
        lambda: new.succeeds(f"test -e /etc/letsencrypt/live/{facts['api_host']}/privkey.pem"), CERTIFICATE_S
    )
    world.stop("packages")
    try:
        printed = new.succeeds(
            f"python3 {release}/host/bootstrap.py {release} /var/lib/community-metrics/deployment.json",
            limit_s=200,
        )
    finally:
        world.start("packages")

    assert "== security updates" in printed
    assert printed.splitlines()[-1] == "== timers"


def test_the_readiness_of_a_box_and_its_5xx_responses_are_reported(world: World, serving: Box) -> None:
    serving.run("cm-job bootstrap_tables")  # refused while a run holds the database, which then has tables
    serving.succeeds(f"systemctl start {READINESS}")
    assert newest_value(world.client("cloudwatch"), "Ready") == 1
    before = newest_value(world.client("cloudwatch"), "ServerErrors")

    world.stop("lancedb")
    try:
        for _ in range(3):
            assert world.get("/api/v1/ready").status_code == 503
        serving.succeeds(f"systemctl start {READINESS}")
    finally:
        world.start("lancedb")

    assert newest_value(world.client("cloudwatch"), "Ready") == 0
    assert newest_value(world.client("cloudwatch"), "ServerErrors") >= before + 3
    assert "not ready: GET /api/v1/ready" in serving.journal(READINESS, lines=20)

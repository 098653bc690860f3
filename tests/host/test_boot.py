"""From boot to a verified answer and the first week's rows without a hand; a second run does nothing."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from community_metrics.weeks import days_between
from tests.host.listing import differences, listing
from tests.host.waiting import eventually
from tests.support.registry import PYPI

if TYPE_CHECKING:
    from tests.host.box import Box
    from tests.host.world import World

METRIC, PACKAGE = "downloads:lance:python", "pylance"
CERTIFICATE_S = 90  # a box without a certificate keeps trying, with back-off
FIRST_RUN_S = 120  # the catch-up looks half a minute after boot; then the run itself
# what a run that changes nothing may still touch
FLEETING = {
    "run": "tmpfs", "tmp": "tmpfs", "proc": "kernel", "sys": "kernel", "dev": "kernel",
    "var/log": "the run is logged", "var/cache/apt": "apt's own", "var/lib/apt": "apt's own",
    "var/lib/dpkg/lock*": "apt's own", "var/lib/systemd": "stamps of timers", "var/tmp": "services' own",
    "var/lib/nginx": "bodies in flight", "var/cache/nginx": "answers kept", "var/lib/private": "the same",
}  # fmt: skip


def test_the_boot_signals_success(world: World, box: Box) -> None:
    assert (world.aws.signals[0]["Status"], world.aws.signals[0]["UniqueId"][:8]) == ("SUCCESS", "release ")


def test_the_box_asks_as_its_role_by_imdsv2_alone(world: World, box: Box) -> None:
    asked = [(path, status) for client, path, status in world.imds.asked if client == box.address]

    assert ("/latest/api/token", 200) in asked
    assert 401 not in {status for _, status in asked}


def test_nothing_on_the_box_has_failed(box: Box) -> None:
    assert box.succeeds("systemctl --failed --no-legend --plain") == ""


def test_health_is_answered_over_verified_tls(world: World, box: Box) -> None:
    answer = eventually(lambda: world.get("/api/v1/health"), CERTIFICATE_S)

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_the_first_weekly_refresh_comes_by_itself_and_the_api_shows_its_rows(world: World, box: Box) -> None:
    week = eventually(lambda: newest_complete_week(world), CERTIFICATE_S + FIRST_RUN_S)

    days = days_between(date.fromisoformat(week["period_start"]), date.fromisoformat(week["period_end"]))
    assert week["value"] == sum(world.registry.value(PYPI, PACKAGE, day) or 0 for day in days)
    assert week["provenance"] == "api"


def test_a_second_bootstrap_changes_nothing(world: World, box: Box) -> None:
    release = f"/opt/community-metrics/releases/{world.deployment.facts['sha256'][:16]}"
    eventually(lambda: newest_complete_week(world), CERTIFICATE_S + FIRST_RUN_S)
    before, services = listing(box.disk, FLEETING), running_since(box)

    box.succeeds(
        f"python3 {release}/host/bootstrap.py {release} /var/lib/community-metrics/deployment.json",
        limit_s=200,
    )

    assert differences(before, listing(box.disk, FLEETING)) == {}
    assert running_since(box) == services


def running_since(box: Box) -> str:
    """Return when the long-lived services were started."""
    services = "community-metrics-api.service community-metrics-api.socket nginx.service ssh.service"
    return box.succeeds(f"systemctl show --property=Id,ActiveEnterTimestampMonotonic {services}")


def newest_complete_week(world: World) -> dict[str, Any]:
    """Return the newest week of a metric that has all its days, as the API shows it."""
    body = world.get(f"/api/v1/dashboard/weekly?metric_id={METRIC}&weeks=2").raise_for_status().json()
    (metric,) = (metric for product in body["products"] for metric in product["metrics"])
    week: dict[str, Any] = [point for point in metric["points"] if point["complete"]][-1]
    return week

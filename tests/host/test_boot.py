"""A new host serves the API and its first rows without manual steps; and what the user data does to the disk.

Each file that differs from a bare disk is of the asset, of a package, or in a list with a reason. A second
bootstrap changes nothing.
"""

from __future__ import annotations

import re
import stat
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.periods import days_between
from tests.host.asset import installed_by_the_asset, packaged, release_files
from tests.host.box import Box
from tests.host.imds import instance_id
from tests.host.listing import Entry, differences, digest, listing, matches
from tests.host.search import PLACES, VALUES, found
from tests.host.tree import base_tree
from tests.host.waiting import eventually
from tests.support.columns import points_of
from tests.support.registry import PYPI

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.host.world import World

METRIC, PACKAGE = "downloads:lance:python", "pylance"
CERTIFICATE_S = 90  # a box without a certificate retries with back-off
FIRST_RUN_S = 120  # the catch-up starts 30 s after boot; then the run itself
# paths that may change in a run that changes nothing
VOLATILE = {
    "run": "tmpfs", "tmp": "tmpfs", "proc": "kernel", "sys": "kernel", "dev": "kernel",
    "var/log": "the run is logged", "var/cache/apt": "files of apt", "var/lib/apt": "files of apt",
    "var/lib/dpkg/lock*": "files of apt", "var/lib/systemd": "timer stamps", "var/tmp": "files of services",
    "var/lib/nginx": "request bodies", "var/lib/private": "as above",
    "var/lib/community-metrics-logs/cursor": "the position of the log shipper",
}  # fmt: skip
# folders with programs and settings; the rest of the disk is data
PROGRAM_FOLDERS = ("boot/*", "etc/*", "home/*", "opt/*", "root/*", "srv/*", "usr/*", "var/spool/*")
UNIT = "/*/systemd/system/*"
LINKS = {  # the allowed targets of links; the targets are checked separately
    "etc/systemd/system/*.wants/*": UNIT,
    "etc/systemd/system/*.requires/*": UNIT,
    "etc/systemd/system/dbus-org.*": UNIT,
    "etc/systemd/system/certbot.timer": "/dev/null",  # replaced by our timer
    "etc/nginx/modules-enabled/*": "/usr/share/nginx/modules-available/*",
    "etc/nginx/sites-enabled/default": "/etc/nginx/sites-available/default",  # not included
    "etc/alternatives/*": "/usr/*",
    "etc/rc?.d/*": "../init.d/*",
    "opt/community-metrics/current": "/opt/community-metrics/venvs/*",
    "usr/bin/*": "/etc/alternatives/*",
    "usr/share/man/*": "/etc/alternatives/*",
}
FIRST_BOOT = {
    "etc/.updated": "systemd, at any first boot",
    "etc/machine-id": "systemd, at any first boot",
    "etc/ssh/ssh_host_*": "cloud-init, at any first boot",
    "etc/resolv.conf": "DHCP on EC2",
}
CONSEQUENCES = {  # of the asset and the packages
    "etc/group*": "users of the asset and of packages",
    "etc/gshadow*": "users of the asset and of packages",
    "etc/passwd*": "users of the asset and of packages",
    "etc/shadow*": "users of the asset and of packages",
    "etc/subuid*": "users of the asset and of packages",
    "etc/subgid*": "users of the asset and of packages",
    "etc/.pwd.lock": "users of the asset and of packages",
    "etc/ld.so.cache": "packages",
    "etc/apt/sources.list": "unattended-upgrade, where there is none",
    "etc/ssl/certs/*": "update-ca-certificates",
    "etc/letsencrypt/*": "certbot: the certificate, requested or restored",
    "etc/community-metrics.env": "the settings in the user data",
    "etc/community-metrics/secrets.json": "the names of secrets in the user data",
    "opt/community-metrics/releases/*": "the unpacked asset; compared below",
    "opt/community-metrics/venvs/*": "requirements.lock, by hash, and the asset's wheel",
    "usr/*.pyc": "Python, on installing",
}


@pytest.fixture(scope="module")
def box(world: World) -> Iterator[Box]:
    """A box with a bare disk that its user data installs, without the cache."""
    box = Box(world, "bare", [base_tree()])
    try:
        box.boot()
        box.bootstrap()
        box.take_address()
        yield box
    finally:
        box.remove()


def test_the_boot_signals_success(world: World, box: Box) -> None:
    sent = [(signal["Status"], signal["UniqueId"]) for signal in world.aws.signals]
    assert sent == [("SUCCESS", instance_id(box.address))]


def test_the_host_uses_imdsv2_only(world: World, box: Box) -> None:
    requests = [(path, status) for client, path, status in world.imds.requests if client == box.address]

    assert ("/latest/api/token", 200) in requests
    assert 401 not in {status for _, status in requests}


@pytest.mark.parametrize("place", PLACES)
def test_the_installation_leaks_no_secret(box: Box, place: str) -> None:
    assert "cloud-final" in box.journal("cloud-final")  # the log of the user data
    assert found(box, PLACES[place], VALUES) == []


def test_no_unit_has_failed(box: Box) -> None:
    assert box.succeeds("systemctl --failed --no-legend --plain") == ""


def test_a_new_deployment_has_tables_before_the_boot_signals_success(box: Box) -> None:
    log = box.journal("cloud-final")

    assert "== tables" in log
    assert "cm-job: " in log or "bootstrap" in log.partition("== tables")[2].partition("== ready")[0]


def test_the_health_route_answers_over_verified_tls(world: World, box: Box) -> None:
    response = eventually(lambda: world.get("/api/v1/health"), CERTIFICATE_S)

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_the_first_weekly_refresh_starts_automatically_and_the_api_serves_its_rows(
    world: World, box: Box
) -> None:
    week = eventually(lambda: newest_complete_week(world), CERTIFICATE_S + FIRST_RUN_S)

    days = days_between(date.fromisoformat(week["period_start"]), date.fromisoformat(week["period_end"]))
    assert week["value"] == sum(world.registry.value(PYPI, PACKAGE, day) or 0 for day in days)
    assert week["provenance"] == "api"


def test_a_second_bootstrap_changes_nothing(world: World, box: Box) -> None:
    release = f"/opt/community-metrics/releases/{world.deployment.facts['sha256'][:16]}"
    eventually(lambda: newest_complete_week(world), CERTIFICATE_S + FIRST_RUN_S)
    before, services = listing(box.disk, VOLATILE), running_since(box)

    box.succeeds(
        f"python3 {release}/host/bootstrap.py {release} /var/lib/community-metrics/deployment.json",
        limit_s=200,
    )

    assert differences(before, listing(box.disk, VOLATILE)) == {}
    assert running_since(box) == services


# files on the disk


def test_a_bare_disk_has_only_the_rig_files(make_box: Callable[..., Box]) -> None:
    bare = make_box()

    files = {path for path, entry in listing(bare.changes).items() if not entry.is_folder}
    assert files == set(bare.rig_files)


def test_every_rig_file_is_the_ca_an_endpoint_or_a_file_of_ec2(make_box: Callable[..., Box]) -> None:
    reasons = "the trusted test CA|endpoint|cloud-init writes it|as above|DHCP on EC2"

    assert [file for file in make_box().rig_files.values() if not re.match(reasons, file.reason)] == []


def test_every_changed_file_is_of_the_asset_or_of_a_package(world: World, box: Box) -> None:
    changed = {
        path: entry
        for path, entry in listing(box.changes).items()
        if matches(path, PROGRAM_FOLDERS) and not entry.is_folder
    }
    explained = {**FIRST_BOOT, **CONSEQUENCES, **box.rig_files}

    unexplained = [
        path
        for path, entry in changed.items()
        if not (matches(path, explained) or is_allowed_link(path, entry))
    ]
    owned = packaged(box)
    asset = installed_by_the_asset(world)
    assert [path for path in unexplained if path not in owned | asset.keys()] == []


@pytest.mark.parametrize("entry", [Entry(0o100755, (0, 0), "digest"), Entry(0o120777, (0, 0), "/opt/any")])
@pytest.mark.parametrize("link", LINKS)
def test_a_program_or_another_target_in_the_place_of_a_link_is_found(link: str, entry: Entry) -> None:
    assert not is_allowed_link(link.replace("?", "2").replace("*", "any"), entry)


def test_every_file_of_the_asset_is_installed_unchanged_with_its_mode(world: World, box: Box) -> None:
    files = installed_by_the_asset(world)
    different = [path for path, file in files.items() if not file.is_at(box.file(path))]

    assert different == []


def test_the_unpacked_release_equals_the_asset(world: World, box: Box) -> None:
    folder = box.file(f"opt/community-metrics/releases/{world.deployment.facts['sha256'][:16]}")
    unpacked = {
        path: entry.content for path, entry in listing(folder, ["*.pyc"]).items() if not entry.is_folder
    }

    assert unpacked == {path: digest(content) for path, (content, _) in release_files(world).items()}


def test_only_the_asset_changes_files_of_packages(world: World, box: Box) -> None:
    changed = {line.rpartition(" /")[2] for line in box.run("dpkg --verify").stdout.splitlines()}

    assert changed - installed_by_the_asset(world).keys() == set()


def is_allowed_link(path: str, entry: Entry) -> bool:
    """Return whether this is a link of LINKS with an allowed target."""
    return stat.S_ISLNK(entry.mode) and any(
        matches(path, [link]) and matches(entry.content, [target]) for link, target in LINKS.items()
    )


def running_since(box: Box) -> str:
    """Return the start times of the services."""
    services = "community-metrics-api.service community-metrics-api.socket nginx.service ssh.service"
    return box.succeeds(f"systemctl show --property=Id,ActiveEnterTimestampMonotonic {services}")


def newest_complete_week(world: World) -> dict[str, Any]:
    """Return the newest complete week of a metric from the API."""
    body = world.get(f"/api/v1/dashboard/weekly?metric_id={METRIC}&weeks=2").raise_for_status().json()
    week: dict[str, Any] = [point for point in points_of(body, METRIC) if point["complete"]][-1]
    return week

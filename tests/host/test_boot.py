"""From boot to a verified answer and the first week's rows without a hand; and what user data does to a disk.

What differs from a bare disk is the asset's, a package's, or on a list with a reason. Twice is once.
"""

from __future__ import annotations

import re
import stat
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.periods import days_between
from tests.host.asset import laid_by_the_asset, packaged, release_files
from tests.host.box import Box
from tests.host.imds import instance_id
from tests.host.listing import Entry, differences, digest, fits, listing
from tests.host.search import KEPT_SECRET, OPEN_PLACES, found
from tests.host.tree import base_tree
from tests.host.waiting import eventually
from tests.support.registry import PYPI

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.host.world import World

METRIC, PACKAGE = "downloads:lance:python", "pylance"
CERTIFICATE_S = 90  # a box without a certificate keeps trying, with back-off
FIRST_RUN_S = 120  # the catch-up looks half a minute after boot; then the run itself
# what a run that changes nothing may still touch
FLEETING = {
    "run": "tmpfs", "tmp": "tmpfs", "proc": "kernel", "sys": "kernel", "dev": "kernel",
    "var/log": "the run is logged", "var/cache/apt": "apt's own", "var/lib/apt": "apt's own",
    "var/lib/dpkg/lock*": "apt's own", "var/lib/systemd": "stamps of timers", "var/tmp": "services' own",
    "var/lib/nginx": "bodies in flight", "var/lib/private": "the same",
}  # fmt: skip
# where files decide what runs; the rest of the disk is data
DECIDING = ("boot/*", "etc/*", "home/*", "opt/*", "root/*", "srv/*", "usr/*", "var/spool/*")
UNIT = "/*/systemd/system/*"
LINKS = {  # where each may lead; what it leads to is looked at by itself
    "etc/systemd/system/*.wants/*": UNIT,
    "etc/systemd/system/*.requires/*": UNIT,
    "etc/systemd/system/dbus-org.*": UNIT,
    "etc/systemd/system/certbot.timer": "/dev/null",  # our own timer renews
    "etc/nginx/modules-enabled/*": "/usr/share/nginx/modules-available/*",
    "etc/nginx/sites-enabled/default": "/etc/nginx/sites-available/default",  # which we do not read
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
CONSEQUENCES = {  # of what the asset and the packages ask for
    "etc/group*": "users of the asset and of packages",
    "etc/gshadow*": "users of the asset and of packages",
    "etc/passwd*": "users of the asset and of packages",
    "etc/shadow*": "users of the asset and of packages",
    "etc/subuid*": "users of the asset and of packages",
    "etc/subgid*": "users of the asset and of packages",
    "etc/.pwd.lock": "users of the asset and of packages",
    "etc/ld.so.cache": "packages",
    "etc/ssl/certs/*": "update-ca-certificates",
    "etc/letsencrypt/*": "certbot: the certificate, from the authority or from the bucket",
    "etc/community-metrics.env": "the settings in the user data",
    "etc/community-metrics/secrets.json": "the names of secrets in the user data",
    "opt/community-metrics/releases/*": "the asset, unpacked; compared with it below",
    "opt/community-metrics/venvs/*": "requirements.lock, by hash, and the asset's wheel",
    "usr/*.pyc": "Python, on installing",
}


@pytest.fixture(scope="module")
def box(world: World) -> Iterator[Box]:
    """A box that its user data installs there and then, on a bare disk; nowhere else must it be so."""
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


def test_the_box_asks_as_its_role_by_imdsv2_alone(world: World, box: Box) -> None:
    asked = [(path, status) for client, path, status in world.imds.asked if client == box.address]

    assert ("/latest/api/token", 200) in asked
    assert 401 not in {status for _, status in asked}


@pytest.mark.parametrize("place", OPEN_PLACES)
def test_installing_lets_no_secret_out(box: Box, place: str) -> None:
    assert "cloud-final" in box.journal("cloud-final")  # the user data speaks there
    assert found(box, OPEN_PLACES[place], KEPT_SECRET) == []


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


# what lies on the disk


def test_before_user_data_the_disk_has_the_rig_files_and_no_others(make_box: Callable[..., Box]) -> None:
    bare = make_box()

    files = {path for path, entry in listing(bare.changes).items() if not entry.is_folder}
    assert files == set(bare.rig_files)


def test_every_rig_file_is_the_ca_an_endpoint_or_what_ec2_itself_gives(make_box: Callable[..., Box]) -> None:
    reasons = "the trusted test CA|endpoint|cloud-init writes it|likewise|DHCP gives it"

    assert [file for file in make_box().rig_files.values() if not re.match(reasons, file.reason)] == []


def test_every_file_that_differs_is_the_assets_or_a_packages(world: World, box: Box) -> None:
    changed = {
        path: entry
        for path, entry in listing(box.changes).items()
        if fits(path, DECIDING) and not entry.is_folder
    }
    explained = {**FIRST_BOOT, **CONSEQUENCES, **box.rig_files}

    strangers = [
        path for path, entry in changed.items() if not (fits(path, explained) or leads_as_it_may(path, entry))
    ]
    owned = packaged(box)
    asset = laid_by_the_asset(world)
    assert [path for path in strangers if path not in owned | asset.keys()] == []


@pytest.mark.parametrize("entry", [Entry(0o100755, (0, 0), "digest"), Entry(0o120777, (0, 0), "/opt/any")])
@pytest.mark.parametrize("link", LINKS)
def test_a_program_in_the_place_of_a_link_is_a_stranger(link: str, entry: Entry) -> None:
    assert not leads_as_it_may(link.replace("?", "2").replace("*", "any"), entry)


def test_what_the_asset_lays_is_laid_byte_by_byte_and_with_its_mode(world: World, box: Box) -> None:
    laid = laid_by_the_asset(world)
    unlike = [path for path, file in laid.items() if not file.is_at(box.file(path))]

    assert unlike == []


def test_the_unpacked_release_is_the_asset(world: World, box: Box) -> None:
    folder = box.file(f"opt/community-metrics/releases/{world.deployment.facts['sha256'][:16]}")
    unpacked = {
        path: entry.holds for path, entry in listing(folder, ["*.pyc"]).items() if not entry.is_folder
    }

    assert unpacked == {path: digest(content) for path, (content, _) in release_files(world).items()}


def test_no_file_of_a_package_was_changed_but_by_the_asset(world: World, box: Box) -> None:
    changed = {line.rpartition(" /")[2] for line in box.run("dpkg --verify").stdout.splitlines()}

    assert changed - laid_by_the_asset(world).keys() == set()


def leads_as_it_may(path: str, entry: Entry) -> bool:
    """Say whether this is a link of LINKS, to a place where it may lead."""
    return stat.S_ISLNK(entry.mode) and any(
        fits(path, [link]) and fits(entry.holds, [target]) for link, target in LINKS.items()
    )


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

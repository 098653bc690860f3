"""Only user data changes the disk: what differs is the asset's, a package's, or on a list with a reason."""

from __future__ import annotations

import re
import stat
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.host.listing import Entry, digest, fits, listing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.host.box import Box
    from tests.host.world import World

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


def packaged(box: Box) -> set[str]:
    """Return every path that a package owns, /bin and /lib being links into /usr."""
    owned = set()
    for file in box.file("var/lib/dpkg/info").glob("*.list"):
        paths = file.read_text(encoding="utf-8").splitlines()
        owned |= {re.sub(r"^/(bin|sbin|lib|lib64)/", r"usr/\1/", path).lstrip("/") for path in paths}
    return owned | conffiles(box)


def conffiles(box: Box) -> set[str]:
    """Return the configuration files that packages brought, whole."""
    found = set()
    for file in box.file("var/lib/dpkg/info").glob("*.conffiles"):
        found |= {path.lstrip("/") for path in file.read_text(encoding="utf-8").split()}
    return found


@dataclass(frozen=True, slots=True)
class Laid:
    """A file that the release lays: its content as a pattern, with gaps for facts, and its mode."""

    pattern: bytes
    mode: int

    def is_at(self, path: Path) -> bool:
        """Say whether the file at this path is that one."""
        is_alike = re.fullmatch(self.pattern, path.read_bytes()) is not None
        return is_alike and stat.S_IMODE(path.stat().st_mode) == self.mode


def laid_by_the_asset(world: World) -> dict[str, Laid]:
    """Return what the release lays into the file system, by path."""
    laid = {}
    for path, (content, mode) in release_files(world).items():
        _, folder, place = (*path.split("/", 2), "", "")[:3]
        pattern = re.escape(content)
        if folder == "files":
            laid[place] = Laid(pattern, mode)
        elif folder == "templates":
            laid[place] = Laid(re.sub(rb"@[A-Z_]+@", rb"[^\n]*", pattern), 0o644)
    return laid


def release_files(world: World) -> dict[str, tuple[bytes, int]]:
    """Return the content and the mode of each file of the release, by path."""
    with tarfile.open(world.deployment.release) as archive:
        found = {}
        for member in archive.getmembers():
            content = archive.extractfile(member)
            if content is not None:
                found[member.name] = (content.read(), member.mode)
    return found

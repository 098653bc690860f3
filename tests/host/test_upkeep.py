"""Configuration files and units, SSH logins, updates, the journal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.host.box import Box

API = "community-metrics-api"
LIBRARY = "/usr/lib/*/libpcre2-8.so.0"  # nginx's and sshd's, not the API's
MAX_EXPOSURE = {
    "nginx.service": 2.5,  # binds 80 and 443 and becomes another user
    "community-metrics-certificate.service": 1.6,  # root without capabilities, for the key's owner
    "community-metrics-logs.service": 1.2,
}


# configuration files and units


def test_the_configuration_of_nginx_is_valid(box: Box) -> None:
    done = box.run("nginx -t")

    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok",
        "nginx: configuration file /etc/nginx/nginx.conf test is successful",
    ]


def test_the_units_are_valid(box: Box) -> None:
    done = box.run(
        "cd /etc/systemd/system && systemd-analyze verify --man=no nginx.service "
        "$(ls -d community-metrics-*.service community-metrics-*.timer community-metrics-*.socket)"
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("unit", MAX_EXPOSURE)
def test_the_exposure_of_the_other_units_is_limited(box: Box, unit: str) -> None:
    output = box.succeeds(f"systemd-analyze security --no-pager {unit} | tail -1")
    found = re.search(r"exposure level for \S+: ([\d.]+)", output)

    assert found
    assert float(found[1]) <= MAX_EXPOSURE[unit]


def test_debians_certbot_timer_is_masked(box: Box) -> None:
    assert box.run("systemctl is-enabled certbot.timer").stdout == "masked\n"


# logins


def test_a_login_needs_a_key(box: Box) -> None:
    lines = set(box.succeeds("sshd -T").splitlines())

    assert {
        "permitrootlogin no", "passwordauthentication no", "kbdinteractiveauthentication no",
        "authenticationmethods publickey", "allowtcpforwarding no", "allowagentforwarding no",
        "allowstreamlocalforwarding no", "x11forwarding no", "permittunnel no",
    } <= lines  # fmt: skip
    tried = box.run(
        "ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o ConnectTimeout=5 "
        "-o PreferredAuthentications=password,keyboard-interactive root@127.0.0.1 true"
    )
    assert "Permission denied (publickey)" in tried.stderr


def test_only_security_updates_are_automatic_with_a_reboot_at_night(box: Box) -> None:
    output = box.succeeds("unattended-upgrade --dry-run --verbose 2>&1", limit_s=90)
    settings = box.succeeds("apt-config dump")
    next_runs = box.succeeds(
        "systemctl show --property=TimersCalendar apt-daily.timer apt-daily-upgrade.timer"
    )

    assert "Allowed origins are: origin=Debian,codename=trixie-security,label=Debian-Security\n" in output
    assert 'Unattended-Upgrade::Automatic-Reboot "true";' in settings
    assert 'Unattended-Upgrade::Automatic-Reboot-Time "00:30";' in settings
    assert 'APT::Periodic::Unattended-Upgrade "1";' in settings
    assert re.findall(r"OnCalendar=(\S+ \S+ UTC)", next_runs) == ["*-*-* 22:00:00 UTC", "*-*-* 23:00:00 UTC"]


def test_only_services_with_a_replaced_library_are_restarted_after_the_updates(box: Box) -> None:
    units = ("nginx", API, "ssh")
    pids = {unit: main_pid(box, unit) for unit in units}
    box.succeeds(f"cp --dereference {LIBRARY} /usr/lib/new && mv /usr/lib/new $(readlink -f {LIBRARY})")
    expected = {
        unit for unit in units if box.run(f"grep -q libpcre2 /proc/{pids[unit]}/maps").returncode == 0
    }

    box.succeeds("/usr/local/libexec/cm-restart-outdated")

    assert "nginx" in expected
    assert API not in expected
    assert {unit for unit in units if main_pid(box, unit) != pids[unit]} == expected
    after = box.succeeds("systemctl show --property=ExecStartPost apt-daily-upgrade.service")
    assert "path=/usr/local/libexec/cm-restart-outdated" in after


def main_pid(box: Box, unit: str) -> str:
    return box.succeeds(f"systemctl show --property=MainPID --value {unit}.service").strip()


def test_the_journal_is_persistent_and_has_a_size_limit(box: Box) -> None:
    shown = box.succeeds("systemd-analyze cat-config systemd/journald.conf")

    assert "SystemMaxUse=1G" in shown
    assert "/var/log/journal/" in box.succeeds("journalctl --header | grep '^File path'")

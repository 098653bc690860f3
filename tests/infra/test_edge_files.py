"""The files of the reverse proxy and of the host: values of the deployment, and values in two places."""

from __future__ import annotations

import re
import subprocess
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from community_metrics.api.problems import DOCUMENTATION, TITLES
from infra.host import edge
from infra.release import HOST_FILES, ROOT
from tests.infra.test_templates import facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.infra.conftest import Assembly

NGINX = HOST_FILES / "files/etc/nginx/community-metrics"
PROBLEMS = (NGINX / "problems.conf").read_text(encoding="utf-8")
KINDS = dict(
    re.findall(r'^    ([a-z-]+) "([^"]+)";$', PROBLEMS.partition("$problem_detail")[0], re.MULTILINE)
)


@pytest.fixture(scope="module")
def site(assemblies: dict[str, Assembly], tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("root")
    edge.write_templates(facts(assemblies["fullest"]), root)
    return (root / "etc/nginx/community-metrics/site.conf").read_text(encoding="utf-8")


def test_the_site_has_the_values_of_the_deployment(site: str) -> None:
    assert site.count("server_name metrics-api.example.org;") == 2
    assert '"https://metrics.example.org" $http_origin;' in site
    assert "@" not in site.replace("@problem", "")


def test_writing_the_templates_again_changes_no_file(assemblies: dict[str, Assembly], tmp_path: Path) -> None:
    edge.write_templates(facts(assemblies["smallest"]), tmp_path)
    site = tmp_path / "etc/nginx/community-metrics/site.conf"
    written = site.stat().st_mtime_ns

    edge.write_templates(facts(assemblies["smallest"]), tmp_path)

    assert site.stat().st_mtime_ns == written


@pytest.mark.parametrize("setting", ["ship_logs", "session_manager"])
def test_logs_are_shipped_and_sessions_opened_unless_the_deployment_turns_it_off(
    assemblies: dict[str, Assembly], setting: str
) -> None:
    assert [facts(assemblies[name])[setting] for name in ("smallest", "fullest")] == [True, False]


def test_the_type_of_every_problem_of_nginx_is_documented() -> None:
    kinds = set(re.findall(r"^    (?:default|\d+) ([a-z-]+);$", PROBLEMS, re.MULTILINE))

    assert f'"type":"{DOCUMENTATION}#$problem_kind"' in (NGINX / "problem.conf").read_text(encoding="utf-8")
    assert kinds == set(KINDS)
    text = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    assert [kind for kind in kinds if f"### {kind}\n" not in text] == []


def test_a_problem_of_nginx_and_of_the_api_has_one_title() -> None:
    assert {kind: KINDS[kind] for kind in KINDS.keys() & TITLES.keys()} == {
        kind: TITLES[kind][1] for kind in KINDS.keys() & TITLES.keys()
    }


def test_the_limits_in_the_message_are_those_of_nginx(site: str) -> None:
    rate = re.search(r"rate=(\d+)r/s", (NGINX / "limits.conf").read_text(encoding="utf-8"))
    at_once = re.search(r"limit_conn connections (\d+);", site)

    assert rate
    assert at_once
    assert f"At most {rate[1]} requests a second and {at_once[1]} at once." in PROBLEMS


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1::5", "2001:db8:1:0:a:b:c:d", True),
        ("2001:db8:0:1::", "2001:db8:0:1:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:a0a::a0a:a0a", "2001:db8:1:a0a:a0a::", True),
        ("2001:db8:1::5", "2001:db8:1:1::5", False),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(one: str, other: str, same: bool) -> None:
    limits = (NGINX / "limits.conf").read_text(encoding="utf-8")
    network = re.search(r'map \$binary_remote_addr \$client \{\n.*\n    "~(.*)" \$1;\n\}', limits)
    assert network

    def client(address: str) -> bytes:
        packed = ip_address(address).packed
        found = re.search(network[1].encode(), packed)
        return found[1] if found else packed

    assert (client(one) == client(other)) is same


@pytest.mark.parametrize(
    ("step", "failing", "last"),
    [
        (
            lambda root: edge.reload_if_changed("ssh", root),
            "try-reload-or-restart",
            "systemctl try-reload-or-restart ssh.service failed; the journal is above",
        ),
        (edge.start_nginx, "restart", "systemctl restart nginx.service failed; the journal is above"),
        (edge.start_nginx, "start", "systemctl start nginx.service failed; the journal is above"),
        (
            lambda root: edge.switch_log_shipping(on=True, root=root),
            "start",
            "systemctl start community-metrics-logs.service failed; the journal is above",
        ),
    ],
    ids=["reload", "restart", "start", "logs"],
)
def test_the_journal_of_a_unit_that_fails_is_in_the_boot_log(
    step: Callable[[Path], None],
    failing: str,
    last: str,
    commands: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    add_command(commands, "systemctl", f'[ "$1" != {failing} ]')
    add_command(commands, "journalctl", "echo unknown directive")

    with pytest.raises(edge.steps.StepError, match=last):
        step(commands.parent)

    assert capfd.readouterr().out == "unknown directive\n"


def test_a_failed_reload_is_retried_and_a_successful_one_is_not_repeated(
    commands: Path, tmp_path: Path
) -> None:
    calls = tmp_path / "calls"
    add_command(commands, "journalctl", "exit 0")
    add_command(commands, "systemctl", "exit 1")
    with pytest.raises(edge.steps.StepError, match=r"systemctl restart nginx\.service failed"):
        edge.reload_if_changed("nginx", tmp_path)

    add_command(commands, "systemctl", f'echo "$*" >>{calls}')
    edge.reload_if_changed("nginx", tmp_path)
    edge.reload_if_changed("nginx", tmp_path)

    assert calls.read_text(encoding="utf-8") == "restart nginx.service\n"


@pytest.mark.parametrize(
    "changed",
    [
        "usr/local/libexec/cm-ship-logs",
        "etc/systemd/system/community-metrics-logs.service",
        "etc/systemd/system/community-metrics-logs.service.d/10-sandbox.conf",
    ],
)
def test_a_changed_log_shipper_is_restarted(changed: str, commands: Path, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    add_command(commands, "systemctl", f'echo "$1" >>{calls}')
    path = tmp_path / "root" / changed
    path.parent.mkdir(parents=True)
    path.write_bytes((HOST_FILES / "files" / changed).read_bytes())
    edge.switch_log_shipping(on=True, root=tmp_path / "root")
    edge.switch_log_shipping(on=True, root=tmp_path / "root")
    calls.unlink()

    path.write_text("changed", encoding="utf-8")
    for _ in range(2):
        edge.switch_log_shipping(on=True, root=tmp_path / "root")

    assert calls.read_text(encoding="utf-8").split() == [
        "add-wants", "try-restart", "start",
        "add-wants", "start",
    ]  # fmt: skip


def test_a_service_that_does_not_restart_does_not_stop_the_other_restarts(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    add_command(tmp_path, "grep", "exit 0")  # every service runs a replaced file
    add_command(
        tmp_path,
        "systemctl",
        f'[ "$1" = show ] && echo 1 && exit\necho "$*" >>{calls}\n[ "$2" != nginx.service ]',
    )

    program = HOST_FILES / "files/usr/local/libexec/cm-restart-outdated"
    ended = subprocess.run([program], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=False)

    assert ended.returncode == 1
    assert calls.read_text(encoding="utf-8").splitlines() == [
        f"try-restart {unit}.service"
        for unit in ("nginx", "community-metrics-api", "community-metrics-logs", "ssh")
    ]


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder at the start of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


def add_command(folder: Path, name: str, script: str) -> None:
    """Add a command to a folder."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


@pytest.mark.parametrize(("failures", "warned"), [(0, False), (2, False), (3, True)])
def test_security_updates_are_tried_three_times_and_do_not_fail_the_boot(
    commands: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    *,
    failures: int,
    warned: bool,
) -> None:
    monkeypatch.setattr(edge, "UPDATE_WAITS_S", (0.0, 0.0))
    count = f'echo >>{tmp_path}/tries; [ "$(wc -l <{tmp_path}/tries)" -gt {failures} ]'
    add_command(commands, "unattended-upgrade", count)

    edge.install_security_updates()

    tries = (tmp_path / "tries").read_text(encoding="utf-8").count("\n")
    assert tries == min(failures + 1, 3)
    assert capfd.readouterr().out.startswith("warning: security updates are not installed: ") is warned


def test_no_scheduled_run_is_active_at_the_reboot() -> None:
    settings = (HOST_FILES / "files/etc/apt/apt.conf.d/52community-metrics").read_text(encoding="utf-8")
    reboot = re.search(r'Automatic-Reboot-Time "(\d\d):(\d\d)"', settings)
    units = HOST_FILES / "files/etc/systemd/system"
    runs = [
        int(hour) + int(minutes) / 60
        for name in ("daily-refresh", "weekly-refresh", "catch-up")
        for hours, minutes in re.findall(
            r"^OnCalendar=.* ([\d,]+):(\d\d):00 UTC",
            (units / f"community-metrics-{name}.timer").read_text(),
            re.MULTILINE,
        )
        for hour in hours.split(",")
    ]

    assert reboot
    at = int(reboot[1]) + int(reboot[2]) / 60
    assert len(runs) == 8
    assert all((at - run) % 24 > 2 for run in runs)  # a run takes at most two hours
    assert all((run - at) % 24 > 2 for run in runs)

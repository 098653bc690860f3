"""What the edge's files say of a deployment, and what two files must say alike."""

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
    edge.lay_templates(facts(assemblies["fullest"]), root)
    return (root / "etc/nginx/community-metrics/site.conf").read_text(encoding="utf-8")


def test_the_site_is_the_deployments(site: str) -> None:
    assert site.count("server_name metrics-api.example.org;") == 2
    assert '"https://metrics.example.org" $http_origin;' in site
    assert "@" not in site.replace("@problem", "")


def test_laying_it_again_touches_nothing(assemblies: dict[str, Assembly], tmp_path: Path) -> None:
    edge.lay_templates(facts(assemblies["smallest"]), tmp_path)
    site = tmp_path / "etc/nginx/community-metrics/site.conf"
    laid = site.stat().st_mtime_ns

    edge.lay_templates(facts(assemblies["smallest"]), tmp_path)

    assert site.stat().st_mtime_ns == laid


def test_logs_are_shipped_where_the_deployment_says_so(assemblies: dict[str, Assembly]) -> None:
    assert [facts(assemblies[name])["ship_logs"] for name in ("smallest", "fullest")] == [False, True]


def test_every_problem_of_nginx_is_explained_where_its_type_says() -> None:
    told = set(re.findall(r"^    (?:default|\d+) ([a-z-]+);$", PROBLEMS, re.MULTILINE))

    assert f'"type":"{DOCUMENTATION}#$problem_kind"' in (NGINX / "problem.conf").read_text(encoding="utf-8")
    assert told == set(KINDS)
    text = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    assert [kind for kind in told if f"### {kind}\n" not in text] == []


def test_a_problem_that_the_api_knows_too_has_one_title() -> None:
    assert {kind: KINDS[kind] for kind in KINDS.keys() & TITLES.keys()} == {
        kind: TITLES[kind][1] for kind in KINDS.keys() & TITLES.keys()
    }


def test_the_limits_that_a_caller_is_told_are_those_of_nginx(site: str) -> None:
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
def test_a_caller_is_an_address_or_a_network_however_it_is_written(one: str, other: str, same: bool) -> None:
    limits = (NGINX / "limits.conf").read_text(encoding="utf-8")
    network = re.search(r'map \$binary_remote_addr \$caller \{\n.*\n    "~(.*)" \$1;\n\}', limits)
    assert network

    def caller(address: str) -> bytes:
        packed = ip_address(address).packed
        found = re.search(network[1].encode(), packed)
        return found[1] if found else packed

    assert (caller(one) == caller(other)) is same


@pytest.mark.parametrize(
    ("step", "failing", "last"),
    [
        (lambda root: edge.tell("ssh", root), "try-reload-or-restart", "ssh.service did not try-reload"),
        (edge.start_nginx, "restart", "nginx.service did not restart; the journal is above"),
        (edge.start_nginx, "start", "nginx.service did not start; the journal is above"),
        (
            lambda root: edge.switch_log_shipping(on=True, root=root),
            "start",
            "community-metrics-logs.service did not start; the journal is above",
        ),
    ],
    ids=["reload", "restart", "start", "logs"],
)
def test_a_unit_of_the_edge_that_fails_says_why_in_the_boot_log(
    step: Callable[[Path], None],
    failing: str,
    last: str,
    commands: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    give(commands, "systemctl", f'[ "$1" != {failing} ]')
    give(commands, "journalctl", "echo unknown directive")

    with pytest.raises(edge.steps.StepError, match=last):
        step(commands.parent)

    assert capfd.readouterr().out == "unknown directive\n"


def test_a_service_that_did_not_take_its_files_is_told_again(commands: Path, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    give(commands, "journalctl", "exit 0")
    give(commands, "systemctl", "exit 1")
    with pytest.raises(edge.steps.StepError):
        edge.tell("nginx", tmp_path)

    give(commands, "systemctl", f'echo "$*" >>{asked}')
    edge.tell("nginx", tmp_path)
    edge.tell("nginx", tmp_path)

    assert asked.read_text(encoding="utf-8") == "restart nginx.service\n"


@pytest.mark.parametrize(
    "changed",
    [
        "usr/local/libexec/cm-ship-logs",
        "etc/systemd/system/community-metrics-logs.service",
        "etc/systemd/system/community-metrics-logs.service.d/10-sandbox.conf",
    ],
)
def test_a_changed_log_shipping_is_taken_up_where_it_runs(
    changed: str, commands: Path, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    give(commands, "systemctl", f'echo "$1" >>{asked}')
    laid = tmp_path / "root" / changed
    laid.parent.mkdir(parents=True)
    laid.write_bytes((HOST_FILES / "files" / changed).read_bytes())
    edge.switch_log_shipping(on=True, root=tmp_path / "root")
    edge.switch_log_shipping(on=True, root=tmp_path / "root")
    asked.unlink()

    laid.write_text("changed", encoding="utf-8")
    for _ in range(2):
        edge.switch_log_shipping(on=True, root=tmp_path / "root")

    assert asked.read_text(encoding="utf-8").split() == [
        "add-wants", "try-restart", "start",
        "add-wants", "start",
    ]  # fmt: skip


def test_a_service_that_does_not_restart_keeps_no_other_from_what_was_updated(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    give(tmp_path, "grep", "exit 0")  # every one of them runs what was replaced
    give(
        tmp_path,
        "systemctl",
        f'[ "$1" = show ] && echo 1 && exit\necho "$*" >>{asked}\n[ "$2" != nginx.service ]',
    )

    program = HOST_FILES / "files/usr/local/libexec/cm-take-up-updates"
    ended = subprocess.run([program], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=False)

    assert ended.returncode == 1
    assert asked.read_text(encoding="utf-8").splitlines() == [
        f"try-restart {unit}.service"
        for unit in ("nginx", "community-metrics-api", "community-metrics-logs", "ssh")
    ]


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose commands are found before the machine's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


def give(folder: Path, name: str, script: str) -> None:
    """Put a command into a folder."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


def test_the_reboot_is_far_from_every_scheduled_run() -> None:
    settings = (HOST_FILES / "files/etc/apt/apt.conf.d/52community-metrics").read_text(encoding="utf-8")
    reboot = re.search(r'Automatic-Reboot-Time "(\d\d):(\d\d)"', settings)
    units = HOST_FILES / "files/etc/systemd/system"
    runs = [
        int(hour)
        for name in ("weekly-refresh", "catch-up")
        for hours in re.findall(
            r"^OnCalendar=.* ([\d,]+):00:00 UTC",
            (units / f"community-metrics-{name}.timer").read_text(),
            re.MULTILINE,
        )
        for hour in hours.split(",")
    ]

    assert reboot
    at = int(reboot[1]) + int(reboot[2]) / 60
    assert len(runs) == 4
    assert all((at - run) % 24 > 2 for run in runs)  # a run that began has its two hours
    assert all((run - at) % 24 > 2 for run in runs)

"""The first `make` on a bare machine: which Node builds the dashboard, and what needs the network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infra.node import NODE_BIN
from tests.infra.rehearsal.stage import PARTS

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
NO_NETWORK = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_FIND_LINKS": "",
    "PIP_EXTRA_INDEX_URL": "",
}


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("12.22.12", False),
        ("18.19.0", False),
        ("20.18.3", False),
        ("20.19.0", True),
        ("21.7.3", False),
        ("22.11.0", False),
        ("22.12.0", True),
        ("24.1.0", True),
    ],
)
def test_the_machines_node_is_used_only_if_the_bundler_runs_on_it(version: str, fits: bool) -> None:
    found = re.search(r"node -e '(.*?)'", MAKEFILE)
    assert found is not None
    script = found[1].replace("$$", "$").replace("process.versions.node", f"'{version}'")
    run = subprocess.run([NODE_BIN / "node", "-e", script], check=False, timeout=60)
    assert (run.returncode == 0) is fits


@pytest.mark.parametrize("machine", ["without Node", "with an old one", "with a new one"])
def test_node_is_installed_where_the_machine_has_none_that_fits(tmp_path: Path, machine: str) -> None:
    for name in ("make", "find", "bash", "sh"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    if machine != "without Node":
        for name in ("node", "npm"):
            (tmp_path / name).write_text(f"#!/bin/sh\nexit {int(machine == 'with an old one')}\n")
            (tmp_path / name).chmod(0o755)
    planned = subprocess.run(
        ["make", "--dry-run", "--always-make", "frontend", f"BIN={tmp_path}/none"],
        cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert ("--group node" in planned.stdout) is (machine != "with a new one")
    assert "ci --omit=dev" in planned.stdout


@pytest.mark.parametrize("target", ["up", "demo"])
def test_a_first_start_needs_no_node(target: str) -> None:
    found = re.search(rf"^{target}: (.*)\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert found is not None
    assert found[1].startswith(".venv/.runtime ##")
    assert "community-metrics" in found[2]
    assert not re.search(r"npm|node|frontend", found[2], re.IGNORECASE)


def test_a_first_make_without_a_network_is_one_message_with_the_fix(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    run = subprocess.run(
        ["make", ".venv/bin/uv"],
        cwd=tmp_path, env=inherited | NO_NETWORK, capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    assert run.returncode == 2
    (message,) = [line for line in run.stderr.splitlines() if not line.startswith(("make", "find"))]
    assert message.startswith("Error: uv could not be downloaded; .venv/pip.log has the reason.")
    assert "Fix: check the access to the Python package index" in message


def test_a_synthesis_without_a_deployment_file_is_one_message_with_the_fix(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)  # a fresh clone: nothing is installed, and nothing has to be
    run = subprocess.run(
        ["make", "synth"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert run.returncode == 2
    (message,) = [line for line in run.stderr.splitlines() if not line.startswith(("make", "find"))]
    assert message == (
        "Error: deployment.toml does not exist. "
        "Fix: run `cp deployment.example.toml deployment.toml` and edit it."
    )
    assert not (tmp_path / ".venv").exists()


@pytest.mark.timeout(300)
def test_a_synthesis_works_with_the_example_copied(tmp_path: Path) -> None:
    for part in (*PARTS, "Makefile", "package.json", "package-lock.json"):
        source = ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, tmp_path / part)
    for installed in (".venv", "node_modules"):
        (tmp_path / installed).symlink_to(ROOT / installed)
    shutil.copy2(ROOT / "deployment.example.toml", tmp_path / "deployment.toml")
    run = subprocess.run(
        ["make", "synth"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=280
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert len(list((tmp_path / "cdk.out").glob("*.template.json"))) == 6

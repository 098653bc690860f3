"""The tests of the deployment need no Node in PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.infra.node import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(240)
def test_pytest_collects_the_infra_tests_without_node_in_path(tmp_path: Path) -> None:
    inherited = {name: value for name, value in os.environ.items() if name != "JSII_NODE"}
    assert shutil.which("node", path=str(tmp_path)) is None
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "tests/infra"],
        cwd=ROOT,
        env={**inherited, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert collected.returncode == 0, collected.stdout + collected.stderr

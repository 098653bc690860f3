"""What `make deploy` refuses before it starts the CDK CLI; `test_deploy.py` deploys."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from infra.session_key import SESSION_KEY
from tests.infra.flavours import SERVERLESS, SMALLEST
from tests.infra.node import ROOT
from tests.infra.rehearsal.stage import as_toml

if TYPE_CHECKING:
    from pathlib import Path

HAS_NO_KEY = not SESSION_KEY.exists()
STARTS_THE_CLI = "The CDK CLI is not in PATH."


def deploy(folder: Path, content: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run the program with a PATH in which there is no CDK CLI."""
    path = folder / "deployment.toml"
    path.write_text(as_toml(content), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "infra.deploy", str(path)],
        cwd=ROOT,
        env={**os.environ, "PATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@pytest.mark.skipif(not HAS_NO_KEY, reason="this tree has the key of Session Manager")
def test_a_host_that_nobody_could_log_in_to_is_not_deployed(tmp_path: Path) -> None:
    done = deploy(tmp_path, SMALLEST)

    assert done.returncode == 1
    assert done.stderr.startswith("infra/host/amazon-ssm-agent.asc is missing")
    assert (
        "Fix: save AWS's public key there (docs/deploy.md, step 1), or set session_manager = false."
        in done.stderr
    )


@pytest.mark.parametrize(
    "content", [{**SMALLEST, "session_manager": False}, SERVERLESS], ids=["without sessions", "functions"]
)
def test_without_sessions_no_key_is_needed(tmp_path: Path, content: dict[str, Any]) -> None:
    done = deploy(tmp_path, content)

    assert done.returncode == 1
    assert done.stderr.startswith(STARTS_THE_CLI)

"""The contract that only `views` reads storage and computes with `series` notices each way around it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "runtime" / "community_metrics", tmp_path / "community_metrics")
    shutil.copy(ROOT / "importlinter-views.toml", tmp_path)
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(LINTER), "importlinter-views.toml", "--no-cache"]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=60)


def test_the_contract_is_kept(copy: Path) -> None:
    assert lint(copy).returncode == 0


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("api/routes/history.py", "from community_metrics.series.points import points"),
        ("api/mappers.py", "from community_metrics.series import summary"),
        ("cli/render/report.py", "from community_metrics.series.freshness import is_stale"),
        ("host/monitor.py", "from community_metrics.storage import LanceDBReader"),
        ("aws/telemetry.py", "from community_metrics.storage.reader import LanceDBReader"),
    ],
)
def test_a_face_that_reads_or_computes_breaks_the_contract(copy: Path, module: str, line: str) -> None:
    path = copy / "community_metrics" / module
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    found = lint(copy)
    assert found.returncode == 1
    assert f"community_metrics.{module.removesuffix('.py').replace('/', '.')} ->" in found.stdout

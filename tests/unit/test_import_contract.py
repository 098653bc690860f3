"""The import contract of `make lint` fails when a folder imports upward, or has no place in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from community_metrics.sources import available_sources

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the contract reads."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "infra", tmp_path / "infra", ignore=skip)
    shutil.copytree(ROOT / "runtime/community_metrics", tmp_path / "runtime/community_metrics", ignore=skip)
    return tmp_path


def lint_imports(tree: Path) -> tuple[int, str]:
    """Return the exit code of import-linter over a tree, and what it printed."""
    linter = (
        "import sys; from importlinter import cli; "
        "sys.path[:0] = ['runtime', '.']; cli.lint_imports_command()"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", linter, "--no-cache"],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_tree_keeps_its_contract(tree: Path) -> None:
    code, printed = lint_imports(tree)
    assert code == 0, printed


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("series.points", "community_metrics.views.selection"),
        ("views.selection", "community_metrics.api.params"),
        ("sources.npm", "community_metrics.sources.crates"),
        ("api.routes.history", "community_metrics.api.routes.badges"),
        ("model.runs", "aws_cdk"),
        ("errors", "infra.names"),
        ("views.selection", "lancedb"),
        ("api.routes.badges", "pyarrow"),
    ],
)
def test_one_forbidden_import_breaks_it(tree: Path, module: str, imported: str) -> None:
    file = tree / "runtime/community_metrics" / f"{module.replace('.', '/')}.py"
    file.write_text(f"{file.read_text()}\n\nimport {imported}\n")
    code, printed = lint_imports(tree)
    assert code == 1
    assert f"community_metrics.{module} -> {imported}" in printed


def test_a_new_folder_without_a_place_breaks_it(tree: Path) -> None:
    folder = tree / "runtime/community_metrics/guesses"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""New."""\n')
    code, printed = lint_imports(tree)
    assert code == 1
    assert "guesses" in printed


def test_the_contract_of_the_sources_names_every_built_in_source() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (named,) = [
        contract["modules"] for contract in contracts if contract["name"] == "No source knows another"
    ]
    assert {type(source).__module__ for source in available_sources().values()} == set(named)

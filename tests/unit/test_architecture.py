"""Imports run one way, and the world is read in one place: the shape that the README promises."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "runtime" / "community_metrics"
ROOT = PACKAGE.parents[1]
MODULES = sorted(PACKAGE.rglob("*.py"))

FORBIDDEN = {
    "sources": ("storage", "jobs", "series", "api", "aws", "host", "cli", "catalog"),
    "storage": ("sources", "jobs", "series", "api", "aws", "host", "cli", "catalog"),
    "jobs": ("series", "api", "host", "cli"),
    "api": ("sources", "jobs", "host", "cli"),
    "aws": ("host", "cli"),
    "host": ("cli",),
}
ALONE = {
    "series": {"model", "weeks"},
    "model": set(),
    "weeks": set(),
    "errors": set(),
    "config": {"errors"},
}


def imported(path: Path) -> set[str]:
    """Return the dotted names that a module imports, under TYPE_CHECKING or not."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
    return names


def own_parts(path: Path) -> set[str]:
    """Return the parts of our package that a module imports: `storage`, `weeks`."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("community_metrics.")}


def calls(path: Path) -> set[str]:
    """Return the dotted attribute chains that a module reads: `os.environ`, `datetime.now`."""
    return {
        ast.unparse(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    layer = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert not own_parts(path) & set(FORBIDDEN.get(layer, ()))
    assert own_parts(path) <= ALONE.get(layer, own_parts(path))
    assert not [name for name in imported(path) if name.split(".")[0] in {"aws_cdk", "constructs", "infra"}]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_config_reads_the_environment_and_only_weeks_asks_the_time(path: Path) -> None:
    found = calls(path)
    if path.name != "config.py":
        assert not found & {"os.environ", "os.getenv", "os.environb"}
    if path.name != "weeks.py":
        assert not found & {"datetime.now", "datetime.utcnow", "date.today", "datetime.today", "time.time"}


def test_the_reader_knows_no_write() -> None:
    reader = calls(PACKAGE / "storage" / "reader.py")
    written = {"merge_insert", "add", "delete", "update", "drop_table", "create_table", "optimize"}
    assert not {chain.split(".")[-1] for chain in reader} & written


def test_infra_imports_nothing_of_the_runtime() -> None:
    for path in (ROOT / "infra").rglob("*.py"):
        assert not [name for name in imported(path) if name.startswith("community_metrics")], path

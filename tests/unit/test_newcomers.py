"""What a newcomer's editor and commits run is what `make lint` and `make check` run, defined once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
HOOKS = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
CONTAINER = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))


def test_the_hooks_before_a_commit_are_the_parts_of_make_lint() -> None:
    (parts,) = re.findall(r"^lint: (.*?) ##", MAKEFILE, re.MULTILINE)
    entries = re.findall(r"^ +entry: (.*)$", HOOKS, re.MULTILINE)
    assert entries == [f"make {part}" for part in parts.split()]
    assert len(re.findall(r"^ +- id: ", HOOKS, re.MULTILINE)) == len(entries)


def test_pre_commit_accepts_the_hooks() -> None:
    program = Path(sys.executable).with_name("pre-commit")
    done = subprocess.run(
        [program, "validate-config", ROOT / ".pre-commit-config.yaml"],
        capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_hook_is_skipped_only_for_files_that_cannot_change_its_result() -> None:
    patterns = {
        name: re.compile(pattern)
        for name, pattern in re.findall(r"- id: (\S+)(?:\n(?!  .*- id).*)*?\n +files: '(.*)'", HOOKS)
    }
    assert "lint-python" not in patterns  # always_run
    for name, file in (
        ("lint-imports", "importlinter-views.toml"),
        ("lint-types", "pyproject.toml"),
        ("lint-types", "docs/conf.py"),
        ("lint-workflows", ".github/workflows/tests.yml"),
        ("lint-workflows", "action.yml"),
        ("lint-workflows", "docs/static-site/workflow.yml"),
        ("lint-workflows", "runtime/Dockerfile"),
        ("lint-frontend", "frontend/src/main.tsx"),
        ("lint-frontend", "docs/openapi.json"),
    ):
        assert patterns[name].search(file), (name, file)


def test_the_container_has_a_python_of_the_project_and_runs_a_target() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert re.fullmatch(r"python:3\.1[123]-[a-z]+", CONTAINER["image"])
    make, target = CONTAINER["postCreateCommand"].split()
    assert make == "make"
    assert re.search(rf"^{target}: ", MAKEFILE, re.MULTILINE)


def test_the_guide_names_only_targets_that_exist() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z-]+)", guide))
    assert {"check", "lint", "test", "docs-site"} <= named
    assert [name for name in named if not re.search(rf"^{name}[ :]", MAKEFILE, re.MULTILINE)] == []

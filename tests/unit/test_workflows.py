"""Rules of the workflows: actions are pinned by commit, and a command is a target of the Makefile."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.iterdir())}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PLACES = ("action.yml", "docs/static-site/workflow.yml")
WITH_ACTIONS = WORKFLOWS | {name: (ROOT / name).read_text(encoding="utf-8") for name in PLACES}
TARGETS = set(re.findall(r"^([a-z-]+):(?!=)", MAKEFILE, re.MULTILINE))
USES = re.compile(r"^\s*(?:- )?uses:\s*(.*)$", re.MULTILINE)
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
# commands that cannot be a target: what make itself needs, and what only exists in a pull request
OTHER_COMMANDS = ("apt-get update ", "git config --system ", "gh pr comment ")


def is_pinned(used: str) -> bool:
    """Return whether an action is pinned by a commit, with its version. A workflow of this tree has none."""
    return used.startswith("./") or PINNED.fullmatch(used) is not None


@pytest.mark.parametrize("name", WITH_ACTIONS)
def test_every_action_is_pinned_by_its_commit_with_its_version_in_a_comment(name: str) -> None:
    used = USES.findall(WITH_ACTIONS[name])

    assert used
    assert [
        f"{name}: {found}. Fix: owner/name@<40 hex digits> # v1.2.3" for found in used if not is_pinned(found)
    ] == []


@pytest.mark.parametrize(
    ("used", "pinned"),
    [
        (f"actions/checkout@{'0a' * 20} # v6.0.2", True),
        (f"github/codeql-action/init@{'0a' * 20} # v4.1.0", True),
        ("./.github/workflows/tests.yml", True),
        ("actions/checkout@v6", False),
        ("actions/checkout@main", False),
        (f"actions/checkout@{'0a' * 20}", False),
        (f"actions/checkout@{'0a' * 20} # latest", False),
        ("actions/checkout@0a0a0a0 # v6.0.2", False),
    ],
)
def test_an_action_that_is_not_pinned_is_found(used: str, pinned: bool) -> None:
    assert is_pinned(used) is pinned


def test_an_action_has_one_version_in_all_workflows() -> None:
    used = {found for text in WITH_ACTIONS.values() for found in USES.findall(text) if "@" in found}

    assert len(used) == len({found.partition("@")[0] for found in used})


def commands(text: str) -> list[str]:
    return re.findall(r"^\s*(?:- )?run:\s*(.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_every_command_is_a_target_of_the_makefile(name: str) -> None:
    for command in commands(WORKFLOWS[name]):
        if command.startswith(OTHER_COMMANDS):
            continue
        program, target, *_ = command.removeprefix("sudo ").split()
        assert program == "make", command
        names = matrix_of(WORKFLOWS[name], "target") if target == '"$TARGET"' else [target]
        assert set(names) <= TARGETS, command


def matrix_of(text: str, key: str) -> list[str]:
    """Return the values of one key of a workflow's matrix."""
    found = re.search(rf"^\s*{key}: \[(.*)\]$", text, re.MULTILINE)
    assert found is not None
    return [value.strip('" ') for value in found[1].split(",")]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_job_has_more_rights_than_its_workflow_names(name: str) -> None:
    # without this line, a job gets the default rights of the repository, which may be all of them
    assert re.search(r"^permissions:( \{\})?\n(  contents: read\n)?(?! )", WORKFLOWS[name], re.MULTILINE)


def test_no_expression_is_expanded_in_a_command() -> None:
    # GitHub expands it before the shell starts, so a value could add commands; a variable cannot
    found = [command for text in WORKFLOWS.values() for command in commands(text) if "${{" in command]

    assert found == []


def test_the_tests_run_on_the_oldest_and_the_newest_python() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert 'requires-python = ">=3.11,<3.14"' in project
    assert matrix_of(WORKFLOWS["tests.yml"], "python") == ["3.11", "3.13"]


def test_the_jobs_of_the_tests_run_every_suite_of_make_test() -> None:
    ran = {command.split()[1] for command in commands(WORKFLOWS["tests.yml"]) if command.startswith("make ")}
    rehearsed = set(matrix_of(WORKFLOWS["tests.yml"], "target"))

    assert {"lint", "test-python"} <= ran
    assert rehearsed == {"rehearse-deploy", "rehearse-host", "test-browser"}


def test_dependabot_renews_python_npm_and_actions() -> None:
    text = (ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8")

    renewed = re.findall(r"package-ecosystem: ([a-z-]+).*\n    directory: (\S+)", text)
    assert {("pip", "/"), ("npm", "/"), ("npm", "/frontend"), ("github-actions", "/")} <= set(renewed)


@pytest.mark.parametrize(
    ("linter", "fault", "found"),
    [
        (["actionlint", "-shellcheck=", "-pyflakes="], "echo ${{ matrix.nothing.at.all() }}", "matrix"),
        (["zizmor", "--offline"], "echo ${{ github.event.issue.title }}", "template-injection"),
    ],
    ids=["actionlint", "zizmor"],
)
def test_the_linters_of_make_lint_find_a_planted_fault(
    tmp_path: Path, linter: list[str], fault: str, found: str
) -> None:
    workflow = tmp_path / ".github" / "workflows" / "bad.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(
        f"on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: {fault}\n",
        encoding="utf-8",
    )

    done = subprocess.run(
        [Path(sys.executable).with_name(linter[0]), *linter[1:], workflow],
        capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip

    assert f"$(BIN)/{linter[0]} " in MAKEFILE
    assert done.returncode != 0
    assert found in done.stdout + done.stderr


def test_the_environment_that_deploys_is_the_default_of_the_settings() -> None:
    example = (ROOT / "deployment.example.toml").read_text(encoding="utf-8")
    (environment,) = re.findall(r"^    environment: (\S+)", WORKFLOWS["deploy.yml"], re.MULTILINE)

    assert f'# github_environment = "{environment}"' in example

"""Rules of the suite itself: an expected error is looked at, and every group of mutants is tried weekly."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.mutants import GROUPS, ROOT, SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parents[1]
WITHOUT_MESSAGE = {
    "Busy",
    "CalledProcessError",
    "CancelledError",
    "KeyboardInterrupt",
    "ResourceNotFoundException",
    "TimeoutError",
}
"""Errors that say everything by their class."""


def unread_errors(source: str) -> Iterator[tuple[int, str]]:
    """Return the line and the class of each `with pytest.raises(…)` that has neither `match` nor `as`."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.With | ast.AsyncWith):
            continue
        for item in node.items:
            call = item.context_expr
            if not isinstance(call, ast.Call) or ast.unparse(call.func) != "pytest.raises":
                continue
            name = ast.unparse(call.args[0]).rpartition(".")[2]
            if not call.keywords and item.optional_vars is None and name not in WITHOUT_MESSAGE:
                yield node.lineno, name


def test_a_test_that_expects_an_error_looks_at_its_message_or_its_facts() -> None:
    files = sorted(TESTS.rglob("*.py"))
    assert Path(__file__) in files
    found = [
        f"{path.relative_to(TESTS)}:{line}: pytest.raises({name}). Fix: add match=, or `as` and an assertion."
        for path in files
        for line, name in unread_errors(path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("line", "is_unread"),
    [
        ("with pytest.raises(LeaseLost): pass", True),
        ("with pytest.raises(errors.LeaseLost), other(): pass", True),
        ("with pytest.raises(LeaseLost, match='lost'): pass", False),
        ("with pytest.raises(LeaseLost) as caught: pass", False),
        ("with pytest.raises(asyncio.CancelledError): pass", False),
    ],
)
def test_an_unread_error_is_found(line: str, is_unread: bool) -> None:
    assert bool(list(unread_errors(line))) is is_unread


# mutants


def test_the_weekly_workflow_tries_every_group_of_mutants() -> None:
    workflow = (ROOT / ".github/workflows/mutants.yml").read_text(encoding="utf-8")
    assert f"group: [{', '.join(GROUPS)}]\n" in workflow


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_of_mutants_names_modules_and_tests_that_exist(name: str) -> None:
    assert [module for module in GROUPS[name].modules if not list(SOURCES.glob(module))] == []
    assert [test for test in GROUPS[name].tests if not (ROOT / test).exists()] == []

"""`make mutants` changes decorated functions too, and states how each score came about."""

from __future__ import annotations

import ast

from tests.support.mutants import GROUPS, ROOT, Score, decorated_later, row

CODE = '''\
class Account:
    @property
    def total(self) -> int:
        """The sum."""
        return 7

    @classmethod
    def empty(cls) -> "Account":
        return cls()


@contextmanager
def opened():
    yield Account()
'''


def test_a_decorator_is_applied_after_its_function_on_the_same_lines() -> None:
    changed = decorated_later(CODE)
    functions = [node for node in ast.walk(ast.parse(changed)) if isinstance(node, ast.FunctionDef)]
    assert {node.name: len(node.decorator_list) for node in functions} == {
        "total": 0,
        "empty": 1,
        "opened": 0,
    }
    names: dict[str, object] = {}
    exec(f"from contextlib import contextmanager\n{changed}", names)  # noqa: S102  the code above
    with names["opened"]() as account:  # type: ignore[operator]
        assert account.total == 7
        assert type(account).empty().total == 7


def test_a_row_states_what_was_not_checked_and_what_only_a_time_limit_noticed() -> None:
    assert row(Score("a.py", 9, 0, ("x",), 0)) == "| `a.py` | 10 | 9 | 90% |"
    assert (
        row(Score("a.py", 9, 2, ("x",), 3)) == "| `a.py` | 10 | 9 | 90%, 3 not checked, 2 by the time limit |"
    )


def test_every_group_names_modules_and_tests_that_exist() -> None:
    sources = ROOT / "runtime" / "community_metrics"
    for group in GROUPS.values():
        assert [module for module in group.modules if not list(sources.glob(module))] == []
        assert [test for test in group.tests if not (ROOT / test).is_file()] == []

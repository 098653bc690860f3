"""Run the tests against small faults in the code: `python -m tests.support.mutants [GROUP…] [--survivors]`.

mutmut changes one operator, number or argument at a time and runs the tests that reach it. A change that no
test notices survives. The last line of each group is its score; below the floor the exit code is 1.

mutmut imports only from `src/`, so each group is run in a scratch copy with that layout. It does not change a
function that has a decorator, so the copy applies those of `DECORATORS` in a statement after the function.
"""

from __future__ import annotations

import argparse
import ast
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = ROOT / "runtime" / "community_metrics"
MUTMUT: Final = Path(sys.executable).with_name("mutmut")
FLOOR: Final = 0.9
TIMED_OUT: Final = {24, -24, 36, 152, 255}
KILLED: Final = {1, 3} | TIMED_OUT
"""Exit codes of a mutant that a test noticed: a failure, an error, or a time limit."""
DECORATORS: Final = frozenset({"asynccontextmanager", "contextmanager", "property"})
COPIED: Final = ("tests", "seed_data", "infra", "docs", "frontend/src/api", "app.py", "cdk.json")


@dataclass(frozen=True, slots=True)
class Group:
    """Modules below `community_metrics`, and the tests that have to notice a fault in them."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How many mutants of a module the tests noticed, and how many of these by a time limit."""

    module: str
    killed: int
    timed_out: int
    survivors: tuple[str, ...]
    unchecked: int

    @property
    def fraction(self) -> float:
        """The fraction of the checked mutants that were noticed; 0 where none was."""
        checked = self.killed + len(self.survivors)
        return self.killed / checked if checked else 0.0


POINTS: Final = ("series", "series_edges", "series_properties", "summary")
GROUPS: Final = {
    "points": Group(
        tuple(f"series/{name}.py" for name in ("change", "grid", "points", "summary")),
        tuple(f"tests/unit/test_{name}.py" for name in POINTS),
    ),
    "freshness": Group(
        tuple(f"series/{name}.py" for name in ("failures", "freshness", "totals")),
        tuple(
            f"tests/unit/test_{name}.py"
            for name in ("failures", "freshness", "totals", "summary", "telemetry")
        ),
    ),
    "merge": Group(("storage/merge.py",), ("tests/unit/test_merge.py", "tests/unit/test_merge_edges.py")),
    "sources": Group(
        ("sources/days.py", "sources/sentinel.py"),
        tuple(f"tests/unit/test_sources_{name}.py" for name in ("checks", "days", "sentinel")),
    ),
    "lock": Group(
        ("runs/lock.py", "storage/leases.py"),
        ("tests/unit/test_database_lease.py", "tests/unit/test_leases.py"),
    ),
    "middleware": Group(
        ("api/middleware/*.py",),
        ("tests/unit/test_middleware.py", "tests/unit/test_tokens.py"),
    ),
    "cache": Group(
        ("api/cache/*.py",),
        (
            *(f"tests/unit/test_cache_{name}.py" for name in ("keys", "sharing", "store", "watch")),
            *(f"tests/unit/test_response_{name}.py" for name in ("cache", "failures")),
            "tests/contract/test_read_database.py",
        ),
    ),
}


def main() -> int:
    """Run the named groups, or all, and print a line for each module; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", choices=[*GROUPS, []], help="all without a name")
    parser.add_argument("--only", default="*", help="mutants whose name matches, such as '*change*'")
    parser.add_argument("--limit-s", type=int, default=3600, help="the time limit of a group")
    parser.add_argument("--survivors", action="store_true", help="print the change that each survivor makes")
    chosen = parser.parse_args()
    is_below = False
    say("| module | mutants | killed | score |\n| --- | ---: | ---: | ---: |")
    for name in chosen.groups or GROUPS:
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            tree = laid_out(Path(folder), GROUPS[name])
            run(tree, chosen.only, chosen.limit_s)
            for score in scores(tree):
                is_below |= score.fraction < FLOOR or bool(score.unchecked)
                say(row(score))
                for mutant in score.survivors if chosen.survivors else ():
                    say(change(tree, mutant))
    return int(is_below)


def say(text: str) -> None:
    """Print at once, since a group may take an hour."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def laid_out(tree: Path, group: Group) -> Path:
    """Fill the scratch folder with the code under `src/`, what the tests read, and the settings of mutmut."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules")
    shutil.copytree(ROOT / "runtime", tree / "src", ignore=ignored)
    for name in COPIED:
        source, target = ROOT / name, tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignored)
        else:
            shutil.copy(source, target)
    for module in group.modules:
        for path in (tree / "src" / "community_metrics").glob(module):
            path.write_text(decorated_later(path.read_text(encoding="utf-8")), encoding="utf-8")
    settings = {
        "source_paths": ["src/community_metrics"],
        "only_mutate": [f"src/community_metrics/{module}" for module in group.modules],
        "also_copy": ["src", *COPIED],
        "pytest_add_cli_args": ["-p", "no:schemathesis", "-p", "no:cacheprovider", "-q"],
        "pytest_add_cli_args_test_selection": group.tests,
        "use_git_change_detection": False,
        "timeout_constant": 20.0,
        "process_isolation": "forkserver",  # a child of a process in which LanceDB has run may crash
    }
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in settings.items())
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tree / "pyproject.toml").write_text(f"{text}\n[tool.mutmut]\n{lines}\n", encoding="utf-8")
    return tree


def decorated_later(code: str) -> str:
    """Return the code with each decorator of `DECORATORS` applied after its function, which then has none."""
    lines = code.splitlines()
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or len(node.decorator_list) != 1:
            continue
        decorator = node.decorator_list[0]
        if isinstance(decorator, ast.Name) and decorator.id in DECORATORS:
            lines[decorator.lineno - 1] = ""
            applied = f"{' ' * node.col_offset}{node.name} = {decorator.id}({node.name})"
            lines[(node.end_lineno or node.lineno) - 1] += f"\n{applied}"
    return "\n".join(lines) + "\n"


def run(tree: Path, only: str, limit_s: int) -> None:
    """Run mutmut in the tree; what it has not checked when the time is over stays unchecked."""
    command = [str(MUTMUT), "run", "--max-children", "1"]
    with (tree / "mutmut.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *([only] if only != "*" else [])], cwd=tree, stdout=log, stderr=log
        )
        try:
            process.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
    if not list(tree.glob("mutants/src/**/*.meta")):
        raise SystemExit((tree / "mutmut.log").read_text(encoding="utf-8", errors="replace")[-4000:])


def scores(tree: Path) -> list[Score]:
    """Return the score of each module that has mutants, by name."""
    found = []
    base = tree / "mutants" / "src" / "community_metrics"
    for path in sorted(base.rglob("*.meta")):
        codes: dict[str, int | None] = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        survivors = tuple(name for name, code in codes.items() if code is not None and code not in KILLED)
        killed = sum(code in KILLED for code in codes.values())
        timed_out = sum(code in TIMED_OUT for code in codes.values())
        unchecked = len(codes) - killed - len(survivors)
        module = str(path.relative_to(base)).removesuffix(".meta")
        if codes:
            found.append(Score(module, killed, timed_out, survivors, unchecked))
    return found


def row(score: Score) -> str:
    """Return the line of a module in the table."""
    checked = score.killed + len(score.survivors)
    notes = {"not checked": score.unchecked, "by the time limit": score.timed_out}
    rest = "".join(f", {count} {note}" for note, count in notes.items() if count)
    return f"| `{score.module}` | {checked} | {score.killed} | {score.fraction:.0%}{rest} |"


def change(tree: Path, mutant: str) -> str:
    """Return the change that a mutant makes, as a diff."""
    done = subprocess.run([MUTMUT, "show", mutant], cwd=tree, capture_output=True, text=True, check=False)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())

"""Every command of ours in a shell block of the documentation is one of the program, with its options.

The tests of single pages run their blocks; this finds a command that was renamed on any page.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from community_metrics.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))),
]
BLOCK = re.compile(r"^```(sh|console)\b[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
TYPED = re.compile(r"^\$ (.*\n(?: .*\n)*)", re.MULTILINE)
"""What is typed in a console; the lines that are indented belong to it, all others are output."""
HEREDOC = re.compile(r"(<<-?\s*['\"]?(\w+)['\"]?[^\n]*\n).*?^\2$", re.DOTALL | re.MULTILINE)
"""A file written by a script, which is no script itself."""


def scripts_of(text: str) -> Iterator[str]:
    """Yield the shell scripts of a page."""
    for kind, block in BLOCK.findall(text):
        yield from [block] if kind == "sh" else TYPED.findall(block)


def calls_in(script: str) -> Iterator[list[str]]:
    """Yield the words after each `community-metrics` that a script starts."""
    lexer = shlex.shlex(HEREDOC.sub(r"\1", script), posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace, lexer.whitespace_split = " \t", True
    words: list[str] | None = None
    for word in [*lexer, "\n"]:
        if set(word) <= set("();<>|&\n"):
            if words is not None:
                yield words
            words = None
        elif words is not None:
            words.append(word)
        elif word.rpartition("/")[2] == "community-metrics":
            words = []


def faults_of(words: list[str]) -> list[str]:
    """Return what the program does not have: a command, or an option of one."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("community-metrics", [], resilient_parsing=True)
    options = {"--help", *options_of(command)}
    for word in words:
        if word.startswith("-") or not hasattr(command, "commands"):
            continue
        if word not in command.commands:
            return [word]
        command = command.get_command(context, word)
        context = command.make_context(word, [], parent=context, resilient_parsing=True)
        options |= options_of(command)
    return [word for word in words if word.startswith("--") and word.partition("=")[0] not in options]


def options_of(command: Any) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_is_one_of_the_program(page: str) -> None:
    scripts = scripts_of((ROOT / page).read_text(encoding="utf-8"))
    faults = {" ".join(words): faults_of(words) for script in scripts for words in calls_in(script)}
    assert {call: found for call, found in faults.items() if found} == {}


def test_the_pages_have_many_commands() -> None:
    texts = [(ROOT / page).read_text(encoding="utf-8") for page in PAGES]
    assert sum(1 for text in texts for script in scripts_of(text) for _ in calls_in(script)) > 40


@pytest.mark.parametrize(
    ("script", "faults"),
    [
        ("community-metrics report --full\n", []),
        ("community-metrics reprot\n", ["reprot"]),
        ("cd x && .venv/bin/community-metrics catalog add --nmae X | cat\n", ["--nmae"]),
        ("community-metrics digest --format=slack\n", []),
        ("cat > .env <<'END'\nit's text, no community-metrics\nEND\ncommunity-metrics doctr\n", ["doctr"]),
    ],
)
def test_a_command_that_does_not_exist_is_found(script: str, faults: list[str]) -> None:
    (words,) = calls_in(script)
    assert faults_of(words) == faults

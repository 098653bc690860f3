"""Text of users and registries is printed unchanged: no console of the program reads markup."""

from __future__ import annotations

import ast
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.table import Table

from community_metrics.cli.checks import Check, Verdict
from community_metrics.cli.commands.doctor import render_checks
from community_metrics.cli.render.progress import bars
from community_metrics.cli.render.style import UNICODE, PlainConsole, open_consoles
from community_metrics.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

PACKAGE = Path(__file__).parents[2] / "runtime" / "community_metrics"
READS_MARKUP = {"from_markup", "render_markup", "rprint"}
HOSTILE = r"Redis [/cluster] [core] [bold] [link=x] :smile: \[x]"


def plain_console() -> tuple[PlainConsole, io.StringIO]:
    file = io.StringIO()
    return PlainConsole(width=200, file=file, force_terminal=True, color_system=None), file


def titled(text: str) -> Table:
    table = Table(title=text)
    table.add_column("name", min_width=100)
    return table


def captioned(text: str) -> Table:
    table = Table(caption=text)
    table.add_column("name", min_width=100)
    return table


def headed(text: str) -> Table:
    table = Table()
    table.add_column(text, footer=text)
    table.add_row(text)
    return table


@pytest.mark.parametrize(
    "rendered",
    [
        str,
        titled,
        captioned,
        headed,
        lambda text: render_checks([Check(Verdict.FAIL, text, text, text)], UNICODE),
    ],
    ids=["text", "title", "caption", "cells", "doctor"],
)
def test_nothing_that_is_printed_is_markup(rendered: Callable[[str], RenderableType]) -> None:
    console, file = plain_console()
    console.print(rendered(HOSTILE))
    assert HOSTILE in file.getvalue()


@pytest.mark.parametrize("switch", ["markup", "emoji", "highlight"])
def test_no_caller_turns_markup_on(switch: str) -> None:
    with pytest.raises(TypeError, match=switch):
        PlainConsole(**{switch: True})


def test_a_source_and_a_metric_keep_their_names_in_the_progress_bars() -> None:
    console, file = plain_console()
    with bars(console) as progress:
        progress.source_started(HOSTILE, 1)
        progress.metric_done(HOSTILE, f"metric {HOSTILE}", None)
    assert file.getvalue().count(HOSTILE) >= 2


def test_text_written_while_bars_are_shown_is_unchanged() -> None:
    console, file = plain_console()
    with bars(console) as progress:
        progress.source_started("npm", 1)
        sys.stderr.write(f"{HOSTILE}, and no line break")
        sys.stderr.flush()
        progress.metric_done("npm", "m", SourceError("no", source="npm", subject="m"))
    assert f"{HOSTILE}, and no line break" in file.getvalue()


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_only_the_plain_console_is_used(path: Path) -> None:
    called = [
        node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)
    ]
    names = {ast.unparse(function).rpartition(".")[2] for function in called}
    assert not names & {"Console", "get_console", *READS_MARKUP}


def test_a_terminal_without_a_minus_sign_shows_a_hyphen(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    out, _ = open_consoles()
    out.print("fewer (\N{MINUS SIGN}2.0%) \N{MULTIPLICATION SIGN}")
    stream.flush()
    assert written.getvalue() == b"fewer (-2.0%) ?\n"

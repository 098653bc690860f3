"""What the commands that read share: quiet settings, and printing of JSON or of a view."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import typer

from community_metrics import log
from community_metrics.cli.render.style import Glyphs, glyphs_of, open_consoles
from community_metrics.config import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel
    from rich.console import RenderableType


def quiet_settings() -> Settings:
    """Return the settings, after logging is limited to warnings and errors."""
    settings = load_settings()
    log.configure(settings, is_terminal=open_consoles()[1].is_terminal, least=logging.WARNING)
    return settings


def print_json(body: BaseModel) -> None:
    """Print a body, in characters that every terminal has."""
    typer.echo(body.model_dump_json(indent=2, ensure_ascii=True))


def print_text(render: Callable[[Glyphs], str]) -> None:
    """Print the text that `render` returns for the terminal's glyphs, without breaking its lines."""
    out, _ = open_consoles()
    out.print(render(glyphs_of(out)), end="", soft_wrap=True)


def print_view(render: Callable[[Glyphs, int], RenderableType], width: int | None = None) -> None:
    """Print what `render` returns for the terminal's glyphs and its width, or the given one."""
    out, _ = open_consoles()
    if width is not None:
        out.width = width
    out.print(render(glyphs_of(out), out.width))

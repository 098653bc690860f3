"""Events in the terminal: what sources state, then what people say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from community_metrics.cli.render.style import plain_table

if TYPE_CHECKING:
    from rich.table import Table

    from community_metrics.cli.render.style import Glyphs
    from community_metrics.model import Event
    from community_metrics.views.events import Events


def render_events(view: Events, glyphs: Glyphs) -> RenderableType:
    """Return one table of events and one of notes, oldest first."""
    if not view.stated and not view.notes:
        return Text("Nothing is recorded for these days.")
    parts: list[RenderableType] = []
    if view.stated:
        table = _table("kind")
        for event in view.stated:
            table.add_row(*_cells(event, event.kind.value.replace("_", "-"), glyphs))
        parts.append(table)
    if view.notes:
        table = _table("said by")
        for note in view.notes:
            table.add_row(*_cells(note, note.author or "", glyphs))
        parts += [Text("\nNotes by people", style="bold"), table]
    return Group(*parts)


def _table(second: str) -> Table:
    table = plain_table()
    for name in ("day", second, "what", "product", "id"):
        table.add_column(name, overflow="fold")
    return table


def _cells(event: Event, second: str, glyphs: Glyphs) -> tuple[str, ...]:
    return str(event.day), second, event.title, event.product or glyphs.none, event.event_id

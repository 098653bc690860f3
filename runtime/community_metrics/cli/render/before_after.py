"""How `before-after` looks on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from community_metrics.cli.render import style
from community_metrics.text import ranges_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from community_metrics.cli.render.style import Glyphs
    from community_metrics.model import Event
    from community_metrics.views.before_after import BeforeAfter


def _event(event: Event) -> Text:
    author = f" (says {event.author})" if event.author else ""
    return Text(f"{event.day}   {event.title}{author}")


def render_before_after(view: BeforeAfter, glyphs: Glyphs) -> RenderableType:
    """Return the two sides, the sentence, and what to know of their days."""
    one, unit = view.comparison, view.comparison.metric.unit
    table = style.plain_table()
    for name in ("", "from", "to", "days", f"{unit} a day"):
        table.add_column(name, justify="right" if name in {"days", f"{unit} a day"} else "left")
    for name, side in (("before", one.before), ("after", one.after)):
        table.add_row(name, str(side.first), str(side.last), str(side.days), f"{side.mean:,.1f}")
    parts: list[RenderableType] = [
        Text(one.metric.display_name, "bold").append(f"   {one.metric.metric_id}", "dim"),
        *([_event(view.event)] if view.event else []),
        table,
        Text(one.sentence),
    ]
    for days, text in (
        (one.unpaired_days, "count on no side, because the other side lacks their weekday"),
        (one.provisional_days, "may still change at the source"),
        (one.low_days, "were counted low for everybody by the registry"),
    ):
        if days:
            parts.append(Text(f"{glyphs.warn} {ranges_text(days)}: {text}.", "yellow"))
    return Group(*parts)

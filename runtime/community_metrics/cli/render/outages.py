"""How the outage ledger looks on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from community_metrics.cli.render import style
from community_metrics.text import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

    from community_metrics.cli.render.style import Glyphs
    from community_metrics.views.outages import Ledger


def render_outages(view: Ledger, glyphs: Glyphs, most: int) -> RenderableType:
    """Return one line for each outage, only the first `most` of them."""
    if not view.registries:
        return Text(
            "No total of a registry is stored yet. `community-metrics refresh` stores them.", "yellow"
        )
    if not view.outages:
        names = ", ".join(metric.product for metric in view.registries)
        return Text(f"{glyphs.ok} No outage of {names} shows in what is stored.", "green")
    table = style.plain_table()
    for name in ("seen", "registry", "day", "kind"):
        table.add_column(name, no_wrap=True)
    table.add_column("what happened", overflow="fold")
    for one in view.outages[:most]:
        seen = f"{one.seen_at:%Y-%m-%d}"
        table.add_row(seen, one.registry, str(one.day), one.kind.replace("_", " "), one.sentence)
    rest = len(view.outages) - most
    if rest <= 0:
        return table
    return Group(table, Text(f"{counted(rest, 'older outage')}: `--limit` shows more.", "dim"))

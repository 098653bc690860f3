"""How `insights` looks on a terminal, and the part of it above the tables of `report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from community_metrics.cli.render.style import sample_texts
from community_metrics.model import USUAL_KINDS, InsightKind
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from community_metrics.cli.render.style import Glyphs
    from community_metrics.series.insights import Insight
    from community_metrics.views.insights import Insights

_STYLES: Final = {InsightKind.HEADLINE: "bold", InsightKind.MISSING: "dim", InsightKind.RESTATED: "dim"}


def render_period(view: Insights, glyphs: Glyphs) -> RenderableType:
    """Return the insights of a period as they are printed."""
    sample = sample_texts(glyphs, is_sample=view.freshness.is_sample)
    title = Text(view.period.label, "bold")
    title.append(f"   {view.period.start} {glyphs.dash} {view.period.end}", "dim")
    if not view.insights:
        return Group(*sample, title, Text("Nothing is known of this period.", "yellow"))
    return Group(*sample, title, Padding(render_insights(view.insights, glyphs), (1, 0, 0, 0)))


def render_insights(insights: Sequence[Insight], glyphs: Glyphs, most: int | None = None) -> RenderableType:
    """Return one line for each insight, only the first `most` of them; what is unusual has a mark."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for insight in insights[:most]:
        mark = "" if insight.kind in USUAL_KINDS else glyphs.warn
        style = _STYLES.get(insight.kind, "")
        table.add_row(Text(mark, "yellow"), Text(insight.sentence, style))
    rest = 0 if most is None else len(insights) - most
    if rest > 0:
        table.add_row(
            "", Text(f"{counted(rest, 'more insight')}: `community-metrics insights` shows all.", "dim")
        )
    return table

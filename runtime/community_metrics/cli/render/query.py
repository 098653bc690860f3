"""How the result of a query looks on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from community_metrics.cli.render import style
from community_metrics.text import one_line

if TYPE_CHECKING:
    from rich.console import RenderableType

    from community_metrics.views.sql import QueryResult


def render_query(result: QueryResult) -> RenderableType:
    """Return one row for each of the result; long text is folded and never cut off."""
    table = style.plain_table()
    for name in result.names:
        is_number = any(isinstance(row[name], int | float) for row in result.rows)
        table.add_column(Text(one_line(name)), justify="right" if is_number else "left", overflow="fold")
    for row in result.rows:
        table.add_row(*(_cell(row[name]) for name in result.names))
    return Group(Text("Sample data", "yellow"), table) if result.is_sample else table


def _cell(value: Any) -> Text:
    return Text("null", "dim") if value is None else Text(one_line(str(value)))

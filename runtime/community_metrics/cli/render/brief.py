"""How the short `report` looks: on a terminal of any width from 60 columns on, and as Markdown."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from community_metrics.cli.render import style
from community_metrics.cli.render.columns import Column, fitted
from community_metrics.cli.render.insights import render_insights
from community_metrics.cli.render.report import no_data, old_texts, state_texts

if TYPE_CHECKING:
    from rich.console import RenderableType

    from community_metrics.cli.render.style import Glyphs
    from community_metrics.views.brief import Brief
    from community_metrics.views.overview import Overview
    from community_metrics.views.product_table import ProductOfPeriod

_MARKDOWN_WIDTH: Final = 96
"""Columns of the table in Markdown: what a pane of Slack or GitHub shows without a scroll bar."""
_NAMED: Final = re.compile(r"@[\w./-]+")
_MARKS: Final = re.compile(r"[\\`*\[\]<>~&#|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
"""Characters that Markdown gives a meaning, except within a word."""


def render_brief(brief: Brief, glyphs: Glyphs, width: int) -> RenderableType:
    """Return the short report as it is printed on `width` columns."""
    if not brief.has_data:
        return no_data(brief.report)
    parts: list[RenderableType] = [
        *style.sample_texts(glyphs, is_sample=brief.overview.freshness.is_sample),
        _title(brief.overview, glyphs),
        *old_texts(brief.report, glyphs),
    ]
    if brief.overview.headline is not None:
        parts.append(Text(brief.overview.headline.sentence, "bold"))
    if brief.foremost:
        parts.append(Padding(render_insights(brief.foremost, glyphs), (1, 0, 0, 0)))
    parts.append(Padding(Group(*_table(brief.overview, glyphs, width)), (1, 0, 1, 0)))
    parts += state_texts(brief.report, glyphs)
    parts.append(Text("`--full` shows every metric.", "dim"))
    return Group(*parts)


def markdown_of(brief: Brief, glyphs: Glyphs) -> str:
    """Return the short report as Markdown that GitHub and Slack show alike: lists, and the table as code."""
    if not brief.has_data:
        return f"{escaped(no_data(brief.report).plain)}\n"
    overview = brief.overview
    samples = style.sample_texts(glyphs, is_sample=overview.freshness.is_sample)
    titles = (*samples, _title(overview, glyphs), *old_texts(brief.report, glyphs))
    head = [escaped(text.plain) for text in titles]  # no bold: Slack and GitHub write it in two ways
    if overview.headline is not None:
        head.append(escaped(overview.headline.sentence))
    listed = "\n".join(f"- {escaped(insight.sentence)}" for insight in brief.foremost)
    table = "\n".join(line.plain.rstrip() for line in _table(overview, glyphs, _MARKDOWN_WIDTH))
    # a name cannot end the code: a fence is longer than any run of its own character
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", table)), default=0))
    state = [escaped(text.plain) for text in state_texts(brief.report, glyphs)]
    return "\n\n".join(part for part in (*head, listed, f"{fence}\n{table}\n{fence}", *state) if part) + "\n"


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is; a name that begins with `@` is code, and calls nobody."""
    parts, end = io.StringIO(), 0
    for named in _NAMED.finditer(text):
        parts.write(f"{_plain(text[end : named.start()])}`{named[0]}`")
        end = named.end()
    return parts.getvalue() + _plain(text[end:])


def _plain(text: str) -> str:
    return _MARKS.sub(lambda mark: f"\\{mark[0]}", text)


def _title(overview: Overview, glyphs: Glyphs) -> Text:
    week, name = overview.week, overview.name
    text = Text(f"{name}  " if name else "", "bold")
    text.append(week.label, "bold")
    text.append(f"   {week.start} {glyphs.dash} {week.end}", "dim")
    if overview.series:
        text.append(f"   {overview.complete} of {overview.series} series complete", "dim")
    return text


def _table(overview: Overview, glyphs: Glyphs, width: int) -> list[Text]:
    """Return the heading and one line for each product of which something is known.

    The last columns are left out where none has room, and those in which nothing is known.
    """
    products = [product for product in overview.products if product.is_known] or overview.products
    units = {product.unit for product in products if product.unit is not None}
    unit = units.pop() if len(units) == 1 else None
    columns = [
        Column("", [Text(product.display_name) for product in products], shrinks_to=8),
        Column(unit or "week", [_value(product, overview, glyphs) for product in products], right=True),
    ]
    if unit is None:
        columns.append(Column("unit", [Text(product.unit or "", "dim") for product in products], rank=5))
    columns += [
        Column("week", [_change(product, "change", glyphs) for product in products], right=True, rank=1),
        Column("4 weeks", [_change(product, "trailing", glyphs) for product in products], right=True, rank=4),
        Column(
            "year", [_change(product, "year_on_year", glyphs) for product in products], right=True, rank=3
        ),
        Column("stars", [_stars(product, glyphs) for product in products], right=True, rank=2),
        Column("", [_star_change(product, glyphs) for product in products], right=True, rank=2),
        Column(
            "",
            [style.sparkline_of_totals(product.total, glyphs) for product in products],
            rank=6,
            newest=12,
        ),
    ]
    unknown = {"", glyphs.none}
    known = [one for one in columns if not one.rank or {cell.plain for cell in one.cells} - unknown]
    return fitted(known, width, glyphs)


def _value(product: ProductOfPeriod, overview: Overview, glyphs: Glyphs) -> Text:
    total = product.total
    if total is None or total.value is None or total.period is None:
        return Text(glyphs.none, "dim")
    number = style.number(total.value)
    text = Text(f"{glyphs.about} {number}", "yellow") if total.is_estimated else Text(number, "bold")
    # another week than the title's: its number would be taken for that of this one
    return (
        text if total.period == overview.week else Text(f"{total.period.label} ", "magenta").append_text(text)
    )


def _change(product: ProductOfPeriod, name: str, glyphs: Glyphs) -> Text:
    total = product.total
    return style.percent(None if total is None else getattr(total.changes, name), glyphs)


def _stars(product: ProductOfPeriod, glyphs: Glyphs) -> Text:
    return Text(glyphs.none, "dim") if product.stars is None else Text(style.number(product.stars.value))


def _star_change(product: ProductOfPeriod, glyphs: Glyphs) -> Text:
    of_period = None if product.stars is None else product.stars.of_period
    return style.difference(None if of_period is None else of_period.change, glyphs)

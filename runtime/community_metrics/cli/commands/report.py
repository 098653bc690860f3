"""`community-metrics report`."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

import typer

from community_metrics.api.mappers import dashboard_body
from community_metrics.catalog import load_catalog
from community_metrics.cli import options
from community_metrics.cli.output import print_json, print_text, print_view, quiet_settings
from community_metrics.cli.render.brief import markdown_of, render_brief
from community_metrics.cli.render.report import render_report
from community_metrics.clock import SystemClock
from community_metrics.views.brief import load_brief
from community_metrics.views.report import load_report
from community_metrics.views.rows import read

MOST_COLUMNS = 400
Full = Annotated[bool, typer.Option("--full", help="Show every metric: value, completeness and trend.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, for GitHub or Slack.")]
Width = Annotated[
    int | None,
    options.whole_number(
        "--width", 60, MOST_COLUMNS, "Columns to print, those of the terminal by default", show_default=False
    ),
]


def report(
    weeks: options.Weeks = 12,
    full: Full = False,
    markdown: Markdown = False,
    width: Width = None,
    as_json: options.AsJson = False,
) -> None:
    """Show how the products are doing: the headline, what changed, and one line for each.

    `--weeks` is for `--full` and `--json`.
    """
    if sum((full, markdown, as_json)) > 1:
        raise typer.BadParameter("choose one of --full, --markdown and --json")
    settings = quiet_settings()
    catalog, now = load_catalog(settings.catalog), SystemClock().now()
    if full or as_json:
        load = partial(load_report, catalog=catalog, now=now, weeks=weeks)
        view, versions = asyncio.run(read(settings, load))
        if as_json:
            return print_json(dashboard_body(view.dashboard, versions))
        return print_view(lambda glyphs, columns: render_report(view, glyphs, columns), width)
    brief, _ = asyncio.run(read(settings, partial(load_brief, catalog=catalog, now=now, weeks=weeks)))
    if markdown:
        return print_text(lambda glyphs: markdown_of(brief, glyphs))
    return print_view(lambda glyphs, columns: render_brief(brief, glyphs, columns), width)

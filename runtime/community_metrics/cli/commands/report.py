"""`community-metrics report`."""

from __future__ import annotations

import asyncio

from community_metrics.api.mappers import dashboard_body
from community_metrics.catalog import load_catalog
from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.cli.output import print_json, print_view, quiet_settings
from community_metrics.cli.render.report import render_report
from community_metrics.clock import SystemClock
from community_metrics.views.report import load_report
from community_metrics.views.rows import read


def report(weeks: options.Weeks = 12, as_json: options.AsJson = False) -> None:
    """Show the last weeks of every product: value, change, completeness and trend."""
    settings = quiet_settings()
    catalog, now = load_catalog(settings.catalog), SystemClock().now()
    view, versions = asyncio.run(
        read(settings, lambda reader: load_report(reader, catalog, now, weeks=weeks))
    )
    if as_json:
        return print_json(dashboard_body(view.dashboard, versions))
    return print_view(lambda glyphs, width: render_report(view, glyphs, width))

"""`community-metrics goals`."""

from __future__ import annotations

import asyncio

from community_metrics.api.mappers import goals_body
from community_metrics.catalog import load_catalog
from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.cli.output import print_json, print_view, quiet_settings
from community_metrics.cli.render.goals import render_goals
from community_metrics.clock import SystemClock
from community_metrics.views.goals import load_goals
from community_metrics.views.rows import read


def goals(as_json: options.AsJson = False) -> None:
    """Say what each week needs to reach a goal, and whether the recent weeks have it."""
    settings = quiet_settings()
    catalog, now = load_catalog(settings.catalog), SystemClock().now()
    view, versions = asyncio.run(read(settings, lambda reader: load_goals(reader, catalog, now)))
    if as_json:
        return print_json(goals_body(view, versions))
    return print_view(lambda glyphs, _: render_goals(view, glyphs))

"""`community-metrics outages`."""

from __future__ import annotations

import asyncio
from typing import Annotated

from community_metrics.api.mappers import outages_body
from community_metrics.catalog import load_catalog
from community_metrics.cli import options
from community_metrics.cli.output import print_json, print_view, quiet_settings
from community_metrics.cli.render.outages import render_outages
from community_metrics.clock import SystemClock
from community_metrics.views.outages import load_outages
from community_metrics.views.rows import read

Limit = Annotated[int, options.whole_number("--limit", 1, 10_000, "How many outages to show")]


def outages(limit: Limit = 50, as_json: options.AsJson = False) -> None:
    """List the days that a registry did not count, counted low or late, or restated.

    They follow from the stored totals of the registries, by the rule outage-ledger of docs/insights.md.
    """
    settings = quiet_settings()
    catalog, now = load_catalog(settings.catalog), SystemClock().now()
    view, versions = asyncio.run(read(settings, lambda reader: load_outages(reader, catalog, now)))
    if as_json:
        return print_json(outages_body(view, versions))
    return print_view(lambda glyphs, _: render_outages(view, glyphs, limit))

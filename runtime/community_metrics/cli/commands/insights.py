"""`community-metrics insights`."""

from __future__ import annotations

import asyncio

import typer

from community_metrics.api.mappers import insights_body
from community_metrics.catalog import load_catalog
from community_metrics.cli import options
from community_metrics.cli.output import print_json, print_view, quiet_settings
from community_metrics.cli.render.insights import render_period
from community_metrics.clock import SystemClock
from community_metrics.errors import PeriodNotOver, UnknownName
from community_metrics.views.insights import read_insights
from community_metrics.views.rows import read


def insights(
    week: options.Week = None,
    month: options.Month = None,
    quarter: options.Quarter = None,
    product: options.Products = None,
    as_json: options.AsJson = False,
) -> None:
    """Say what changed in a week, a month or a quarter, by printed rules.

    The period is over; unless one is named, it is the last week.
    """
    now = SystemClock().now()
    period = options.named_period(now, week=week, month=month, quarter=quarter)
    settings = quiet_settings()
    catalog = load_catalog(settings.catalog)
    try:
        rows, versions = asyncio.run(
            read(
                settings,
                lambda reader: read_insights(reader, catalog, now, period=period, products=product),
            )
        )
    except PeriodNotOver as error:
        raise typer.BadParameter(f"{error}; the last one is {error.last}") from error
    except UnknownName as error:
        near = f"; near: {', '.join(error.similar)}" if error.similar else ""
        raise typer.BadParameter(f"{error}{near}") from error
    view = rows.build()
    if as_json:
        return print_json(insights_body(view, versions))
    return print_view(lambda glyphs, _: render_period(view, glyphs))

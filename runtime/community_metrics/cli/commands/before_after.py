"""`community-metrics before-after`."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated

import typer

from community_metrics.api.mappers import before_after_body
from community_metrics.catalog import load_catalog
from community_metrics.cli import options
from community_metrics.cli.output import print_json, print_view, quiet_settings
from community_metrics.cli.render.before_after import render_before_after
from community_metrics.clock import SystemClock
from community_metrics.errors import DayOutOfRange, DaysMissing, NotComparable, UnknownName
from community_metrics.model import MOST_SIDE_DAYS, USUAL_SIDE_DAYS
from community_metrics.views.before_after import load_before_after
from community_metrics.views.rows import read

MetricId = Annotated[str, typer.Argument(metavar="METRIC_ID", help="The metric.", show_default=False)]
Day = Annotated[
    date | None,
    typer.Option(
        "--day",
        parser=options.day,
        metavar="YYYY-MM-DD",
        help="The UTC day between the two sides.",
        show_default=False,
    ),
]
EventId = Annotated[
    str | None,
    typer.Option("--event", metavar="EVENT_ID", help="The event whose day it is.", show_default=False),
]
SideDays = Annotated[int, options.whole_weeks("--days", MOST_SIDE_DAYS, "Days on each side")]
SkipMissing = Annotated[
    bool, typer.Option("--skip-missing", help="Compare without the missing days, and name them.")
]


def before_after(
    metric_id: MetricId,
    *,
    day: Day = None,
    event: EventId = None,
    days: SideDays = USUAL_SIDE_DAYS,
    skip_missing: SkipMissing = False,
    as_json: options.AsJson = False,
) -> None:
    """Compare a metric before and after a day or event: what happened together, not why."""
    if day is not None and event is not None:
        raise typer.BadParameter("--day and --event exclude each other")
    if (at := event if day is None else day) is None:
        raise typer.BadParameter("one of --day and --event is missing")
    settings = quiet_settings()
    catalog, now = load_catalog(settings.catalog), SystemClock().now()
    try:
        view, versions = asyncio.run(
            read(
                settings,
                lambda reader: load_before_after(
                    reader,
                    catalog,
                    now,
                    metric_id=metric_id,
                    at=at,
                    days=days,
                    skip_missing=skip_missing,
                ),
            )
        )
    except DayOutOfRange as error:
        raise typer.BadParameter(f"{error}; allowed are {error.first} to {error.last}") from error
    except DaysMissing as error:
        raise typer.BadParameter(
            f"{error}. Fix: choose other days, or compare without them by --skip-missing"
        ) from error
    except NotComparable as error:
        raise typer.BadParameter(str(error)) from error
    except UnknownName as error:
        near = f"; near: {', '.join(error.similar)}" if error.similar else ""
        raise typer.BadParameter(f"{error}{near}") from error
    if as_json:
        return print_json(before_after_body(view, versions))
    return print_view(lambda glyphs, _: render_before_after(view, glyphs))

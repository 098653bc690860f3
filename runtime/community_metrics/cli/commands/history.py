"""`community-metrics history`."""

from __future__ import annotations

import asyncio
from typing import Annotated, get_args

import typer

from community_metrics.api.mappers import history_body
from community_metrics.cli import options
from community_metrics.cli.output import print_json, print_view, quiet_settings
from community_metrics.cli.render.status import render_runs
from community_metrics.clock import SystemClock
from community_metrics.model import JobName
from community_metrics.views.rows import read
from community_metrics.views.runs import load_history

Limit = Annotated[int, options.whole_number("--limit", 1, 1_000, "How many runs to show")]
OfJob = Annotated[
    JobName | None,
    typer.Option("--job", metavar="JOB", help=f"Only runs of this job: {', '.join(get_args(JobName))}."),
]


def history(limit: Limit = 20, job: OfJob = None, as_json: options.AsJson = False) -> None:
    """Show the last runs, newest first."""
    now = SystemClock().now()
    view, versions = asyncio.run(
        read(quiet_settings(), lambda reader: load_history(reader, now, limit=limit, job=job))
    )
    if as_json:
        return print_json(history_body(view, versions))
    return print_view(lambda glyphs, _: render_runs(view.runs, glyphs))

"""`community-metrics history`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from community_metrics.api.mappers import history_body
from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.cli.output import print_json, print_view, quiet_settings
from community_metrics.cli.render.status import render_runs
from community_metrics.clock import SystemClock
from community_metrics.views.rows import read
from community_metrics.views.runs import load_history

Limit = Annotated[int, typer.Option("--limit", min=1, max=1_000, help="How many runs to show.")]
JobName = Annotated[str | None, typer.Option("--job", help="Only runs of this job, such as weekly_refresh.")]


def history(limit: Limit = 20, job: JobName = None, as_json: options.AsJson = False) -> None:
    """Show the last runs, newest first."""
    now = SystemClock().now()
    view, versions = asyncio.run(
        read(quiet_settings(), lambda reader: load_history(reader, now, limit=limit, job=job))
    )
    if as_json:
        return print_json(history_body(view, versions))
    return print_view(lambda glyphs, _: render_runs(view.runs, glyphs))

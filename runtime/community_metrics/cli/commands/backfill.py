"""`community-metrics backfill`."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from community_metrics.cli import options
from community_metrics.runs.registry import Backfill

From = Annotated[
    date | None,
    typer.Option(
        "--from",
        parser=options.day,
        metavar="YYYY-MM-DD",
        help="The first UTC day to fill.  [default: the first that there is]",
        show_default=False,
    ),
]


def backfill(  # noqa: PLR0917  typer calls it by keyword
    only: options.Only = None,
    since: From = None,
    retire: options.Retire = False,
    dry_run: options.DryRun = False,
    strict: options.Strict = False,
    as_json: options.AsJson = False,
) -> None:
    """Fill in the days from before the first run, as far back as archives have them.

    Refreshed values are never replaced. It may be stopped: the next run continues it. `--dry-run` sends no
    request; it prints which days are missing and how long they take.
    """
    from community_metrics.cli.jobs import run_job  # noqa: PLC0415  `--help` imports no database client

    job = Backfill(tuple(only or ()), since, retire)
    run_job(job, dry_run=dry_run, strict=strict, as_json=as_json)

"""`community-metrics runs undo`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.cli.output import quiet_settings
from community_metrics.runs.undo import undo as run_undo
from community_metrics.text import counted

RunId = Annotated[str, typer.Argument(metavar="RUN_ID", help="As `history` prints it.", show_default=False)]


def undo(run_id: RunId, dry_run: options.DryRun = False) -> None:
    """Take back what one run wrote: its rows get the values of before.

    They come from the versions that the tables keep, mostly only those from before the last run, or from the
    newest backup from before the run, in CM_BACKUP_TARGET or beside the database. Refused if later runs wrote
    values of the same metrics. It is a run of its own in the history; events, outcomes and definitions stay.
    """
    report = asyncio.run(run_undo(quiet_settings(), run_id, dry_run=dry_run))
    would = "Would give" if dry_run else "Gave"
    typer.echo(
        f"{would} {counted(report.restored, 'row')} the values of before, and "
        f"{'delete' if dry_run else 'deleted'} {counted(report.deleted, 'new row')}. The values of before "
        f"are from {report.origin}."
    )

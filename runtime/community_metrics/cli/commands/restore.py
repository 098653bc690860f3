"""`community-metrics restore`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from community_metrics.backup.place import place_of
from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.cli.commands.backup import contents
from community_metrics.cli.output import quiet_settings
from community_metrics.runs.restore import restore as run_restore

Replace = Annotated[
    bool,
    typer.Option("--replace", help="First make a backup of what the database has, then delete it."),
]


def restore(
    source: options.BackupSource = None, backup: options.BackupId = None, replace: Replace = False
) -> None:
    """Write a backup into an empty database of either mode, and compare every row.

    Every file is compared with the manifest before anything is written. A database with other rows is
    refused. A restore that was stopped is continued by the same command.
    """
    settings = quiet_settings()
    place = place_of(settings, source)
    report = asyncio.run(run_restore(settings, place, backup, replaces=replace))
    if report.note is not None:
        typer.echo(report.note)
    typer.echo(
        f"{report.database} has the rows of the backup {place}/{report.manifest.backup_id}: "
        f"{contents(report.manifest)}, every row compared."
    )

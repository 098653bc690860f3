"""`community-metrics move`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from community_metrics.cli.commands.backup import contents
from community_metrics.cli.output import quiet_settings
from community_metrics.config import settings_at, settings_from_file
from community_metrics.runs.restore import move as run_move

ToPath = Annotated[
    str | None,
    typer.Option(
        "--to-path",
        metavar="PATH",
        help="A folder, or s3://bucket/prefix, as in CM_DB_PATH.",
        show_default=False,
    ),
]
ToEnv = Annotated[
    Path | None,
    typer.Option(
        "--to-env",
        metavar="FILE",
        help="A file like .env with the CM_ settings of the other database.",
        show_default=False,
    ),
]


def move(to_path: ToPath = None, to_env: ToEnv = None) -> None:
    """Copy the database into an empty one of any mode, and compare every row.

    The database of the current settings stays as it is, and no job can write to it meanwhile. Later commands
    use the new one once the settings name it.
    """
    source = quiet_settings()
    if to_env is not None and to_path is None:
        target = settings_from_file(to_env)
    elif to_path is not None and to_env is None:
        target = settings_at(to_path)
    else:
        raise typer.BadParameter("give one of --to-path and --to-env")
    report = asyncio.run(run_move(source, target))
    typer.echo(
        f"{report.database} has the rows of {source.storage_location}: {contents(report.manifest)}, every "
        f"row compared. To use it, set {f'what {to_env} sets' if to_env else f'CM_DB_PATH={to_path}'}."
    )

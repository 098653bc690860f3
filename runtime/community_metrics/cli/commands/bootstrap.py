"""`community-metrics bootstrap`."""

from __future__ import annotations

from typing import Annotated

import typer

from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.runs.registry import BootstrapTables

Reset = Annotated[
    bool, typer.Option("--reset", help="Make a backup, then drop the tables, history included.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not prompt before --reset.")]
WithoutBackup = Annotated[
    bool, typer.Option("--without-backup", help="Make no backup before --reset; nothing can be restored.")
]


def bootstrap(  # noqa: PLR0917  typer calls it by keyword
    reset: Reset = False,
    yes: Yes = False,
    without_backup: WithoutBackup = False,
    retire: options.Retire = False,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Create missing tables. Every job does so too; this one does nothing else.

    With --reset it first makes a backup, into the folder `replaced` of CM_BACKUP_TARGET or beside the
    database, and prints where.
    """
    from community_metrics.cli.jobs import confirm_reset, run_job  # noqa: PLC0415  as in `refresh`

    if reset and not dry_run and not yes:
        confirm_reset()
    # --reset deletes every metric
    job = BootstrapTables(reset, retire=retire or reset, without_backup=without_backup)
    run_job(job, dry_run=dry_run, strict=False, as_json=as_json)

"""`community-metrics bootstrap`."""

from __future__ import annotations

from typing import Annotated

import typer

from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.runs.registry import BootstrapTables

Reset = Annotated[bool, typer.Option("--reset", help="Drop the tables first, history included.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not prompt before --reset.")]


def bootstrap(
    reset: Reset = False,
    yes: Yes = False,
    retire: options.Retire = False,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Create missing tables. Every job does so too; this one does nothing else."""
    from community_metrics.cli.jobs import confirm_reset, run_job  # noqa: PLC0415  as in `refresh`

    if reset and not dry_run and not yes:
        confirm_reset()
    job = BootstrapTables(reset, retire=retire or reset)  # --reset deletes every metric
    run_job(job, dry_run=dry_run, strict=False, as_json=as_json)

"""`community-metrics seed`."""

from __future__ import annotations

from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.runs.registry import SeedFromCsv


def seed(  # noqa: PLR0917  typer calls it by keyword
    path: options.SeedPath = None,
    include_suspect: options.IncludeSuspect = False,
    only: options.Only = None,
    retire: options.Retire = False,
    dry_run: options.DryRun = False,
    strict: options.Strict = False,
    as_json: options.AsJson = False,
) -> None:
    """Load the history from before the first run from seed files."""
    from community_metrics.cli.jobs import run_job  # noqa: PLC0415  `--help` imports no database client

    job = SeedFromCsv(path, include_suspect, tuple(only or ()), retire)
    run_job(job, dry_run=dry_run, strict=strict, as_json=as_json)

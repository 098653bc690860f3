"""`community-metrics refresh-daily`."""

from __future__ import annotations

from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.runs.registry import DailyRefresh


def refresh_daily(  # noqa: PLR0917  typer calls it by keyword
    only: options.Only = None,
    time_budget: options.TimeBudget = None,
    retire: options.Retire = False,
    dry_run: options.DryRun = False,
    strict: options.Strict = False,
    as_json: options.AsJson = False,
) -> None:
    """Fetch what a weekly reading would lose; leaves out what was read today."""
    from community_metrics.cli.jobs import run_job  # noqa: PLC0415  `--help` imports no database client

    job = DailyRefresh(only=tuple(only or ()), retire=retire, time_budget_minutes=time_budget)
    run_job(job, dry_run=dry_run, strict=strict, as_json=as_json)

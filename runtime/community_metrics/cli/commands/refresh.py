"""`community-metrics refresh`."""

from __future__ import annotations

from typing import Annotated

from community_metrics.cli import options
from community_metrics.runs.registry import WeeklyRefresh

Lookback = Annotated[int, options.lookback(WeeklyRefresh.lookback_weeks)]


def refresh(  # noqa: PLR0917  typer calls it by keyword
    lookback_weeks: Lookback = WeeklyRefresh.lookback_weeks,
    only: options.Only = None,
    time_budget: options.TimeBudget = None,
    retire: options.Retire = False,
    dry_run: options.DryRun = False,
    strict: options.Strict = False,
    best_effort: options.BestEffort = False,
    as_json: options.AsJson = False,
) -> None:
    """Fetch the recent weeks from the registries, and every gap they can still fill."""
    from community_metrics.cli.jobs import run_job  # noqa: PLC0415  `--help` imports no database client

    job = WeeklyRefresh(lookback_weeks, tuple(only or ()), retire, time_budget)
    run_job(job, dry_run=dry_run, strict=strict, best_effort=best_effort, as_json=as_json)

"""`community-metrics update-all`."""

from __future__ import annotations

from typing import Annotated

from community_metrics.cli import options
from community_metrics.runs.registry import UpdateAll

Lookback = Annotated[int, options.lookback(UpdateAll.lookback_weeks)]


def update_all(  # noqa: PLR0917  typer calls it by keyword
    lookback_weeks: Lookback = UpdateAll.lookback_weeks,
    only: options.Only = None,
    time_budget: options.TimeBudget = None,
    retire: options.Retire = False,
    dry_run: options.DryRun = False,
    strict: options.Strict = False,
    as_json: options.AsJson = False,
) -> None:
    """Fetch more weeks from the registries; replaces seeded days and earlier refreshes."""
    from community_metrics.cli.jobs import run_job  # noqa: PLC0415  `--help` imports no database client

    job = UpdateAll(lookback_weeks, tuple(only or ()), retire, time_budget)
    run_job(job, dry_run=dry_run, strict=strict, as_json=as_json)

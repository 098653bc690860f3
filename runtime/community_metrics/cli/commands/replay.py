"""`community-metrics replay`."""

from __future__ import annotations

from community_metrics.cli import options  # noqa: TC001  typer reads the annotations
from community_metrics.runs.registry import Replay


def replay(  # noqa: PLR0917  typer calls it by keyword
    day: options.Day,
    only: options.Only = None,
    retire: options.Retire = False,
    dry_run: options.DryRun = False,
    strict: options.Strict = False,
    as_json: options.AsJson = False,
) -> None:
    """Rebuild a day's values from kept answers; sends no request.

    Answers are kept for 400 days, of sources that cannot be asked again. Writes rows that are missing, and
    those that have another value than their answers.
    """
    from community_metrics.cli.jobs import run_job  # noqa: PLC0415  `--help` imports no database client

    job = Replay(day, tuple(only or ()), retire)
    run_job(job, dry_run=dry_run, strict=strict, as_json=as_json)

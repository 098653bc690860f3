"""The commands that write: `seed`, `refresh`, `update-all`, `bootstrap`.

`python -m community_metrics.jobs.weekly_refresh` is the same command as `community-metrics refresh`: a job
module ends with `main_of("weekly_refresh")`. Every import that takes time happens inside a function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from community_metrics.cli import options
from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from community_metrics.config import Settings
    from community_metrics.runs.execute import JobRequest, RunReport

Lookback = Annotated[int | None, options.lookback(5)]
LongLookback = Annotated[int | None, options.lookback(12)]


def seed(  # noqa: PLR0917  typer calls it by keyword
    path: options.SeedPath = None,
    include_suspect: options.IncludeSuspect = False,
    only: options.Only = None,
    dry_run: options.DryRun = False,
    strict: options.Strict = False,
    as_json: options.AsJson = False,
) -> None:
    """Load the figures from before the first run out of seed files."""
    from community_metrics.runs.execute import JobRequest  # noqa: PLC0415  heavy

    request = JobRequest(
        "seed_from_csv",
        only=tuple(only or ()),
        dry_run=dry_run,
        seed_path=path,
        include_suspect=include_suspect,
    )
    _run(request, strict=strict, as_json=as_json)


def refresh(  # noqa: PLR0917  typer calls it by keyword
    lookback_weeks: Lookback = None,
    only: options.Only = None,
    dry_run: options.DryRun = False,
    strict: options.Strict = False,
    best_effort: options.BestEffort = False,
    as_json: options.AsJson = False,
) -> None:
    """Ask the registries for the recent weeks, and for every gap they can still fill."""
    from community_metrics.runs.execute import JobRequest  # noqa: PLC0415  heavy

    request = JobRequest(
        "weekly_refresh", lookback_weeks=lookback_weeks, only=tuple(only or ()), dry_run=dry_run
    )
    _run(request, strict=strict, best_effort=best_effort, as_json=as_json)


def update_all(
    lookback_weeks: LongLookback = None,
    only: options.Only = None,
    dry_run: options.DryRun = False,
    strict: options.Strict = False,
    as_json: options.AsJson = False,
) -> None:
    """Recompute a longer past from the registries; replaces seeded days and earlier refreshes."""
    from community_metrics.runs.execute import JobRequest  # noqa: PLC0415  heavy

    request = JobRequest("update_all", lookback_weeks=lookback_weeks, only=tuple(only or ()), dry_run=dry_run)
    _run(request, strict=strict, as_json=as_json)


def bootstrap(
    reset: options.Reset = False,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Create the tables that are missing. Every job does so too; this one does nothing else."""
    from community_metrics.runs.execute import JobRequest  # noqa: PLC0415  heavy

    if reset and not dry_run and not yes:
        _confirm_reset()
    _run(JobRequest("bootstrap_tables", dry_run=dry_run, reset=reset), strict=False, as_json=as_json)


COMMANDS: dict[str, Callable[..., None]] = {
    "seed_from_csv": seed,
    "weekly_refresh": refresh,
    "update_all": update_all,
    "bootstrap_tables": bootstrap,
}
"""The command of each job."""


def main_of(job_name: str) -> NoReturn:
    """Run the command of a job as a program of its own: `python -m community_metrics.jobs.<job_name>`."""
    from community_metrics.cli.main import run_app  # noqa: PLC0415  the app imports this module

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(COMMANDS[job_name])
    run_app(app)


def _confirm_reset() -> None:
    from community_metrics.cli.render.style import open_consoles  # noqa: PLC0415  heavy
    from community_metrics.config import load_settings  # noqa: PLC0415  heavy

    place = load_settings().storage_location
    if not open_consoles()[1].is_terminal:
        raise ConfigurationError(f"--reset deletes everything in {place}. Add --yes if that is meant.")
    typer.confirm(f"Delete everything in {place}, history included?", abort=True, err=True)


def _run(request: JobRequest, *, strict: bool, as_json: bool, best_effort: bool = False) -> NoReturn:
    from community_metrics.cli.mappers import job_run_body, print_json  # noqa: PLC0415  heavy
    from community_metrics.cli.render import run, style  # noqa: PLC0415  heavy
    from community_metrics.config import load_settings  # noqa: PLC0415  heavy

    settings = load_settings()
    out, err = style.open_consoles()
    report = _with_progress(request, settings, err)
    if as_json:
        print_json(job_run_body(report))
    else:
        out.print(run.render_outcome(report, style.signs_of(out)))
    raise typer.Exit(run.exit_code(report.run.status, strict=strict, best_effort=best_effort))


def _with_progress(request: JobRequest, settings: Settings, err: Console) -> RunReport:
    import asyncio  # noqa: PLC0415  heavy

    from community_metrics import log  # noqa: PLC0415  heavy
    from community_metrics.cli.render.progress import LogProgress, bars  # noqa: PLC0415  heavy
    from community_metrics.jobs import run_job  # noqa: PLC0415  heavy

    shows_bars = err.is_terminal and settings.log_format != "json"
    log.configure(settings, is_terminal=err.is_terminal, quiet=shows_bars)
    if not shows_bars:
        return asyncio.run(run_job(request, settings, progress=LogProgress()))
    with bars(err) as progress:
        return asyncio.run(run_job(request, settings, progress=progress))

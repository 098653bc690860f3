"""The commands that write: `seed`, `refresh`, `update-all`, `bootstrap`.

`python -m community_metrics.jobs.weekly_refresh` is the same command as `community-metrics refresh`: a job
module calls `main_of("weekly_refresh")`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from community_metrics.cli import options
from community_metrics.errors import ConfigurationError
from community_metrics.runs.registry import BootstrapTables, SeedFromCsv, UpdateAll, WeeklyRefresh

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from community_metrics.config import Settings
    from community_metrics.runs.job import Job, RunReport

Lookback = Annotated[int, options.lookback(WeeklyRefresh.lookback_weeks)]
LongLookback = Annotated[int, options.lookback(UpdateAll.lookback_weeks)]


def seed(  # noqa: PLR0917  typer calls it by keyword
    path: options.SeedPath = None,
    include_suspect: options.IncludeSuspect = False,
    only: options.Only = None,
    dry_run: options.DryRun = False,
    strict: options.Strict = False,
    as_json: options.AsJson = False,
) -> None:
    """Load the figures from before the first run out of seed files."""
    job = SeedFromCsv(path, include_suspect, tuple(only or ()))
    _run(job, dry_run=dry_run, strict=strict, as_json=as_json)


def refresh(  # noqa: PLR0917  typer calls it by keyword
    lookback_weeks: Lookback = WeeklyRefresh.lookback_weeks,
    only: options.Only = None,
    dry_run: options.DryRun = False,
    strict: options.Strict = False,
    best_effort: options.BestEffort = False,
    as_json: options.AsJson = False,
) -> None:
    """Ask the registries for the recent weeks, and for every gap they can still fill."""
    job = WeeklyRefresh(lookback_weeks, tuple(only or ()))
    _run(job, dry_run=dry_run, strict=strict, best_effort=best_effort, as_json=as_json)


def update_all(
    lookback_weeks: LongLookback = UpdateAll.lookback_weeks,
    only: options.Only = None,
    dry_run: options.DryRun = False,
    strict: options.Strict = False,
    as_json: options.AsJson = False,
) -> None:
    """Recompute a longer past from the registries; replaces seeded days and earlier refreshes."""
    job = UpdateAll(lookback_weeks, tuple(only or ()))
    _run(job, dry_run=dry_run, strict=strict, as_json=as_json)


def bootstrap(
    reset: options.Reset = False,
    yes: options.Yes = False,
    dry_run: options.DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Create the tables that are missing. Every job does so too; this one does nothing else."""
    if reset and not dry_run and not yes:
        _confirm_reset()
    _run(BootstrapTables(reset), dry_run=dry_run, strict=False, as_json=as_json)


COMMANDS: dict[str, Callable[..., None]] = {
    SeedFromCsv.name: seed,
    WeeklyRefresh.name: refresh,
    UpdateAll.name: update_all,
    BootstrapTables.name: bootstrap,
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

    location = load_settings().storage_location
    if not open_consoles()[1].is_terminal:
        raise ConfigurationError(f"--reset deletes everything in {location}. Fix: add --yes to confirm.")
    typer.confirm(f"Delete everything in {location}, history included?", abort=True, err=True)


def _run(job: Job, *, dry_run: bool, strict: bool, as_json: bool, best_effort: bool = False) -> NoReturn:
    from community_metrics.cli.mappers import job_run_body, print_json  # noqa: PLC0415  heavy
    from community_metrics.cli.render import run, style  # noqa: PLC0415  heavy
    from community_metrics.config import load_settings  # noqa: PLC0415  heavy

    settings = load_settings()
    out, err = style.open_consoles()
    report = _with_progress(job, settings, err, dry_run=dry_run)
    if as_json:
        print_json(job_run_body(report))
    else:
        out.print(run.render_outcome(report, style.signs_of(out)))
    raise typer.Exit(run.exit_code(report.run.status, strict=strict, best_effort=best_effort))


def _with_progress(job: Job, settings: Settings, err: Console, *, dry_run: bool) -> RunReport:
    import asyncio  # noqa: PLC0415  heavy

    from community_metrics import log  # noqa: PLC0415  heavy
    from community_metrics.cli.render.progress import LogProgress, bars  # noqa: PLC0415  heavy
    from community_metrics.runs.execute import execute  # noqa: PLC0415  heavy

    shows_bars = err.is_terminal and settings.log_format != "json"
    log.configure(settings, is_terminal=err.is_terminal, quiet=shows_bars)
    if not shows_bars:
        return asyncio.run(execute(job, settings, dry_run=dry_run, progress=LogProgress()))
    with bars(err) as progress:
        return asyncio.run(execute(job, settings, dry_run=dry_run, progress=progress))

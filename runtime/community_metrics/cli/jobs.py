"""Runs a job for its command: with progress, the printed outcome, and the exit code."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NoReturn

import typer

from community_metrics import log
from community_metrics.cli.mappers import job_run_body
from community_metrics.cli.output import print_json
from community_metrics.cli.render.progress import LogProgress, bars
from community_metrics.cli.render.run import render_outcome, render_plan
from community_metrics.cli.render.style import glyphs_of, open_consoles
from community_metrics.config import load_settings
from community_metrics.errors import ConfigurationError
from community_metrics.model import RunStatus
from community_metrics.runs.execute import execute

if TYPE_CHECKING:
    from rich.console import Console

    from community_metrics.config import Settings
    from community_metrics.runs.job import Job, RunReport

EXIT_PARTIAL = 3
"""The exit code of a partial run under `--strict`."""


def confirm_reset() -> None:
    """Prompt before everything is deleted.

    Raises:
        ConfigurationError: standard error is not a terminal, so nobody can answer.
    """
    location = load_settings().storage_location
    if not open_consoles()[1].is_terminal:
        raise ConfigurationError(f"--reset deletes everything in {location}. Fix: add --yes to confirm.")
    typer.confirm(f"Delete everything in {location}, history included?", abort=True, err=True)


def preview(job: Job) -> None:
    """Print what a job would store."""
    settings = load_settings()
    out, err = open_consoles()
    log.configure(settings, is_terminal=err.is_terminal, least=log.NOTHING)
    plan = asyncio.run(execute(job, settings, dry_run=True)).plan
    if plan is not None:
        out.print(render_plan(plan, glyphs_of(out)))


def run_job(job: Job, *, dry_run: bool, strict: bool, as_json: bool, best_effort: bool = False) -> NoReturn:
    """Run a job, print its outcome, and exit.

    The code is 0 for success, 1 for failed (0 for `best_effort`), and 0 or (strict) 3 for partial. A run that
    returns is failed only if every metric failed; any other failure raises.
    """
    settings = load_settings()
    out, err = open_consoles()
    report = _with_progress(job, settings, err, dry_run=dry_run)
    if as_json:
        print_json(job_run_body(report))
    else:
        out.print(render_outcome(report, glyphs_of(out)))
    if report.run.status is RunStatus.FAILED:
        raise typer.Exit(0 if best_effort else 1)
    raise typer.Exit(EXIT_PARTIAL if strict and report.run.status is RunStatus.PARTIAL else 0)


def _with_progress(job: Job, settings: Settings, err: Console, *, dry_run: bool) -> RunReport:
    shows_bars = err.is_terminal and settings.log_format != "json"
    # the bars and the outcome below them show all that the log would
    log.configure(settings, is_terminal=err.is_terminal, least=log.NOTHING if shows_bars else logging.DEBUG)
    if not shows_bars:
        return asyncio.run(execute(job, settings, dry_run=dry_run, progress=LogProgress()))
    with bars(err) as progress:
        return asyncio.run(execute(job, settings, dry_run=dry_run, progress=progress))

"""The commands that show: `report`, `status`, `history`, `doctor`.

`repair` stands beside them: it mends what `doctor` finds. Imports that take time happen inside functions.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from community_metrics.cli import options  # noqa: TC001  typer reads them at run time

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from community_metrics.cli.render.status import StatusView
    from community_metrics.config import Settings
    from community_metrics.series.freshness import RunView
    from community_metrics.views.report import Report

T = TypeVar("T")


def report(weeks: options.Weeks = 12, as_json: options.AsJson = False) -> None:
    """Show the last weeks of every product: value, change, completeness, course."""
    from community_metrics.cli.render import style  # noqa: PLC0415  heavy
    from community_metrics.cli.render.report import render_report, report_json  # noqa: PLC0415  heavy

    view = _run(_load_report(_settings(), weeks))
    if as_json:
        return _print_json(report_json(view))
    out, _ = style.open_consoles()
    out.print(render_report(view, style.signs_of(out), out.width))
    return None


def status(as_json: options.AsJson = False) -> None:
    """Show how fresh the data are, where days are missing, and the last runs."""
    from community_metrics.cli.render import style  # noqa: PLC0415  heavy
    from community_metrics.cli.render.status import render_status, status_json  # noqa: PLC0415  heavy

    view = _run(_load_status(_settings()))
    if as_json:
        return _print_json(status_json(view))
    out, _ = style.open_consoles()
    out.print(render_status(view, style.signs_of(out)))
    return None


def history(
    limit: options.Limit = 20,
    job: Annotated[
        str | None, typer.Option("--job", help="Only runs of this job, such as weekly_refresh.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Show the last runs, newest first."""
    from community_metrics.cli.render import style  # noqa: PLC0415  heavy
    from community_metrics.cli.render.status import render_runs, run_json  # noqa: PLC0415  heavy

    runs = _run(_load_runs(_settings(), limit, job))
    if as_json:
        return _print_json({"runs": [run_json(run) for run in runs]})
    out, _ = style.open_consoles()
    out.print(render_runs(runs, style.signs_of(out)))
    return None


def doctor(as_json: options.AsJson = False) -> None:
    """Look for what is wrong, and say what mends it. Ends with 1 when something is."""
    from community_metrics.cli.doctor import (  # noqa: PLC0415  heavy
        checks_json,
        examine,
        is_wrong,
        render_checks,
    )
    from community_metrics.cli.render import style  # noqa: PLC0415  heavy
    from community_metrics.clock import SystemClock  # noqa: PLC0415  heavy

    checks = _run(examine(_settings(), SystemClock()))
    if as_json:
        _print_json(checks_json(checks))
    else:
        out, _ = style.open_consoles()
        out.print(render_checks(checks, style.signs_of(out)))
    raise typer.Exit(1 if is_wrong(checks) else 0)


def repair(as_json: options.AsJson = False) -> None:
    """Delete surplus copies of a key, keeping the one observed last."""
    from community_metrics.runs.repair import repair as delete_copies  # noqa: PLC0415  heavy

    dropped = _run(delete_copies(_settings()))
    if as_json:
        return _print_json({"dropped": [{"table": row.table, "key": row.key} for row in dropped]})
    for row in dropped:
        typer.echo(f"deleted a copy of {row.key} from {row.table}")
    typer.echo(
        f"{len(dropped)} surplus copies deleted." if dropped else "Every key stands once; nothing to do."
    )
    return None


def _settings() -> Settings:
    from community_metrics import log  # noqa: PLC0415  heavy
    from community_metrics.cli.render.style import open_consoles  # noqa: PLC0415  heavy
    from community_metrics.config import load_settings  # noqa: PLC0415  heavy

    settings = load_settings()
    log.configure(settings, is_terminal=open_consoles()[1].is_terminal, quiet=True)
    return settings


async def _load_report(settings: Settings, weeks: int) -> Report:
    from community_metrics.catalog import load_catalog  # noqa: PLC0415  heavy
    from community_metrics.clock import SystemClock  # noqa: PLC0415  heavy
    from community_metrics.storage import LanceDBReader  # noqa: PLC0415  heavy
    from community_metrics.views.report import load_report  # noqa: PLC0415  heavy

    catalog = load_catalog(settings.catalog)
    async with LanceDBReader.open(settings) as reader:
        return await load_report(reader, catalog, weeks=weeks, now=SystemClock().now())


async def _load_status(settings: Settings) -> StatusView:
    from community_metrics.catalog import load_catalog  # noqa: PLC0415  heavy
    from community_metrics.cli.render.status import load_status  # noqa: PLC0415  heavy
    from community_metrics.clock import SystemClock  # noqa: PLC0415  heavy
    from community_metrics.storage import LanceDBReader  # noqa: PLC0415  heavy

    catalog = load_catalog(settings.catalog)
    async with LanceDBReader.open(settings) as reader:
        return await load_status(reader, catalog, location=settings.storage_location, now=SystemClock().now())


async def _load_runs(settings: Settings, limit: int, job: str | None) -> list[RunView]:
    from community_metrics.clock import SystemClock  # noqa: PLC0415  heavy
    from community_metrics.storage import LanceDBReader  # noqa: PLC0415  heavy
    from community_metrics.views.outcomes import run_views  # noqa: PLC0415  heavy

    async with LanceDBReader.open(settings) as reader:
        return await run_views(reader, await reader.runs(limit=limit, job_name=job), SystemClock().now())


def _run(work: Coroutine[Any, Any, T]) -> T:
    import asyncio  # noqa: PLC0415  heavy

    return asyncio.run(work)


def _print_json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, indent=2))

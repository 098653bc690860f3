"""The commands that show: `report`, `status`, `history`, `doctor`.

`repair` is here too: it fixes what `doctor` finds. Imports that take time happen inside functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from community_metrics.cli import options  # noqa: TC001  typer reads them at run time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from rich.console import RenderableType

    from community_metrics.cli.render.style import Signs
    from community_metrics.config import Settings
    from community_metrics.storage import LanceDBReader

T = TypeVar("T")


def report(weeks: options.Weeks = 12, as_json: options.AsJson = False) -> None:
    """Show the last weeks of every product: value, change, completeness, course."""
    from community_metrics.api.mappers import dashboard_body  # noqa: PLC0415  heavy
    from community_metrics.catalog import load_catalog  # noqa: PLC0415  heavy
    from community_metrics.cli.mappers import print_json  # noqa: PLC0415  heavy
    from community_metrics.cli.render.report import render_report  # noqa: PLC0415  heavy
    from community_metrics.clock import SystemClock  # noqa: PLC0415  heavy
    from community_metrics.views.report import load_report  # noqa: PLC0415  heavy

    settings = _settings()
    catalog, now = load_catalog(settings.catalog), SystemClock().now()
    view, versions = _read(settings, lambda reader: load_report(reader, catalog, now, weeks=weeks))
    if as_json:
        return print_json(dashboard_body(view.dashboard, versions))
    return _print(lambda signs, width: render_report(view, signs, width))


def status(as_json: options.AsJson = False) -> None:
    """Show how fresh the data are, where days are missing, and the last runs."""
    from community_metrics.api.mappers import status_body  # noqa: PLC0415  heavy
    from community_metrics.catalog import load_catalog  # noqa: PLC0415  heavy
    from community_metrics.cli.mappers import print_json  # noqa: PLC0415  heavy
    from community_metrics.cli.render.status import render_status  # noqa: PLC0415  heavy
    from community_metrics.clock import SystemClock  # noqa: PLC0415  heavy
    from community_metrics.views.status import load_status  # noqa: PLC0415  heavy

    settings = _settings()
    catalog, now = load_catalog(settings.catalog), SystemClock().now()
    view, versions = _read(settings, lambda reader: load_status(reader, catalog, now))
    if as_json:
        return print_json(status_body(view, versions))
    return _print(lambda signs, _: render_status(view, settings.storage_location, signs))


def history(
    limit: options.Limit = 20,
    job: Annotated[
        str | None, typer.Option("--job", help="Only runs of this job, such as weekly_refresh.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Show the last runs, newest first."""
    from community_metrics.api.mappers import history_body  # noqa: PLC0415  heavy
    from community_metrics.cli.mappers import print_json  # noqa: PLC0415  heavy
    from community_metrics.cli.render.status import render_runs  # noqa: PLC0415  heavy
    from community_metrics.clock import SystemClock  # noqa: PLC0415  heavy
    from community_metrics.views.runs import load_history  # noqa: PLC0415  heavy

    now = SystemClock().now()
    view, versions = _read(_settings(), lambda reader: load_history(reader, now, limit=limit, job=job))
    if as_json:
        return print_json(history_body(view, versions))
    return _print(lambda signs, _: render_runs(view.runs, signs))


def doctor(as_json: options.AsJson = False) -> None:
    """Look for what is wrong, and say what mends it. Ends with 1 when something is."""
    from community_metrics.cli.doctor import (  # noqa: PLC0415  heavy
        diagnosis_body,
        examine,
        is_wrong,
        render_checks,
    )
    from community_metrics.cli.mappers import print_json  # noqa: PLC0415  heavy
    from community_metrics.clock import SystemClock  # noqa: PLC0415  heavy

    checks = _run(examine(_settings(), SystemClock()))
    if as_json:
        print_json(diagnosis_body(checks))
    else:
        _print(lambda signs, _: render_checks(checks, signs))
    raise typer.Exit(1 if is_wrong(checks) else 0)


def repair(as_json: options.AsJson = False) -> None:
    """Delete surplus copies of a key, keeping the one observed last."""
    from community_metrics.cli.mappers import print_json  # noqa: PLC0415  heavy
    from community_metrics.cli.schemas import Repair  # noqa: PLC0415  heavy
    from community_metrics.runs.repair import repair as delete_copies  # noqa: PLC0415  heavy

    dropped = _run(delete_copies(_settings()))
    if as_json:
        return print_json(Repair.model_validate({"dropped": dropped}, from_attributes=True))
    for row in dropped:
        typer.echo(f"deleted a copy of {row.key} from {row.table}")
    typer.echo(
        f"{len(dropped)} surplus copies deleted." if dropped else "Every key is stored once; nothing to do."
    )
    return None


def _settings() -> Settings:
    from community_metrics import log  # noqa: PLC0415  heavy
    from community_metrics.cli.render.style import open_consoles  # noqa: PLC0415  heavy
    from community_metrics.config import load_settings  # noqa: PLC0415  heavy

    settings = load_settings()
    log.configure(settings, is_terminal=open_consoles()[1].is_terminal, quiet=True)
    return settings


def _read(settings: Settings, load: Callable[[LanceDBReader], Awaitable[T]]) -> tuple[T, Mapping[str, int]]:
    from community_metrics.views.rows import read  # noqa: PLC0415  heavy

    return _run(read(settings, load))


def _run(work: Coroutine[Any, Any, T]) -> T:
    import asyncio  # noqa: PLC0415  heavy

    return asyncio.run(work)


def _print(render: Callable[[Signs, int], RenderableType]) -> None:
    from community_metrics.cli.render import style  # noqa: PLC0415  heavy

    out, _ = style.open_consoles()
    out.print(render(style.signs_of(out), out.width))

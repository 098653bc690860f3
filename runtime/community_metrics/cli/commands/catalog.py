"""The commands of `community-metrics catalog`: check, show, add, init."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads it at run time
from typing import Annotated

import typer

from community_metrics.cli import options  # noqa: TC001  typer reads them at run time

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at what is tracked, and add to it.")


@app.command()
def check() -> None:
    """Read the catalogue as a run would; list every fault with its line."""
    from community_metrics.catalog import load_catalog  # noqa: PLC0415  heavy
    from community_metrics.config import load_settings  # noqa: PLC0415  heavy

    catalog = load_catalog(load_settings().catalog)
    typer.echo(
        f"{catalog.path} is in order: {len(catalog.products)} products, "
        f"{len(catalog.active)} active metrics, {len(catalog.shown)} of them shown."
    )


@app.command()
def show(only: options.Only = None, as_json: options.AsJson = False) -> None:
    """Print the active metrics."""
    from community_metrics.catalog import load_catalog  # noqa: PLC0415  heavy
    from community_metrics.cli.render.style import open_consoles  # noqa: PLC0415  heavy
    from community_metrics.config import load_settings  # noqa: PLC0415  heavy

    metrics = load_catalog(load_settings().catalog).select(tuple(only or ()))
    if as_json:
        from community_metrics.cli.mappers import catalog_body, print_json  # noqa: PLC0415  heavy

        return print_json(catalog_body(metrics))
    from rich.table import Table  # noqa: PLC0415  heavy

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("metric", "source", "subject", "window"):
        table.add_column(name, overflow="fold")
    for metric in metrics:
        table.add_row(metric.metric_id, metric.source, metric.subject, metric.window.value)
    open_consoles()[0].print(table)
    return None


@app.command()
def add(
    spec: Annotated[str, typer.Argument(metavar="SOURCE:SUBJECT", help="Such as pypistats:httpx.")],
    product: Annotated[str, typer.Option("--product", help="Id of the product, made if it is new.")],
    name: Annotated[str | None, typer.Option("--name", help="What people call a new product.")] = None,
    metric_id: Annotated[str | None, typer.Option("--id", help="Another id than the usual one.")] = None,
) -> None:
    """Append a package or repository to the catalogue that CM_CATALOG names."""
    from community_metrics.catalog.edit import add_metric  # noqa: PLC0415  heavy
    from community_metrics.config import load_settings  # noqa: PLC0415  heavy

    path = load_settings().catalog
    for added in add_metric(path, spec, product, name=name, metric_id=metric_id):
        typer.echo(f"{added} is in {path}; `community-metrics refresh --only {added}` fetches it.")


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="The file to write; an existing one is never touched.")],
) -> None:
    """Write a commented starter of a catalogue of your own."""
    from community_metrics.catalog.edit import init_catalog  # noqa: PLC0415  heavy

    init_catalog(path)
    typer.echo(f"{path} is written. Use it: export CM_CATALOG={path}")

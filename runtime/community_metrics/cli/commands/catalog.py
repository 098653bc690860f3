"""`community-metrics catalog check`, `show`, `add` and `init`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads it at run time
from typing import Annotated

import typer

from community_metrics.catalog import load_catalog
from community_metrics.catalog.edit import add_metric, init_catalog
from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.cli.mappers import catalog_body
from community_metrics.cli.output import print_json, print_view
from community_metrics.cli.render.style import plain_table
from community_metrics.config import load_settings


def check() -> None:
    """Validate the catalogue; list every fault with its line."""
    catalog = load_catalog(load_settings().catalog)
    typer.echo(
        f"{catalog.path} is in order: {len(catalog.products)} products, "
        f"{len(catalog.active)} active metrics, {len(catalog.shown)} of them shown."
    )


def show(only: options.Only = None, as_json: options.AsJson = False) -> None:
    """Print the active metrics."""
    metrics = load_catalog(load_settings().catalog).select(tuple(only or ()))
    if as_json:
        return print_json(catalog_body(metrics))
    table = plain_table()
    for name in ("metric", "source", "subject", "window"):
        table.add_column(name, overflow="fold")
    for metric in metrics:
        table.add_row(metric.metric_id, metric.source, metric.subject, metric.window.value)
    return print_view(lambda _glyphs, _width: table)


def add(
    spec: Annotated[str, typer.Argument(metavar="SOURCE:SUBJECT", help="Such as pypistats:httpx.")],
    product: Annotated[str, typer.Option("--product", help="Id of the product, created if new.")],
    name: Annotated[str | None, typer.Option("--name", help="Display name of a new product.")] = None,
    metric_id: Annotated[str | None, typer.Option("--id", help="Metric id instead of the default.")] = None,
) -> None:
    """Append a package or repository to the catalogue that CM_CATALOG names."""
    path = load_settings().catalog
    for added in add_metric(path, spec, product, name=name, metric_id=metric_id):
        typer.echo(f"{added} is in {path}; `community-metrics refresh --only {added}` fetches it.")


def init(
    path: Annotated[Path, typer.Argument(help="The file to write; an existing one is never overwritten.")],
) -> None:
    """Write a commented starter catalogue."""
    init_catalog(path)
    typer.echo(f"Wrote {path}. Use it: export CM_CATALOG={path}")

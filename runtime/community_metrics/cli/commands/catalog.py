"""`community-metrics catalog check`, `show`, `add`, `discover`, `remove` and `init`."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path  # noqa: TC003  typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.text import Text

from community_metrics.catalog import load_catalog
from community_metrics.catalog.edit import own_catalog, plan_addition, plan_additions
from community_metrics.catalog.files import init_catalog
from community_metrics.catalog.remove import remove_metrics
from community_metrics.catalog.spec import specs_in
from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.cli.answers import require_answers
from community_metrics.cli.discovery import LIMIT, Scope, chosen_products, owner_named, survey
from community_metrics.cli.existence import require_existing
from community_metrics.cli.mappers import catalog_body, discovery_body
from community_metrics.cli.output import print_json, print_view, quiet_settings
from community_metrics.cli.render.discovery import render_survey
from community_metrics.cli.render.style import plain_table, team_mark
from community_metrics.clock import SystemClock
from community_metrics.config import load_settings
from community_metrics.errors import ConfigurationError
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from community_metrics.catalog.deliveries import Delivery
    from community_metrics.catalog.edit import Addition
    from community_metrics.cli.discovery import Survey


def check() -> None:
    """Validate the catalogue; list every fault with its line."""
    catalog = load_catalog(load_settings().catalog)
    typer.echo(
        f"{catalog.path} is in order: {counted(len(catalog.products), 'product')}, "
        f"{counted(len(catalog.active), 'active metric')}, {len(catalog.shown)} of them shown."
    )


def show(only: options.Only = None, as_json: options.AsJson = False) -> None:
    """Print the active metrics, and the targets of digests."""
    catalog = load_catalog(load_settings().catalog)
    metrics = [metric for metric in catalog.select(tuple(only or ())) if metric not in catalog.registries]
    if as_json:
        return print_json(catalog_body(metrics, () if only else catalog.deliveries))
    table = plain_table()
    for name in ("metric", "source", "subject", "window", "visibility", "watch"):
        table.add_column(name, overflow="fold")
    for metric in metrics:
        facts = (metric.metric_id, metric.source, metric.subject, metric.window.value)
        table.add_row(*facts, team_mark(metric.visibility), "watched" if metric.is_watched else "")
    parts = [table] if only or not catalog.deliveries else [table, Text(), _deliveries(catalog.deliveries)]
    return print_view(lambda _glyphs, _width: Group(*parts))


def _deliveries(deliveries: Sequence[Delivery]) -> Table:
    table = plain_table()
    for name in ("delivery", "to", "digests", "products", "visibility"):
        table.add_column(name, overflow="fold")
    for one in deliveries:
        to = f"{one.to} via {one.via}" if one.via else one.to.value
        products = ", ".join(one.products) if one.products else "all"
        table.add_row(one.id, to, ", ".join(one.digests), products, team_mark(one.visibility))
    return table


def add(  # noqa: PLR0917  typer calls it by keyword
    product: Annotated[str, typer.Option("--product", help="Id of the product, created if new.")],
    specs: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE:SUBJECT", help="Such as pypistats:httpx, or the address of its page."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Display name of a new product.")] = None,
    metric_id: Annotated[str | None, typer.Option("--id", help="Metric id instead of the default.")] = None,
    listed: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Add what this file lists, one a line.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Ask the registry whether it has the package.")
    ] = True,
) -> None:
    """Append packages or repositories to the catalogue that CM_CATALOG names."""
    wanted = [*(specs or ()), *(specs_in(listed) if listed else ())]
    if not wanted:
        raise ConfigurationError("There is nothing to add. Fix: write SOURCE:SUBJECT, or --from FILE.")
    settings = quiet_settings()
    addition = plan_addition(settings.catalog, wanted, product, name=name, metric_id=metric_id)
    if check:
        say = partial(typer.echo, err=True)
        for reason in asyncio.run(require_existing(addition.subjects, settings, SystemClock(), say)):
            typer.echo(f"It was not checked whether the package exists: {reason}", err=True)
    _write(addition)


def _write(addition: Addition) -> None:
    addition.write()
    for added in addition.metric_ids:
        typer.echo(f"{added} is in {addition.file}; `community-metrics refresh --only {added}` fetches it.")


def discover(  # noqa: PLR0917  typer calls it by keyword
    owner: Annotated[
        str, typer.Argument(metavar="github:OWNER", help="Such as github:encode, an organisation or a user.")
    ],
    only: Annotated[
        list[str] | None,
        typer.Option("--repository", metavar="NAME", help="Only this repository. Repeatable."),
    ] = None,
    limit: options.Repositories = LIMIT,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Ask the registries whether they have the packages.")
    ] = True,
    add: Annotated[bool, typer.Option("--add", help="Add what you choose of the proposals.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --add: add every proposal, without asking.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Look for packages in the repositories of a GitHub owner, and propose metrics."""
    if (add and as_json) or (yes and not add):
        raise typer.BadParameter("--add and --json exclude each other" if add else "--yes belongs to --add")
    if add and not yes:
        require_answers({"--yes": "to add every proposal"})
    settings = quiet_settings()
    known = own_catalog(settings.catalog) if add or settings.catalog else None
    scope = Scope(owner_named(owner), tuple(only or ()), limit, check)
    found = asyncio.run(survey(scope, settings, SystemClock(), known, partial(typer.echo, err=True)))
    if as_json:
        return print_json(discovery_body(found))
    print_view(lambda glyphs, _width: render_survey(found, glyphs))
    return _add_found(found, settings.catalog, yes=yes) if add else _print_commands(found)


def _add_found(found: Survey, path: Path | None, *, yes: bool) -> None:
    """Write the proposals of all products, or of those that a person chooses."""
    products = list(found.by_product)
    if products and not yes:
        products = chosen_products(products)
    if products:
        _write(plan_additions(path, found.wanted(products)))
    else:
        typer.echo("Nothing was added.")


def _print_commands(found: Survey) -> None:
    if found.commands:
        typer.echo("\nNothing was added. These commands add it, to the catalogue that CM_CATALOG names:\n")
    for command in found.commands:
        typer.echo(command)


def remove(
    metric_ids: Annotated[list[str], typer.Argument(metavar="METRIC_ID", help="Id of a metric. Repeatable.")],
) -> None:
    """Remove metrics from the catalogue that CM_CATALOG names; their stored values stay."""
    path = load_settings().catalog
    for product in remove_metrics(path, metric_ids):
        typer.echo(f"The product {product} has no metric left and was removed from {path}.")
    for metric_id in metric_ids:
        typer.echo(f"{metric_id} is no longer in {path}. Its stored values stay; it is not fetched any more.")


def init(
    path: Annotated[Path, typer.Argument(help="The file to write; an existing one is never overwritten.")],
) -> None:
    """Write a commented starter catalogue."""
    init_catalog(path)
    typer.echo(f"Wrote {path}. Use it: export CM_CATALOG={path}")

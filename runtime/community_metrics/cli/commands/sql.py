"""`community-metrics sql`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from community_metrics.api.spreadsheet import csv_text, plain_cell
from community_metrics.catalog import load_catalog
from community_metrics.cli import options
from community_metrics.cli.output import print_view, quiet_settings
from community_metrics.cli.render.query import render_query
from community_metrics.model import Visibility
from community_metrics.views.public import seen_by
from community_metrics.views.rows import read
from community_metrics.views.sql import load_query, require_duckdb

if TYPE_CHECKING:
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.sql import QueryResult

QueryText = Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT.", show_default=False)]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV; text like a formula gets an apostrophe.")]
Team = Annotated[bool, typer.Option("--team", help="With the metrics that only the team may see.")]
Limit = Annotated[int, options.whole_number("--limit", 1, 1_000_000, "How many rows to print")]


def sql(
    query: QueryText,
    *,
    team: Team = False,
    limit: Limit = 1_000,
    as_json: options.AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Run a query over the tables, which only reads.

    The tables are metrics, stats, history, run_outcomes and events. DuckDB runs it, without access to files,
    network or extensions. Only flows of one unit may be summed: `stats` has the `unit` and the `value_kind`
    of each value. Without `--team` it has only what everybody may see.
    """
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other")
    require_duckdb()
    settings = quiet_settings()
    catalog = load_catalog(settings.catalog)
    viewer = Visibility.TEAM if team else Visibility.PUBLIC

    async def load(reader: LanceDBReader) -> QueryResult:
        seen, _ = seen_by(viewer, reader, catalog, has_team=bool(settings.api_token_hashes))
        return await load_query(seen, query=query, limit=limit)

    result, _ = asyncio.run(read(settings, load))
    if as_json:
        typer.echo(json.dumps(result.rows, indent=2, default=lambda value: str(plain_cell(value))))
    elif as_csv:
        typer.echo(csv_text(result.rows, result.names, is_sample=result.is_sample), nl=False)
    else:
        print_view(lambda _, __: render_query(result))
    if result.has_more:
        typer.echo(
            f"Only the first {limit} rows are printed. Fix: --limit, or a LIMIT in the query.", err=True
        )

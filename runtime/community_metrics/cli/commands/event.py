"""`community-metrics event add`, `list` and `remove`."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated

import typer

from community_metrics.api.mappers import events_body
from community_metrics.catalog import load_catalog
from community_metrics.cli import options
from community_metrics.cli.output import print_json, print_view, quiet_settings
from community_metrics.cli.render.events import render_events
from community_metrics.clock import SystemClock
from community_metrics.errors import InvalidRange, UnknownName
from community_metrics.model import Visibility
from community_metrics.runs.notes import Note, record_note, remove_event
from community_metrics.views.events import load_events
from community_metrics.views.rows import read

EventDay = Annotated[
    date, typer.Argument(parser=options.day, metavar="YYYY-MM-DD", help="The UTC day.", show_default=False)
]
Title = Annotated[str, typer.Argument(metavar="TEXT", help="What happened, in one line.", show_default=False)]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="The person who says so.", show_default=False)]
Product = Annotated[
    str | None, typer.Option("--product", metavar="PRODUCT", help="The product that it is about.")
]
Url = Annotated[str | None, typer.Option("--url", metavar="URL", help="A page about it.")]
Team = Annotated[bool, typer.Option("--team", help="Show it only to who sends an accepted token.")]
From = Annotated[
    date | None,
    typer.Option(
        "--from", parser=options.day, metavar="YYYY-MM-DD", help="First UTC day.", show_default=False
    ),
]
To = Annotated[
    date | None,
    typer.Option("--to", parser=options.day, metavar="YYYY-MM-DD", help="Last UTC day.", show_default=False),
]
EventId = Annotated[
    str, typer.Argument(metavar="EVENT_ID", help="As `event list` prints it.", show_default=False)
]


def add(  # noqa: PLR0917  typer calls it by keyword
    day: EventDay, title: Title, by: By, product: Product = None, url: Url = None, team: Team = False
) -> None:
    """Record what happened on a day, with the name of who says so."""
    settings = quiet_settings()
    catalog = load_catalog(settings.catalog)
    visibility = Visibility.TEAM if team else Visibility.PUBLIC
    note = Note(day, title, by, product, url, visibility)
    try:
        event, is_new = asyncio.run(record_note(settings, catalog, note))
    except UnknownName as error:
        known = ", ".join(error.similar)
        raise typer.BadParameter(f"there is no product {error.name!r}; known are {known}") from error
    typer.echo(f"{'Recorded' if is_new else 'Already recorded:'} {event.event_id}")


def list(  # noqa: A001  the name of the command
    since: From = None, until: To = None, product: options.Products = None, as_json: options.AsJson = False
) -> None:
    """Print releases, posts, mentions and outages, and apart from them notes by people."""
    settings = quiet_settings()
    catalog, now = load_catalog(settings.catalog), SystemClock().now()
    try:
        view, versions = asyncio.run(
            read(
                settings,
                lambda reader: load_events(reader, catalog, now, since=since, until=until, products=product),
            )
        )
    except InvalidRange as error:
        raise typer.BadParameter(str(error)) from error
    except UnknownName as error:
        raise typer.BadParameter(_near(error)) from error
    if as_json:
        return print_json(events_body(view, versions))
    return print_view(lambda glyphs, _: render_events(view, glyphs))


def remove(event_id: EventId, by: By) -> None:
    """Hide an event from every view; its row stays.

    It has the name of who removed it. An event that is read again stays hidden.
    """
    try:
        event = asyncio.run(remove_event(quiet_settings(), event_id, by))
    except UnknownName as error:
        raise typer.BadParameter(_near(error)) from error
    typer.echo(f"Removed {event.event_id}: {event.title}")


def _near(error: UnknownName) -> str:
    return f"{error}; near: {', '.join(error.similar)}" if error.similar else str(error)

"""`community-metrics digest`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from community_metrics.catalog import load_catalog
from community_metrics.cli import options
from community_metrics.cli.output import quiet_settings
from community_metrics.cli.render.style import open_consoles
from community_metrics.clock import SystemClock
from community_metrics.digest.formats import Format, require_installed, written
from community_metrics.errors import ConfigurationError, PeriodNotOver, UnknownName
from community_metrics.model import Visibility
from community_metrics.periods import Grain, last_completed
from community_metrics.runs.digests import record_digest
from community_metrics.views.digest import DigestScope
from community_metrics.views.digests import (
    content_of,
    last_complete,
    made_digest,
    next_digest,
    stored_digest,
)
from community_metrics.views.public import seen_by
from community_metrics.views.rows import read

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.config import Settings
    from community_metrics.model import StoredDigest
    from community_metrics.model.digest_content import Digest
    from community_metrics.storage.reader import LanceDBReader

OfFormat = Annotated[Format, typer.Option("--format", help="How it is written.")]
Output = Annotated[
    Path | None,
    typer.Option(dir_okay=False, help="Write it to this file.", show_default=False),
]
Store = Annotated[bool, typer.Option("--store", help="Store it first, so that it never changes again.")]
Anew = Annotated[bool, typer.Option("--anew", help="Compute it from today's numbers, though it is stored.")]
Team = Annotated[bool, typer.Option("--team", help="With the numbers that only the team may see.")]


def digest(  # noqa: PLR0917  typer calls it by keyword
    week: options.Week = None,
    month: options.Month = None,
    quarter: options.Quarter = None,
    product: options.Products = None,
    form: OfFormat = Format.TEXT,
    team: Team = False,
    store: Store = False,
    anew: Anew = False,
    output: Output = None,
) -> None:
    """Summarise a week, a month or a quarter, for a chat, an e-mail or a meeting.

    Unless one is named, it is the last complete week. What changed and what happened, goals, and what is not
    known follow from the rules of docs/insights.md. A period that is not complete says so in the first line.
    Without `--team` it has only what everybody may see. A digest that is stored is printed unchanged.
    """
    if store and anew:
        raise typer.BadParameter("--store and --anew exclude each other")
    _require_place(form, output)
    now = SystemClock().now()
    period = options.named_period(now, week=week, month=month, quarter=quarter)
    settings = quiet_settings()
    scope = DigestScope(
        period=period or last_completed(now, Grain.WEEK),
        products=tuple(sorted(set(product or ()))),
        visibility=Visibility.TEAM if team else Visibility.PUBLIC,
        page_url=settings.page_url,
        api_url=settings.api_url,
    )
    try:
        if period is None:
            scope = asyncio.run(_last_complete(settings, scope, now))
        made = asyncio.run(_stored(settings, scope) if store else _made(settings, scope, now, anew=anew))
    except PeriodNotOver as error:
        raise typer.BadParameter(f"{error}; the last one is {error.last}") from error
    except UnknownName as error:
        near = f"; near: {', '.join(error.similar)}" if error.similar else ""
        raise typer.BadParameter(f"{error}{near}") from error
    content = written(made, form)
    if output is not None:
        _write(output, content)
    elif form.is_text:
        open_consoles()  # a character that the terminal lacks does not end the program
        typer.echo(content.decode(), nl=False)
    else:
        typer.echo(content, nl=False)


def _require_place(form: Format, output: Path | None) -> None:
    """Check what can be checked of the output before anything is stored."""
    require_installed(form)
    if output is None and not form.is_text and sys.stdout.isatty():
        raise typer.BadParameter(f"{form} is a binary file and no text. Fix: --output digest.{form}")
    if output is not None and not output.parent.is_dir():
        raise ConfigurationError(f"The folder {output.parent} does not exist. Fix: mkdir -p {output.parent}")


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be written: {error.strerror}. Fix: name a file that you may write to."
        ) from error


async def _last_complete(settings: Settings, scope: DigestScope, now: datetime) -> DigestScope:
    catalog = load_catalog(settings.catalog)

    async def load(reader: LanceDBReader) -> DigestScope:
        return await last_complete(*_seen_by(scope, settings, reader, catalog), now, scope=scope)

    return (await read(settings, load))[0]


async def _made(settings: Settings, scope: DigestScope, now: datetime, *, anew: bool) -> Digest:
    """Return the digest that was stored, else (or `anew`) the one of now."""
    catalog = load_catalog(settings.catalog)

    async def load(reader: LanceDBReader) -> Digest:
        seen, public = _seen_by(scope, settings, reader, catalog)
        stored = None if anew else await stored_digest(seen, scope)
        return stored or await made_digest(seen, public, now, scope=scope)

    return (await read(settings, load))[0]


async def _stored(settings: Settings, scope: DigestScope) -> Digest:
    catalog = load_catalog(settings.catalog)

    async def make(reader: LanceDBReader, now: datetime) -> tuple[StoredDigest, bool]:
        return await next_digest(*_seen_by(scope, settings, reader, catalog), now, scope=scope)

    return content_of((await record_digest(settings, make))[0])


def _seen_by(
    scope: DigestScope, settings: Settings, reader: LanceDBReader, catalog: Catalog
) -> tuple[LanceDBReader, Catalog]:
    return seen_by(scope.visibility, reader, catalog, has_team=bool(settings.api_token_hashes))

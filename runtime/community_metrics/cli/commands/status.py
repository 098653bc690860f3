"""`community-metrics status`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from community_metrics.api.mappers import status_body
from community_metrics.catalog import load_catalog
from community_metrics.cli import options  # noqa: TC001  typer reads them at run time
from community_metrics.cli.output import print_json, print_view, quiet_settings
from community_metrics.cli.render.status import render_status
from community_metrics.clock import SystemClock
from community_metrics.views.rows import read
from community_metrics.views.status import load_status

if TYPE_CHECKING:
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.status import Status


def status(as_json: options.AsJson = False) -> None:
    """Show how fresh the data are, where days are missing, and the last runs."""
    settings = quiet_settings()
    catalog, now = load_catalog(settings.catalog), SystemClock().now()

    async def load(reader: LanceDBReader) -> Status:
        return await load_status(reader, catalog, now)

    view, versions = asyncio.run(read(settings, load))
    if as_json:
        return print_json(status_body(view, versions))
    return print_view(lambda glyphs, _: render_status(view, settings.storage_location, glyphs))

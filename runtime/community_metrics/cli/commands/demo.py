"""`community-metrics demo`."""

from __future__ import annotations

import asyncio
import signal
from typing import Annotated

import typer

from community_metrics import log
from community_metrics.api import serving
from community_metrics.api.app import logging_app
from community_metrics.api.middleware.compression import CompressionMiddleware
from community_metrics.api.middleware.tokens import new_token, token_hash
from community_metrics.cli import options
from community_metrics.cli.dashboard import Dashboard, announce, chosen_dashboard
from community_metrics.clock import SystemClock
from community_metrics.demo.database import fill, temporary_settings
from community_metrics.periods import today

MOST_SEED = 2**31 - 1
Seed = Annotated[
    int, options.whole_number("--seed", 0, MOST_SEED, "Another seed invents other numbers", show_default=True)
]
Port = Annotated[int, options.whole_number("--port", 0, 65_535, "Port to listen on (0 takes a free one)")]


def demo(port: Port = 8000, seed: Seed = 1, dashboard: Dashboard = None) -> None:
    """Serve two years of invented sample data until stopped; needs neither network nor settings.

    Its database is temporary and removed at the end: no setting of the environment leads to a real one.
    """
    sockets = serving.listen_on_host("127.0.0.1", port)  # a taken port is reported before the work
    address = serving.url_of("127.0.0.1", sockets)
    for number in (signal.SIGTERM, signal.SIGHUP):  # by default they end the process with the database left
        signal.signal(number, signal.default_int_handler)
    folder, token = chosen_dashboard(dashboard), new_token()
    now = SystemClock().now()
    with temporary_settings(today(now), api_token_hashes=token_hash(token), public_read="true") as settings:
        log.configure(settings, is_terminal=True, least=log.NOTHING)  # runs of which some fail, as invented
        typer.echo(f"Inventing sample data with seed {seed} …", err=True)
        asyncio.run(fill(settings, seed, now))

        def announce_sample() -> None:
            typer.echo("Sample data: every number is invented, and removed at the end.", err=True)
            typer.echo(f"Numbers that only the team may see need the token {token}", err=True)
            announce(folder, address)

        serving.run_server(CompressionMiddleware(logging_app(settings, folder)), sockets, announce_sample)

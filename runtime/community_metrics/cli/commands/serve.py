"""`community-metrics serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from community_metrics.api import serving
from community_metrics.api.app import app_from_environment
from community_metrics.api.middleware.compression import CompressionMiddleware
from community_metrics.cli import options
from community_metrics.cli.dashboard import Dashboard, announce, chosen_dashboard
from community_metrics.config import load_settings

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, options.whole_number("--port", 0, 65_535, "Port to listen on (0 takes a free one)")]
Socket = Annotated[
    Path | None,
    typer.Option("--uds", help="Listen on this unix socket instead, for a proxy on the same machine."),
]


def serve(
    host: Host = "127.0.0.1", port: Port = 8000, uds: Socket = None, dashboard: Dashboard = None
) -> None:
    """Serve the dashboard and the read API until stopped; prints their addresses."""
    load_settings()  # faults in the settings are reported before an address
    folder = chosen_dashboard(dashboard)
    app = CompressionMiddleware(app_from_environment(folder))
    sockets = [serving.listen_on_path(uds)] if uds else serving.listen_on_host(host, port)
    address = f"unix:{uds}" if uds else serving.url_of(host, sockets)
    try:
        serving.run_server(app, sockets, lambda: announce(folder, address))
    finally:
        if uds:
            uds.unlink(missing_ok=True)

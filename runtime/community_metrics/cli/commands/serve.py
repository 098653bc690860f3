"""`community-metrics serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from community_metrics.api import serving
from community_metrics.api.app import app_from_environment
from community_metrics.api.middleware.compression import CompressionMiddleware
from community_metrics.cli import options
from community_metrics.config import load_settings

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, options.whole_number("--port", 0, 65_535, "Port to listen on (0 takes a free one)")]
Socket = Annotated[
    Path | None,
    typer.Option("--uds", help="Listen on this unix socket instead, for a proxy on the same machine."),
]
Dashboard = Annotated[
    Path | None,
    typer.Option(
        exists=True, file_okay=False, help="Folder of the built dashboard, served at / beside the API."
    ),
]


def serve(
    host: Host = "127.0.0.1", port: Port = 8000, uds: Socket = None, dashboard: Dashboard = None
) -> None:
    """Serve the read API until stopped; prints its address once it answers."""
    load_settings()  # faults in the settings are reported before an address
    app = CompressionMiddleware(app_from_environment(dashboard))
    sockets = [serving.listen_on_path(uds)] if uds else serving.listen_on_host(host, port)
    address = f"unix:{uds}" if uds else serving.url_of(host, sockets)

    def announce() -> None:
        if dashboard is not None:
            typer.echo(f"The dashboard is at {address}/", err=True)
        typer.echo(f"The read API is at {address}/api/v1/docs; Ctrl-C stops it.", err=True)

    try:
        serving.run_server(app, sockets, announce)
    finally:
        if uds:
            uds.unlink(missing_ok=True)

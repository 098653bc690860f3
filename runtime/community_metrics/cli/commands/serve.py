"""The commands around the read API: `serve` and `token new`. Heavy imports happen inside functions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

token = typer.Typer(help="Bearer tokens for consumers of the API that run on servers.", no_args_is_help=True)

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")]
Socket = Annotated[
    Path | None,
    typer.Option("--uds", help="Listen on this unix socket instead, for a proxy on the same machine."),
]
Dashboard = Annotated[
    Path | None,
    typer.Option(
        exists=True, file_okay=False, help="Folder of the built dashboard; it is served at / beside the API."
    ),
]


def serve(
    host: Host = "127.0.0.1", port: Port = 8000, uds: Socket = None, dashboard: Dashboard = None
) -> None:
    """Serve the read API until stopped; prints where, once it answers."""
    from community_metrics.api import serving  # noqa: PLC0415  heavy
    from community_metrics.api.app import app_from_environment  # noqa: PLC0415  heavy
    from community_metrics.api.middleware.compression import CompressionMiddleware  # noqa: PLC0415  heavy
    from community_metrics.config import load_settings  # noqa: PLC0415  heavy

    load_settings()  # their faults come before an address does
    app = CompressionMiddleware(app_from_environment(dashboard))
    sockets = [serving.listen_on_path(uds)] if uds else serving.listen_on_host(host, port)
    place = f"unix:{uds}" if uds else serving.url_of(host, sockets)

    def announce() -> None:
        if dashboard is not None:
            typer.echo(f"The dashboard is at {place}/", err=True)
        typer.echo(f"The read API is at {place}/api/v1/docs; Ctrl-C stops it.", err=True)

    try:
        serving.run_server(app, sockets, announce)
    finally:
        if uds:
            uds.unlink(missing_ok=True)


@token.command("new")
def new() -> None:
    """Make a token, and print it with the hash that `CM_API_TOKEN_HASHES` wants. It is kept nowhere."""
    from community_metrics.api.middleware.tokens import new_token, token_hash  # noqa: PLC0415  heavy

    made = new_token()
    typer.echo(f"token: {made}")
    typer.echo(f"hash:  {token_hash(made)}")
    typer.echo(
        "Give the token to one consumer on a server, and the hash to CM_API_TOKEN_HASHES (commas between).",
        err=True,
    )

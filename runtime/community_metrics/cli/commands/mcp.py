"""`community-metrics mcp`."""

from __future__ import annotations

import asyncio
import sys
from importlib.util import find_spec
from typing import Annotated

import typer

from community_metrics import log
from community_metrics.api import serving
from community_metrics.api.middleware.request_log import request_logger
from community_metrics.cli import options
from community_metrics.cli.output import quiet_settings
from community_metrics.config import load_settings
from community_metrics.errors import ExtraMissing
from community_metrics.mcp_server.reading import Readings
from community_metrics.model import Visibility

Http = Annotated[
    bool, typer.Option("--http", help="Serve over streamable HTTP at /mcp instead of standard input.")
]
Host = Annotated[str, typer.Option(help="Address to listen on, with --http.")]
Port = Annotated[
    int, options.whole_number("--port", 0, 65_535, "Port to listen on, with --http (0 takes a free one)")
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host",
        metavar="NAME",
        help="A name by which clients reach the server, such as that of a proxy. Repeatable.",
        show_default=False,
    ),
]
Team = Annotated[
    bool, typer.Option("--team", help="With the metrics that only the team may see; not with --http.")
]


def mcp(
    *,
    http: Http = False,
    host: Host = "127.0.0.1",
    port: Port = 8001,
    allow_host: AllowHost = None,
    team: Team = False,
) -> None:
    """Answer an assistant's questions with the numbers, over the Model Context Protocol.

    A client such as Claude or VS Code starts it and talks to it over standard input and output. With `--http`
    it is a server behind the tokens of the API. It only reads. Without `--team`, or a token, it has only
    what everybody may see.
    """
    if http and team:
        raise typer.BadParameter("--team is for standard input; over HTTP a token decides")
    if find_spec("mcp") is None:
        raise ExtraMissing("`mcp`", "mcp")
    if http:
        _serve(host, port, allow_host or [])
    else:
        _answer(Visibility.TEAM if team else Visibility.PUBLIC)


def _answer(viewer: Visibility) -> None:
    from community_metrics.mcp_server.server import (  # noqa: PLC0415  only the extra has the SDK
        answer_on_standard_input,
    )

    asyncio.run(answer_on_standard_input(Readings.of(quiet_settings()), viewer))


def _serve(host: str, port: int, names: list[str]) -> None:
    from community_metrics.mcp_server.http import PATH, http_app  # noqa: PLC0415  as above

    settings, is_terminal = load_settings(), sys.stderr.isatty()
    log.configure(settings, is_terminal=is_terminal)
    logger = request_logger(settings, is_terminal=is_terminal)
    app = http_app(settings, Readings.of(settings), hosts=names, log_request=logger)
    sockets = serving.listen_on_host(host, port)
    address = serving.url_of(host, sockets)

    def announce() -> None:
        typer.echo(f"The MCP server is at {address}{PATH}; Ctrl-C stops it.", err=True)

    serving.run_server(app, sockets, announce)

"""The MCP server in a process of its own, as the command runs it, with a stopped clock.

`python -m tests.support.mcp_process DATABASE stdio` or `… http`; `CM_API_TOKEN_HASHES` and the like are read.
"""

from __future__ import annotations

import asyncio
import sys

import typer

from community_metrics.api import serving
from community_metrics.config import Settings
from community_metrics.mcp_server.http import PATH, http_app
from community_metrics.mcp_server.reading import Readings
from community_metrics.mcp_server.server import answer_on_standard_input
from community_metrics.model import Visibility
from tests.support.clock import FakeClock


def main() -> None:
    settings = Settings(_env_file=None, db_path=sys.argv[1])
    readings = Readings.of(settings, FakeClock())
    if sys.argv[2] == "stdio":
        asyncio.run(answer_on_standard_input(readings, Visibility.PUBLIC))
        return
    sockets = serving.listen_on_host("127.0.0.1", 0)
    address = f"{serving.url_of('127.0.0.1', sockets)}{PATH}"
    app = http_app(settings, readings, log_request=lambda _request, _at: None)
    serving.run_server(app, sockets, lambda: typer.echo(f"at {address};", err=True))


if __name__ == "__main__":
    main()

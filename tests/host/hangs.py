"""The API's server over an app that hangs: its one answer blocks the event loop for good.

A program for the box, which `test_services.py` lets the API's unit run instead of its own.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NoReturn

from starlette.applications import Starlette
from starlette.routing import Route

from community_metrics.config import service_manager
from community_metrics.host.serve import HandedOverServer
from community_metrics.host.service_manager import handed_over_sockets

if TYPE_CHECKING:
    from starlette.requests import Request


async def hang(_: Request) -> NoReturn:
    while True:
        time.sleep(1)  # noqa: ASYNC251  what the test is about


def main() -> None:
    manager = service_manager()
    app = Starlette(routes=[Route("/{path:path}", hang)])
    HandedOverServer(app, manager).run(handed_over_sockets(manager))


if __name__ == "__main__":
    main()

"""The API's server with an app that blocks its event loop forever.

`test_services.py` copies this program to the box, where the API's unit runs it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NoReturn

from starlette.applications import Starlette
from starlette.routing import Route

from community_metrics.config import service_manager
from community_metrics.host.serve import SocketActivatedServer
from community_metrics.host.service_manager import activation_sockets

if TYPE_CHECKING:
    from starlette.requests import Request


async def hang(_: Request) -> NoReturn:
    while True:
        time.sleep(1)  # noqa: ASYNC251  blocks on purpose


def main() -> None:
    manager = service_manager()
    app = Starlette(routes=[Route("/{path:path}", hang)])
    SocketActivatedServer(app, manager).run(activation_sockets(manager))


if __name__ == "__main__":
    main()

"""The API on the host: `python -m community_metrics.host.serve`, on a socket of systemd.

systemd keeps the socket open while the process restarts, so that connections queue instead of failing. The
process notifies systemd when it is ready, and its event loop sends the watchdog signal: systemd restarts a
process whose loop hangs.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

import uvicorn

from community_metrics.api.app import app_from_environment
from community_metrics.api.server import server_config
from community_metrics.api.serving import SHUTDOWN_TIMEOUT_S
from community_metrics.config import service_manager
from community_metrics.errors import ConfigurationError
from community_metrics.host.service_manager import activation_sockets, notify

if TYPE_CHECKING:
    import socket

    from starlette.types import ASGIApp

    from community_metrics.config import ServiceManager

_LAST_READS_S: Final = 0.2


class SocketActivatedServer(uvicorn.Server):
    """Serves on the sockets of systemd."""

    def __init__(self, app: ASGIApp, manager: ServiceManager) -> None:
        super().__init__(
            server_config(
                app,
                lifespan="on",
                timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
                callback_notify=self._notify_watchdog,
                timeout_notify=1,
            )
        )
        self._manager = manager

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then notify systemd."""
        await super().startup(sockets)
        notify(self._manager, "READY=1")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting connections, finish the requests in progress, and stop."""
        notify(self._manager, "STOPPING=1")
        for server in self.servers:
            server.close()
        # uvicorn closes a connection whose request it has not read yet: read it first
        await asyncio.sleep(_LAST_READS_S)
        await super().shutdown(sockets)

    async def _notify_watchdog(self) -> None:
        notify(self._manager, "WATCHDOG=1")


def main() -> None:
    """Serve until the stop signal."""
    manager = service_manager()
    if manager.lacks_secrets:
        # its tokens may be among the missing ones: without tokens it would be open to everyone
        sys.exit(
            "The API does not start: some of its secrets could not be read from Secrets Manager. For the "
            "reason: `sudo journalctl -u community-metrics-secrets -n 20`. After fixing it, run "
            "`sudo systemctl start community-metrics-secrets`; the API then starts automatically."
        )
    try:
        sockets = activation_sockets(manager)
    except ConfigurationError as error:
        sys.exit(f"{error}")
    SocketActivatedServer(app_from_environment(), manager).run(sockets)


if __name__ == "__main__":
    main()

"""The API on the host: `python -m community_metrics.host.serve`, on the socket that systemd holds.

systemd keeps the socket while the process is replaced, so that callers wait instead of being refused. It is
told when the API is ready, and by the event loop that the loop still turns: one that hangs is replaced.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

import uvicorn

from community_metrics.api.app import app_from_environment
from community_metrics.config import service_manager
from community_metrics.errors import ConfigurationError
from community_metrics.host.service_manager import handed_over_sockets, notify

if TYPE_CHECKING:
    import socket

    from starlette.types import ASGIApp

    from community_metrics.config import ServiceManager

LAST_ANSWERS_S: Final = 30
"""How long answers under way may take when the process is told to stop."""
_LAST_READS_S: Final = 0.2


class HandedOverServer(uvicorn.Server):
    """Serves on sockets that outlive it."""

    def __init__(self, app: ASGIApp, manager: ServiceManager) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                log_config=None,  # ours is set up with the app, and has one line for each request
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=LAST_ANSWERS_S,
                callback_notify=self._tell_life,
                timeout_notify=1,
            )
        )
        self._manager = manager

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        notify(self._manager, "READY=1")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more callers, hear out those who are taken, answer, end."""
        notify(self._manager, "STOPPING=1")
        for server in self.servers:
            server.close()
        # uvicorn hangs up at once on a caller whose request has not been read yet: read it first
        await asyncio.sleep(_LAST_READS_S)
        await super().shutdown(sockets)

    async def _tell_life(self) -> None:
        notify(self._manager, "WATCHDOG=1")


def main() -> None:
    """Serve until told to stop."""
    manager = service_manager()
    if manager.lacks_secrets:
        # its tokens may be among them: without, it would be open to everybody
        sys.exit(
            "The API does not start: its secrets have not all been read from Secrets Manager. "
            "`sudo journalctl -u community-metrics-secrets -n 20` says why; mend that, then "
            "`sudo systemctl start community-metrics-secrets`. The API is started again by itself."
        )
    try:
        sockets = handed_over_sockets(manager)
    except ConfigurationError as error:
        sys.exit(f"{error}")
    HandedOverServer(app_from_environment(), manager).run(sockets)


if __name__ == "__main__":
    main()

"""The limits of every uvicorn server that this package starts."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, ClassVar, Final

import structlog
import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from community_metrics.api.clients import STALL_S
from community_metrics.api.middleware.request_log import LOGGER

if TYPE_CHECKING:
    import asyncio

    from starlette.types import ASGIApp

SEND_BUFFER_BYTES: Final = 128 * 1024
"""Kept small: the system reports what a slow client has read only in thirds of it."""
_log = structlog.get_logger(LOGGER)


REQUEST_S: Final = 10.0
"""How long a connection may wait for a complete request, in seconds; it is closed within twice that."""


def server_config(
    app: ASGIApp,
    *,
    stall_s: float = STALL_S,
    request_s: float = REQUEST_S,
    send_buffer: int = SEND_BUFFER_BYTES,
    **options: Any,
) -> uvicorn.Config:
    """Return uvicorn's configuration for `app`; `options` are those of uvicorn.

    A connection whose client reads nothing for `stall_s` seconds is closed, and one whose client completes
    no request within `request_s` seconds. `send_buffer` is the size of the system's buffer for each
    connection, in bytes.
    """
    limits = {"stall_s": stall_s, "request_s": request_s, "send_buffer": send_buffer}
    return uvicorn.Config(
        app,
        http=type("Bounded", (_Bounded,), limits),
        log_config=None,  # the app configures logging, with one line for each request
        access_log=False,
        server_header=False,
        **options,
    )


class _Bounded(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # one of two classes
    """uvicorn's protocol, which keeps a connection with unsent bytes, or a part of a request, without end."""

    stall_s: ClassVar[float] = STALL_S
    send_buffer: ClassVar[int] = SEND_BUFFER_BYTES
    request_s: ClassVar[float] = REQUEST_S
    _check: asyncio.TimerHandle | None = None
    _request_check: asyncio.TimerHandle | None = None
    _last_request: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Bound the system's send buffer of the connection, and wait for a request."""
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.send_buffer)
        super().connection_made(transport)
        self._request_check = self.loop.call_later(self.request_s, self._close_without_request)

    def pause_writing(self) -> None:
        """Stop the response: the client reads more slowly than it is written."""
        super().pause_writing()
        self._check_later(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Continue the response."""
        super().resume_writing()
        self._cancel_check()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the response."""
        self._cancel_check()
        if self._request_check is not None:
            self._request_check.cancel()
        super().connection_lost(exc)

    def _check_later(self, unsent: int) -> None:
        self._cancel_check()
        self._check = self.loop.call_later(self.stall_s, self._abort_if_stalled, unsent)

    def _abort_if_stalled(self, unsent_before: int) -> None:
        unsent = self.transport.get_write_buffer_size()
        if unsent >= unsent_before:
            _log.warning("response aborted: the client stopped reading", stall_s=self.stall_s)
            self.transport.abort()  # `close` would wait until the client has read everything
        else:
            self._check_later(unsent)

    def _close_without_request(self) -> None:
        request = self.cycle  # the newest one whose headers are complete
        is_answered = request is None or request.response_complete
        if is_answered and request is self._last_request:
            self.transport.close()
            return
        self._last_request = request
        self._request_check = self.loop.call_later(self.request_s, self._close_without_request)

    def _cancel_check(self) -> None:
        if self._check is not None:
            self._check.cancel()
            self._check = None

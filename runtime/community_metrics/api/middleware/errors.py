"""Turns an unhandled exception into a 500, or aborts a response that has already started."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog

from community_metrics.api.middleware.request_log import LOGGER
from community_metrics.api.middleware.state import request_state
from community_metrics.api.problems import internal_error

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

log = structlog.get_logger(LOGGER)


class ResponseAborted(Exception):  # noqa: N818  describes the response
    """A response failed after it had started; the server has to close the connection."""


class ErrorMiddleware:
    """Logs an unhandled exception, and responds with the request id if no response has started.

    It is inside the layers that add headers, so that a page can read a 500 like any other response. FastAPI
    responds to an unhandled exception and raises it again; the cache passes on the exception alone.

    Raises:
        ResponseAborted: a response other than a 500 had started: it must not end like a complete one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        try:
            await self._app(scope, receive, send)
        except Exception:
            state = request_state(scope)
            log.exception("request failed", request_id=state.request_id, path=scope["path"])
            if not state.status:
                await internal_error(state.request_id).response(scope["path"])(scope, receive, send)
            elif state.status != HTTPStatus.INTERNAL_SERVER_ERROR:
                # without the cause: the server would log it again, with its secrets
                raise ResponseAborted(
                    f"The response to request {state.request_id} was aborted; the log has the error."
                ) from None

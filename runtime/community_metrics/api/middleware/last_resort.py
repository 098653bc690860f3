"""Nothing escapes as a traceback: what is raised below and was not answered becomes a 500."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from community_metrics.api.middleware.notes import notes_of
from community_metrics.api.middleware.request_line import LOGGER
from community_metrics.api.problems import internal_error

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger(LOGGER)


class LastResort:
    """Logs what was raised, and answers with the id of the request alone where nothing was answered yet.

    Stands inside the layers that add headers, so that a page may read a 500 like any other answer. FastAPI
    answers a mistake and raises it again; the cache lets only the second through.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def send_noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception:
            request_id = notes_of(scope).request_id
            log.exception("request failed", request_id=request_id, path=scope["path"])
            if not has_begun:
                await internal_error(request_id).response(scope["path"])(scope, receive, send)

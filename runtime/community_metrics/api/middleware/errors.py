"""Nothing escapes as a traceback: it becomes a 500, or breaks off an answer that had begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from community_metrics.api.middleware.state import notes_of
from community_metrics.api.middleware.request_log import LOGGER
from community_metrics.api.problems import internal_error

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

log = structlog.get_logger(LOGGER)
_MISTAKE: Final = 500


class BrokenOff(Exception):  # noqa: N818  it says what happened to the answer
    """An answer failed after its head was sent; the server below has to close the connection."""


class LastResort:
    """Logs what was raised, and answers with the id of the request alone where nothing was answered yet.

    Stands inside the layers that add headers, so that a page may read a 500 like any other answer. FastAPI
    answers a mistake and raises it again; the cache lets only the second through.

    Raises:
        BrokenOff: the head of a good answer is out already: whoever serves must not end it like a whole one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except Exception:
            notes = notes_of(scope)
            log.exception("request failed", request_id=notes.request_id, path=scope["path"])
            if not notes.status:
                await internal_error(notes.request_id).response(scope["path"])(scope, receive, send)
            elif notes.status != _MISTAKE:  # a 500 was answered whole by FastAPI
                # the reason is logged above, secrets struck out; the server would log it again without that
                raise BrokenOff(
                    f"The answer to request {notes.request_id} broke off; the log has the reason."
                ) from None

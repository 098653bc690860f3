"""The outermost layer: a request id, one log line per request, and the security headers of each response."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Final

from community_metrics.api.context import header
from community_metrics.api.middleware.head import WITHOUT_BODY
from community_metrics.api.middleware.request_log import LoggedRequest
from community_metrics.api.middleware.state import KEY, RequestState

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from community_metrics.api.middleware.request_log import LogRequest
    from community_metrics.clock import Clock

_REQUEST_ID: Final = b"x-request-id"
_VALID_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_POLICY: Final = b"content-security-policy"
_STRICT_POLICY: Final = (
    _POLICY,
    b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
)
# no HSTS: nginx adds it, since this process does not know whether it is behind TLS
_SECURITY_HEADERS: Final = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))


class RequestContextMiddleware:
    """Logs method, path, status, milliseconds and cache outcome; never a query, a header or a token.

    A valid `X-Request-ID` is kept, so that one id spans proxies; any other request gets a new one. A response
    without a content security policy of its own gets one that allows nothing.
    """

    def __init__(self, app: ASGIApp, clock: Clock, log_request: LogRequest) -> None:
        self._app = app
        self._clock = clock
        self._log_request = log_request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request and log it, also if the client disconnects."""
        state = scope[KEY] = RequestState(request_id=_request_id(scope))
        started = self._clock.monotonic()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                state.status = message["status"]
                headers = [*message["headers"], *_SECURITY_HEADERS, (_REQUEST_ID, state.request_id.encode())]
                if _POLICY not in dict(headers):
                    headers.append(_STRICT_POLICY)
                message["headers"] = headers
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            ms = round((self._clock.monotonic() - started) * 1000, 2)
            # a layer outside this one handles HEAD as GET
            method = "HEAD" if WITHOUT_BODY in scope else scope["method"]
            request = LoggedRequest(state.request_id, method, scope["path"], state.status, ms, state.cache)
            self._log_request(request, self._clock.now())


def _request_id(scope: Scope) -> str:
    received = header(scope["headers"], _REQUEST_ID)
    if received is not None and _VALID_ID.fullmatch(received):
        return received.decode()
    return f"{random.getrandbits(128):032x}"

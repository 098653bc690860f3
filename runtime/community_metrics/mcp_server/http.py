"""The tools over streamable HTTP, behind the bearer tokens of the API."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.routing import Mount

from community_metrics.api.context import viewer_of
from community_metrics.api.middleware.errors import ErrorMiddleware
from community_metrics.api.middleware.request_context import RequestContextMiddleware
from community_metrics.api.middleware.request_log import log_to_structlog
from community_metrics.api.middleware.tokens import BearerTokens
from community_metrics.mcp_server.server import ReadServer
from community_metrics.model import Visibility

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from community_metrics.api.middleware.request_log import LogRequest
    from community_metrics.config import Settings
    from community_metrics.mcp_server.reading import Readings

PATH: Final = "/mcp"
MOST_BODY_BYTES: Final = 64 * 1024
"""The arguments of a tool are short."""
_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")


def http_app(
    settings: Settings,
    readings: Readings,
    *,
    hosts: Sequence[str] = (),
    log_request: LogRequest = log_to_structlog,
) -> Starlette:
    """Return the application; `hosts` are names, besides those of this machine, that clients may use.

    Requests with another `Host` are rejected, and those of a page whose origin may not read the API: a page
    on the web must not reach the server through the browser of somebody who can.
    """
    apps = {viewer: _app(ReadServer(readings, viewer), settings, hosts) for viewer in Visibility}
    inner: ASGIApp = _ByViewer(apps)
    if settings.api_token_hashes:
        inner = BearerTokens(inner, settings.api_token_hashes, public_read=settings.is_public)
    layers = RequestContextMiddleware(ErrorMiddleware(inner), readings.clock, log_request)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(readings.database.close)
            for app in apps.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield

    return Starlette(routes=[Mount("/", layers)], lifespan=lifespan)


class _ByViewer:
    """Passes a request to the tools of its sender; a request without a token never reaches the team's."""

    def __init__(self, apps: Mapping[Visibility, ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        await self._apps[viewer_of(scope)](scope, receive, send)


def _app(server: ReadServer, settings: Settings, hosts: Sequence[str]) -> Starlette:
    names = (*_LOOPBACK, *hosts)
    return server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,  # a session works in one process only, and anybody who knows its id could use it
        max_request_body_size=MOST_BODY_BYTES,
        transport_security=TransportSecuritySettings(
            allowed_hosts=[name + port for name in names for port in ("", ":*")],
            allowed_origins=list(settings.allowed_origins),
        ),
    )

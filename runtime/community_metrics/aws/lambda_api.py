"""The read API in Lambda, behind an HTTP API (payload format 2.0) or a function URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mangum import Mangum

from community_metrics import log
from community_metrics.api.app import create_app
from community_metrics.api.context import PREFIX
from community_metrics.api.middleware.request_log import request_logger
from community_metrics.api.problems import Problem
from community_metrics.aws.secrets import CachedSettings
from community_metrics.clock import SystemClock

if TYPE_CHECKING:
    from mangum.types import LambdaContext

    from community_metrics.config import Settings

_TEXT: Final = ["text/", "application/json", "application/problem+json", "image/svg+xml"]
_REDIRECTED: Final = ("/docs", "/openapi.json")
"""Paths above the routes, which redirect to them."""


class Gateway:
    """Handles events with one application, created at the first event and again after a secret has changed.

    The lifespan is off, because Mangum would run it for every invocation. The application opens its database
    connection at the first read and keeps it, because Mangum uses one event loop for all invocations.
    """

    def __init__(self, settings: CachedSettings) -> None:
        self._settings = settings
        self._app_settings: Settings | None = None

    def handle(self, event: object, context: LambdaContext) -> dict[str, Any]:
        """Return the response to one event; a 400 to an event that is no request, such as that of a warmer.

        Raises:
            ConfigurationError: a setting or a secret is missing; Lambda counts an error.
        """
        settings = self._settings.current()
        if settings is not self._app_settings:
            log.configure(settings, is_terminal=False)
            app = create_app(settings, log_request=request_logger(settings, is_terminal=False))
            self._adapter = Mangum(app, lifespan="off", text_mime_types=_TEXT)
            self._app_settings = settings
        try:
            request = _request_of(event)
            self._adapter.infer(request, context).scope  # noqa: B018  reading it checks the whole event
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError):
            return _not_a_request()
        return self._adapter(request, context)


def _request_of(event: Any) -> dict[str, Any]:
    """Return the event with the path of our route, without null headers and the body, which no route reads.

    Raises:
        LookupError, TypeError, AttributeError: the event has not the form of a request.
    """
    around = event["requestContext"]
    headers = {name: value for name, value in (event.get("headers") or {}).items() if value is not None}
    request = {**event, "headers": headers, "body": None}
    if "http" in around:
        path = _route_path(around["http"]["path"], around.get("stage"))
        http = {**around["http"], "path": path, "method": around["http"]["method"].upper(), "sourceIp": None}
        query = event.get("rawQueryString") or ""
        return {**request, "rawQueryString": query, "requestContext": {**around, "http": http}}
    return {**request, "path": _route_path(event["path"], None), "httpMethod": event["httpMethod"].upper()}


def _route_path(path: str, stage: str | None) -> str:
    """Return the path without what API Gateway has before it.

    That is the stage on its own domain, and the mapping key, which no event names, on a custom domain.
    """
    _, prefix, rest = path.rpartition(PREFIX)  # the last one: a mapping key may be `api/v1`
    if prefix:
        return prefix + rest
    first, _, others = path.removeprefix("/").partition("/")
    below_stage = f"/{others}" if first == stage else path
    return next((page for page in _REDIRECTED if below_stage.endswith(page)), below_stage)


def _not_a_request() -> dict[str, Any]:
    problem = Problem(
        "bad-request",
        "This event is not an HTTP request, so there is no response to it. Fix: call the function through an "
        "HTTP API (payload format 2.0) or its function URL.",
    )
    response = problem.response("/")
    return {
        "statusCode": response.status_code,
        "headers": dict(response.headers),
        "body": bytes(response.body).decode(),
        "isBase64Encoded": False,
    }


_GATEWAY: Final = Gateway(CachedSettings(SystemClock()))


def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """Handle one request; the entry point for Lambda."""
    return _GATEWAY.handle(event, context)

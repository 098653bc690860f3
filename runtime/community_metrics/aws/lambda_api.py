"""The read API in Lambda, behind an HTTP API (payload format 2.0) or a function URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mangum import Mangum

from community_metrics import log
from community_metrics.api.app import create_app
from community_metrics.api.middleware.request_log import request_logger
from community_metrics.aws.secrets import CachedSettings
from community_metrics.clock import SystemClock

if TYPE_CHECKING:
    from mangum.types import LambdaContext

    from community_metrics.config import Settings

_TEXT: Final = ["text/", "application/json", "application/problem+json", "image/svg+xml"]
_DEFAULT_STAGE: Final = "$default"


class Gateway:
    """Handles events with one application, created at the first event and again after a secret has changed.

    The lifespan is off, because Mangum would run it for every invocation. The application opens its database
    connection at the first read and keeps it, because Mangum uses one event loop for all invocations.
    """

    def __init__(self, settings: CachedSettings) -> None:
        self._settings = settings
        self._app_settings: Settings | None = None
        self._adapters: dict[str, Mangum] = {}

    def handle(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Return the response to one event.

        Raises:
            ConfigurationError: a setting or a secret is missing; Lambda counts an error.
        """
        # a named stage is part of the path, the default one is not
        stage = event.get("requestContext", {}).get("stage", _DEFAULT_STAGE)
        base_path = "/" if stage == _DEFAULT_STAGE else f"/{stage}"
        settings = self._settings.current()
        if settings is not self._app_settings:
            log.configure(settings, is_terminal=False)
            log_request = request_logger(settings, is_terminal=False)
            self._app = create_app(settings, log_request=log_request)
            self._adapters.clear()
            self._app_settings = settings
        if base_path not in self._adapters:
            self._adapters[base_path] = Mangum(
                self._app, lifespan="off", api_gateway_base_path=base_path, text_mime_types=_TEXT
            )
        return self._adapters[base_path](event, context)


_GATEWAY: Final = Gateway(CachedSettings(SystemClock()))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle one request; the entry point for Lambda."""
    return _GATEWAY.handle(event, context)

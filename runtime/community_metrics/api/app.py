"""The read API as one ASGI application, built from settings."""

from __future__ import annotations

import gc
import logging
import sys
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from community_metrics import log
from community_metrics.api.admission import Admission
from community_metrics.api.atom import tag_of
from community_metrics.api.cache.database import ReadDatabase
from community_metrics.api.cache.middleware import ResponseCache
from community_metrics.api.cache.watch import TableWatch
from community_metrics.api.context import PREFIX
from community_metrics.api.docs_page import add_docs
from community_metrics.api.export_files import ExportFiles
from community_metrics.api.memory import return_large_blocks
from community_metrics.api.middleware.errors import ErrorMiddleware
from community_metrics.api.middleware.head import HeadAsGet
from community_metrics.api.middleware.request_context import RequestContextMiddleware
from community_metrics.api.middleware.request_log import LOGGER, log_to_structlog, request_logger
from community_metrics.api.middleware.state import request_state
from community_metrics.api.middleware.tokens import BearerTokens
from community_metrics.api.openapi import install_openapi
from community_metrics.api.params import parameter_errors, parameters_of, reject_unknown_parameters
from community_metrics.api.problems import (
    Problem,
    busy_problem,
    internal_error,
    invalid_parameters,
    storage_problem,
    view_problem,
)
from community_metrics.api.routes import (
    badges,
    before_after,
    charts,
    compare,
    dashboard,
    digests,
    events,
    exports,
    goals,
    history,
    insights,
    openmetrics,
    outages,
    overview,
    preview,
    series,
    status,
    traffic,
)
from community_metrics.api.services import Limits, Services
from community_metrics.api.static_dashboard import StaticDashboard
from community_metrics.catalog import load_catalog
from community_metrics.clock import SystemClock
from community_metrics.config import load_settings
from community_metrics.errors import Busy, ConfigurationError, StorageError, ViewError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from community_metrics.api.cache.store import BodyStore
    from community_metrics.api.middleware.request_log import LogRequest
    from community_metrics.clock import Clock
    from community_metrics.config import Settings

_log = structlog.get_logger(LOGGER)
_BASE: Final = PREFIX.rstrip("/")
_ROUTERS: Final = (
    status,
    dashboard,
    overview,
    insights,
    before_after,
    compare,
    goals,
    events,
    outages,
    digests,
    series,
    history,
    traffic,
    exports,
    openmetrics,
    badges,
    charts,
    preview,
)
_READABLE_HEADERS: Final = (
    *("ETag", "Age", "Retry-After", "X-Data-Stale", "X-Request-ID", "Cache-Status"),
    *("Accept-Ranges", "Content-Range"),
)
"""Response headers that a script of an allowed page may read."""


class ReadApi:
    """The application that a server calls: `routes` is the FastAPI application, behind the layers.

    The layers are outside FastAPI, since most responses come from memory and never reach it.
    """

    def __init__(self, routes: FastAPI, layers: Sequence[Middleware]) -> None:
        self.routes = routes
        self._outermost: ASGIApp = routes
        for layer in reversed(layers):
            self._outermost = layer.cls(self._outermost, *layer.args, **layer.kwargs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or lifespan; only HTTP passes the layers."""
        await (self._outermost if scope["type"] == "http" else self.routes)(scope, receive, send)


def create_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    store: BodyStore | None = None,
    database: ReadDatabase | None = None,
    limits: Limits | None = None,
    log_request: LogRequest = log_to_structlog,
    dashboard_folder: Path | None = None,
) -> ReadApi:
    """Return the application; it connects to storage at its first read.

    Raises:
        ConfigurationError: the catalogue or the origins are invalid.
    """
    clock = clock or SystemClock()
    database = database or ReadDatabase(settings)
    watch = TableWatch(database, clock, settings.api_check_interval_s)
    services = _services(settings, database, limits or Limits())
    hashes = settings.api_token_hashes
    layers = [
        Middleware(RequestContextMiddleware, clock=clock, log_request=log_request),
        Middleware(HeadAsGet),
        Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=("GET", "HEAD"),
            allow_headers=("Authorization", "If-None-Match", "Range", "X-Request-ID"),
            expose_headers=_READABLE_HEADERS,
            max_age=86_400,
        ),
        Middleware(ErrorMiddleware),
        *([Middleware(StaticDashboard, folder=dashboard_folder)] if dashboard_folder else []),
        *([Middleware(BearerTokens, hashes=hashes, public_read=settings.is_public)] if hashes else []),
        Middleware(
            ResponseCache,
            watch=watch,
            database=database,
            builds=services.builds,
            clock=clock,
            store=store,
        ),
    ]
    return ReadApi(_routes(services, watch), layers)


def _services(settings: Settings, database: ReadDatabase, limits: Limits) -> Services:
    builds = Admission(
        at_once=limits.builds,
        waiting=limits.waiting,
        wait_s=limits.wait_s,
        limit_s=database.read_timeout_s,
    )
    exports = Admission(at_once=limits.exports)
    files = ExportFiles(database, exports)
    catalog, has_team = load_catalog(settings.catalog), bool(settings.api_token_hashes)
    tag = tag_of(settings.api_url)
    return Services(database, catalog, builds, exports, files, tag, limits.stall_s, has_team)


def _routes(services: Services, watch: TableWatch) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        return_large_blocks()
        await watch.state()  # connects; if storage is unavailable, the requests try again
        gc.collect()
        gc.freeze()  # imported objects live as long as the process: no need to traverse them again
        yield
        await services.database.close()

    app = FastAPI(
        title="community-metrics",
        version=version("community-metrics"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{_BASE}/openapi.json",
        redirect_slashes=False,  # it would redirect the client to the host in its `Host` header
    )
    app.state.services = services
    app.state.parameters = {}  # of each route, by its operation id
    for module in _ROUTERS:
        app.include_router(module.router, prefix=_BASE, dependencies=[Depends(reject_unknown_parameters)])
    add_docs(app, _BASE)
    _add_error_handlers(app)
    install_openapi(app)
    return app


def _add_error_handlers(app: FastAPI) -> None:
    """Make every error a problem."""

    @app.exception_handler(Problem)
    async def known(request: Request, error: Problem) -> Response:
        return error.response(request.url.path)

    @app.exception_handler(ViewError)
    async def view(request: Request, error: ViewError) -> Response:
        return view_problem(error).response(request.url.path)

    @app.exception_handler(Busy)
    async def busy(request: Request, _: Exception) -> Response:
        request_state(request.scope).cache = "busy"
        return busy_problem().response(request.url.path)

    @app.exception_handler(StorageError)
    @app.exception_handler(TimeoutError)
    async def storage(request: Request, error: Exception) -> Response:
        # the cause is for the log alone: it names paths and hosts
        _log.error("read failed", reason=str(error), request_id=request_state(request.scope).request_id)
        return storage_problem(error).response(request.url.path)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        errors = parameter_errors(error, parameters_of(request, "query", "path"))
        return invalid_parameters(errors).response(request.url.path)

    @app.exception_handler(Exception)
    async def unhandled(request: Request, _: Exception) -> Response:
        # Starlette raises it again after the response, and `ErrorMiddleware` logs it
        return internal_error(request_state(request.scope).request_id).response(request.url.path)

    @app.exception_handler(HTTPException)
    async def routing(request: Request, error: HTTPException) -> Response:
        problem = Problem("bad-request", str(error.detail), headers=error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            allow = {"allow": "GET, HEAD"}
            problem = Problem("method-not-allowed", "This API supports GET and HEAD.", headers=allow)
        elif error.status_code == HTTPStatus.NOT_FOUND:
            problem = Problem("not-found", f"{_BASE}/docs lists the routes.", headers=problem.headers)
        return problem.response(request.url.path)


def logging_app(settings: Settings, dashboard_folder: Path | None = None) -> ReadApi:
    """Return the application for these settings, with logging configured.

    Raises:
        ConfigurationError: the catalogue or the origins are invalid.
    """
    is_terminal = sys.stderr.isatty()
    log.configure(settings, is_terminal=is_terminal)
    # each request has our log line; without a handler uvicorn does not even format its own
    logging.getLogger("uvicorn.access").handlers.clear()
    logging.getLogger("uvicorn.access").propagate = False
    log_request = request_logger(settings, is_terminal=is_terminal)
    return create_app(settings, log_request=log_request, dashboard_folder=dashboard_folder)


def app_from_environment(dashboard_folder: Path | None = None) -> ReadApi:
    """Return the application for the settings in the environment, with logging configured.

    Invalid settings end the process with one message and exit code 2.
    """
    try:
        return logging_app(load_settings(), dashboard_folder)
    except ConfigurationError as error:
        print(error, file=sys.stderr)  # noqa: T201  logging is not configured yet, and this is for a person
        raise SystemExit(error.exit_code) from None

"""The read API as one ASGI application, built from settings; it connects to storage at its first read."""

from __future__ import annotations

import gc
import logging
import sys
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from community_metrics import log
from community_metrics.api.cache.database import ReadDatabase
from community_metrics.api.cache.middleware import PREFIX, ResponseCache
from community_metrics.api.cache.watch import TableWatch
from community_metrics.api.docs_page import add_docs
from community_metrics.api.middleware.cors import ExactOrigins
from community_metrics.api.middleware.request_context import Edge
from community_metrics.api.middleware.head import HeadAsGet
from community_metrics.api.middleware.errors import LastResort
from community_metrics.api.middleware.state import notes_of
from community_metrics.api.middleware.request_log import LOGGER, through_structlog, writer_for
from community_metrics.api.middleware.tokens import BearerTokens
from community_metrics.api.openapi import described
from community_metrics.api.params import faults_of, parameters_of, refuse_unknown_parameters
from community_metrics.api.problems import Problem, internal_error, invalid_all, storage_problem
from community_metrics.api.routes import badges, dashboard, exports, history, series, status
from community_metrics.api.services import Services
from community_metrics.catalog import load_catalog
from community_metrics.clock import SystemClock
from community_metrics.config import load_settings
from community_metrics.errors import ConfigurationError, StorageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import datetime

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from community_metrics.api.cache.store import BodyStore
    from community_metrics.api.middleware.request_log import RequestLine
    from community_metrics.clock import Clock
    from community_metrics.config import Settings

_log = structlog.get_logger(LOGGER)
_BASE: Final = PREFIX.rstrip("/")
_ROUTERS: Final = (status, dashboard, series, history, exports, badges)
_NOT_ALLOWED: Final = 405
_NOT_FOUND: Final = 404


class ReadApi:
    """The application as a server calls it: `routes` is FastAPI, behind the layers that each request passes.

    The layers stand in front of FastAPI and not inside it: most answers come from memory and never get there.
    """

    def __init__(self, routes: FastAPI, layers: Sequence[Middleware]) -> None:
        self.routes = routes
        self._outermost: ASGIApp = routes
        for layer in reversed(layers):
            self._outermost = layer.cls(self._outermost, *layer.args, **layer.kwargs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live through one lifespan."""
        await self._outermost(scope, receive, send)


def create_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    store: BodyStore | None = None,
    database: ReadDatabase | None = None,
    write_line: Callable[[RequestLine, datetime], None] = through_structlog,
) -> ReadApi:
    """Return the application; it connects to storage at its first read.

    Raises:
        ConfigurationError: the catalogue or the origins cannot be used.
    """
    clock = clock or SystemClock()
    database = database or ReadDatabase(settings)
    watch = TableWatch(database, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await watch.state()  # connects; a database that is down now is looked for again by the requests
        gc.collect()
        gc.freeze()  # what was imported lives as long as the process: no need to walk it again and again
        yield
        await database.close()

    app = FastAPI(
        title="community-metrics",
        version=version("community-metrics"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{_BASE}/openapi.json",
        redirect_slashes=False,  # it would send the caller to whatever `Host` names
    )
    app.state.services = Services(database, load_catalog(settings.catalog))
    for module in _ROUTERS:
        app.include_router(module.router, prefix=_BASE, dependencies=[Depends(refuse_unknown_parameters)])
    add_docs(app, _BASE)
    _add_handlers(app)
    described(app)
    is_private = bool(settings.api_token_hashes)
    cache = Middleware(ResponseCache, watch=watch, clock=clock, is_private=is_private, store=store)
    return ReadApi(app, [*_edge(settings, clock, write_line), cache])


def _edge(
    settings: Settings, clock: Clock, write_line: Callable[[RequestLine, datetime], None]
) -> list[Middleware]:
    """Return what a request passes before the cache, outermost first."""
    hashes = settings.api_token_hashes
    return [
        Middleware(Edge, clock=clock, write_line=write_line),
        Middleware(HeadAsGet),
        Middleware(ExactOrigins, origins=settings.allowed_origins),
        Middleware(LastResort),
        *([Middleware(BearerTokens, hashes=hashes)] if hashes else []),
    ]


def _add_handlers(app: FastAPI) -> None:
    """Give every error one shape."""

    @app.exception_handler(Problem)
    async def known(request: Request, error: Problem) -> Response:
        return error.response(request.url.path)

    @app.exception_handler(StorageError)
    @app.exception_handler(TimeoutError)
    async def storage(request: Request, error: Exception) -> Response:
        # the caller is told what to do, the log what it was
        _log.error("read failed", reason=str(error), request_id=notes_of(request.scope).request_id)
        return storage_problem(error).response(request.url.path)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = faults_of(error, parameters_of(request, "query", "path"))
        return invalid_all(faults).response(request.url.path)

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, _: Exception) -> Response:
        # raised again by Starlette once this is sent, so that `LastResort` logs it
        return internal_error(notes_of(request.scope).request_id).response(request.url.path)

    @app.exception_handler(HTTPException)
    async def routing(request: Request, error: HTTPException) -> Response:
        return _routing_problem(error).response(request.url.path)


def _routing_problem(error: HTTPException) -> Problem:
    headers = dict(error.headers or {})
    if error.status_code == _NOT_ALLOWED:
        headers = {"allow": "GET, HEAD"}
        return Problem("method-not-allowed", "This API is read with GET and HEAD.", headers=headers)
    if error.status_code == _NOT_FOUND:
        return Problem("not-found", f"The routes are listed at {_BASE}/docs.", headers=headers)
    return Problem("bad-request", str(error.detail), headers=headers)


def app_from_environment() -> ReadApi:
    """Return the application that the environment describes, with its logging set up.

    Faulty settings end the process with one message and exit code 2.
    """
    try:
        settings = load_settings()
        is_terminal = sys.stderr.isatty()
        log.configure(settings, is_terminal=is_terminal)
        # each request has one line, ours; without a handler uvicorn does not even format its own
        logging.getLogger("uvicorn.access").handlers.clear()
        logging.getLogger("uvicorn.access").propagate = False
        return create_app(settings, write_line=writer_for(settings, is_terminal=is_terminal))
    except ConfigurationError as error:
        print(error, file=sys.stderr)  # noqa: T201  logging is not set up yet, and this is for a person
        raise SystemExit(error.exit_code) from None

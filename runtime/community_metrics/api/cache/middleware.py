"""The layer that responds from memory: a body is built once for its parameters and the state of the tables.

Only a miss reaches FastAPI. A body depends on the runs that wrote the data, on the UTC day and the stale mark
(both change without a run), and on some routes on the minute. While storage is unavailable, the last body is
served and marked stale; the next look at the tables notices when storage is back. A body that is not built
because too much else is, or that takes too long, says nothing about storage: the last body is served as it is
for as long as any cache may serve it, and then the reason.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from community_metrics.api.cache.keys import cache_key
from community_metrics.api.cache.sharing import SharedWork
from community_metrics.api.cache.store import BodyStore, CachedBody, cached_body, stale_copy
from community_metrics.api.clients import unless_disconnected
from community_metrics.api.context import header, with_now
from community_metrics.api.middleware.state import request_state
from community_metrics.api.problems import busy_problem, storage_problem, too_long_problem
from community_metrics.errors import Busy, StorageError, TookTooLong
from community_metrics.model import Visibility
from community_metrics.periods import today

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from community_metrics.api.admission import Admission
    from community_metrics.api.cache.database import ReadDatabase
    from community_metrics.api.cache.keys import CacheKey
    from community_metrics.api.cache.watch import StateKey, TableState, TableWatch
    from community_metrics.api.context import RawHeaders
    from community_metrics.api.problems import Problem
    from community_metrics.clock import Clock

_STALE_CAPACITY_BYTES: Final = 16 * 1024 * 1024
BUILD_AGAIN_AFTER_S: Final = 5.0
"""How long a failed build is the response to its own key, at once: a build that takes too long takes 10 s."""

PUBLIC: Final = b"public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"
OLDER_BODY: Final = timedelta(seconds=60 + 600)
"""How long the last body is served instead of a new one that was not built; any cache may do the same."""
PRIVATE: Final = b"private, no-store"
STALE: Final = b"public, max-age=5, stale-if-error=86400"
"""A stale body is requested again soon, since storage may be back."""
_CACHE_STATUS: Final = {
    "hit": b"community-metrics; hit",
    "miss": b"community-metrics; fwd=miss; stored",
    "stale": b"community-metrics; fwd=stale; fwd-status=503",
    "busy": b"community-metrics; fwd=stale; detail=busy",
    "timeout": b"community-metrics; fwd=stale; detail=timeout",
}
"""RFC 9211."""


class BuiltResponse(NamedTuple):
    """A complete response of the routes; a 200 becomes a `CachedBody`, any other is sent as it is."""

    status: int
    headers: RawHeaders
    body: bytes
    cause: str = "none"
    """Why there is no body: `busy` or `timeout`; `none` for a cause that the routes or storage have."""


class ResponseCache:
    """Serves the read routes from memory and builds each body once, however many requests wait for it."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        watch: TableWatch,
        database: ReadDatabase,
        builds: Admission,
        clock: Clock,
        store: BodyStore | None = None,
    ) -> None:
        self._app = app
        self._watch = watch
        self._database = database
        self._builds = builds
        self._clock = clock
        self._store = store or BodyStore()
        self._stale_copies = BodyStore(_STALE_CAPACITY_BYTES)
        self._failed: OrderedDict[CacheKey, tuple[float, BuiltResponse]] = OrderedDict()
        self._building: SharedWork[CachedBody | BuiltResponse] = SharedWork()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, from memory where possible."""
        key = cache_key(scope)
        if key is None:
            await self._app(with_now(scope, self._clock.now()), receive, send)
            return
        tables = await self._watch.state()
        now = self._clock.now()
        cached = self._store.get(key)
        if tables.failure is not None and cached is None:
            request_state(scope).cache = "none"
            await storage_problem(tables.failure).response(scope["path"])(scope, receive, send)
            return
        state = tables.key(now, by_minute=key.by_minute)
        if cached is not None and tables.failure is None and cached.state == state:
            self._store.confirm(key, cached, tables.seen_at or now)
            await _send_body(cached, scope, send, outcome="hit")
        elif cached is not None and tables.failure is not None:
            await self._send_stale(key, cached, scope, send, now)
        else:
            build = partial(self._build, key, state, tables, now, scope)
            built: CachedBody | BuiltResponse | None = self._recent_failure(key)
            if built is None:
                built = await unless_disconnected(receive, self._building.result((key, state), build))
            if built is not None:
                await self._send_built(key, built, scope, send, now)

    async def _send_built(
        self,
        key: CacheKey,
        built: CachedBody | BuiltResponse,
        scope: Scope,
        send: Send,
        now: datetime,
    ) -> None:
        if isinstance(built, CachedBody):
            await _send_body(built, scope, send, outcome="miss")
            return
        cached = self._store.get(key)
        if cached is not None and built.cause != "none" and now - cached.confirmed_at <= OLDER_BODY:
            await _send_body(cached, scope, send, outcome=built.cause, marks=[_age(cached, now)])
        elif cached is not None and built.cause == "none" and built.status == HTTPStatus.SERVICE_UNAVAILABLE:
            await self._send_stale(key, cached, scope, send, now)
        else:
            request_state(scope).cache = built.cause
            await send({"type": "http.response.start", "status": built.status, "headers": built.headers})
            await send({"type": "http.response.body", "body": built.body})

    async def _send_stale(
        self, key: CacheKey, cached: CachedBody, scope: Scope, send: Send, now: datetime
    ) -> None:
        copy = self._stale_copies.get(key)
        # made once, so that an outage does not rewrite it for every request
        if copy is None or (copy.confirmed_at, copy.state.day) != (cached.confirmed_at, today(now)):
            copy = stale_copy(cached, now=now, cache_control=_control(key, STALE))
            self._stale_copies.put(key, copy)
        marks = [_age(cached, now), (b"x-data-stale", b"true")]
        await _send_body(copy, scope, send, outcome="stale", marks=marks)

    async def _build(
        self, key: CacheKey, state: StateKey, tables: TableState, now: datetime, scope: Scope
    ) -> CachedBody | BuiltResponse:
        try:
            async with self._builds.turn():
                built = await response_of(self._app, with_now(scope, now))
        except Busy:
            return _rejected(busy_problem(), scope, "busy")
        except TookTooLong as error:
            built = await self._timed_out(error, scope)
        if built.cause == "timeout" or (
            built.status == HTTPStatus.SERVICE_UNAVAILABLE and self._store.get(key)
        ):
            self._failed.pop(key, None)  # they are in the order of their ends
            self._failed[key] = (self._clock.monotonic() + BUILD_AGAIN_AFTER_S, built)
        if built.status != HTTPStatus.OK:
            return built
        cached = cached_body(
            state,
            built.body,
            built.headers,
            cache_control=_control(key, PUBLIC),
            confirmed_at=tables.seen_at or now,
        )
        self._store.put(key, cached)
        return cached

    async def _timed_out(self, error: TookTooLong, scope: Scope) -> BuiltResponse:
        """Return the response that names the cause: storage, if it does not respond now, else the request."""
        try:
            await self._database.look(self._clock.now())
        except StorageError as failure:
            return _rejected(storage_problem(failure), scope, "none")
        return _rejected(too_long_problem(error), scope, "timeout")

    def _recent_failure(self, key: CacheKey) -> BuiltResponse | None:
        """Return the failure of a build of this key in the last few seconds."""
        now = self._clock.monotonic()
        while self._failed and next(iter(self._failed.values()))[0] <= now:
            self._failed.popitem(last=False)
        return self._failed[key][1] if key in self._failed else None


def _rejected(problem: Problem, scope: Scope, cause: str) -> BuiltResponse:
    response = problem.response(scope["path"])
    return BuiltResponse(response.status_code, list(response.raw_headers), bytes(response.body), cause)


def _control(key: CacheKey, of_public: bytes) -> bytes:
    """Return the `Cache-Control` of a body: no other cache may keep one that needed a token."""
    return of_public if key.viewer is Visibility.PUBLIC else PRIVATE


def _age(cached: CachedBody, now: datetime) -> tuple[bytes, bytes]:
    """Return the header with the seconds since storage was known to hold this body."""
    return b"age", str(max(0, round((now - cached.confirmed_at).total_seconds()))).encode()


async def response_of(app: ASGIApp, scope: Scope) -> BuiltResponse:
    """Return the complete response of `app` to a GET, independent of any client's connection."""
    status = 0
    headers: RawHeaders = []
    body = bytearray()
    is_sent = False

    async def receive() -> Message:
        nonlocal is_sent
        if is_sent:  # the next message would be that the client is gone
            await asyncio.Event().wait()
        is_sent = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def collect(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message["headers"])
        else:
            body.extend(message.get("body", b""))

    await app(scope, receive, collect)
    return BuiltResponse(status, headers, bytes(body))


async def _send_body(
    cached: CachedBody, scope: Scope, send: Send, *, outcome: str, marks: Sequence[tuple[bytes, bytes]] = ()
) -> None:
    request_state(scope).cache = outcome
    if etag_matches(header(scope["headers"], b"if-none-match"), cached.etag):
        # without Cache-Status, which would be a tenth of the cost of a 304
        start = {"status": 304, "headers": [*cached.not_modified_headers, *marks]}
        body = b""
    else:
        cache_status = (b"cache-status", _CACHE_STATUS[outcome])
        start = {"status": 200, "headers": [*cached.headers, cache_status, *marks]}
        body = cached.body
    await send({"type": "http.response.start", **start})
    await send({"type": "http.response.body", "body": body})


def etag_matches(if_none_match: bytes | None, etag: bytes) -> bool:
    """Compare weakly: a proxy that compresses turns our strong tag into `W/"…"` for the same body."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b",")]
    return etag in tags or tags == [b"*"]

"""The layer that answers from bytes: a body is built once for its parameters and the state of the tables.

Only a miss enters FastAPI. A body depends on the versions of the tables, the UTC day and the stale mark (both
change without a new version), and, where it speaks of running runs, on the minute. When storage is away, the
last good body is told with a mark; when it is back, the next look at the tables finds out.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

from community_metrics.api.cache.store import BodyStore, Entry, entry_of, stale_copy
from community_metrics.api.middleware.state import header, notes_of
from community_metrics.api.negotiation import negotiated
from community_metrics.api.problems import storage_problem
from community_metrics.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence
    from datetime import datetime

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from community_metrics.api.cache.watch import StateKey, TableState, TableWatch
    from community_metrics.api.middleware.state import RawHeaders
    from community_metrics.clock import Clock

PREFIX: Final = "/api/v1/"
CACHED: Final = frozenset(
    {"status", "definitions", "dashboard", "series", "history", "restatements", "badge", "sparkline"}
)
"""First words of the routes that are answered from memory, and so with a tag and a 304."""
_BY_MINUTE: Final = frozenset({"status", "history"})
"""Bodies that say whether a run is abandoned, or how long ago the last success was."""
_NEGOTIATED: Final = frozenset({"series"})
_NOW: Final = "community_metrics.now"
_OK: Final = 200
_NOT_MODIFIED: Final = 304
_UNAVAILABLE: Final = 503
_MAX_QUERY_BYTES: Final = 8_192
_STALE_CAPACITY_BYTES: Final = 16 * 1024 * 1024
BUILD_AGAIN_AFTER_S: Final = 5.0
"""How long what is in memory is told at once after storage failed a build: a hung read takes 10 s."""

PUBLIC: Final = b"public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"
PRIVATE: Final = b"private, no-store"
STALE: Final = b"public, max-age=5, stale-if-error=86400"
"""A stale body is asked for again soon, since storage may be back."""
_CACHE_STATUS: Final = {
    "hit": b"community-metrics; hit",
    "miss": b"community-metrics; fwd=miss; stored",
    "stale": b"community-metrics; fwd=stale; fwd-status=503",
}
"""RFC 9211."""


def now_of(scope: MutableMapping[str, Any]) -> datetime:
    """Return the instant a body is built for: the one its place in the cache was chosen by."""
    now: datetime = scope[_NOW]
    return now


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app below answered; kept as an `Entry` when it is a 200, and sent as it is otherwise."""

    status: int
    headers: RawHeaders
    body: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a cached route was asked for; `key` is equal for requests that differ in spelling alone."""

    key: str
    by_minute: bool


class ResponseCache:
    """Serves the read routes from memory and builds each body once, however many ask for it at once."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        watch: TableWatch,
        clock: Clock,
        is_private: bool,
        store: BodyStore | None = None,
    ) -> None:
        self._app = app
        self._watch = watch
        self._clock = clock
        self._store = store or BodyStore()
        self._stale_copies = BodyStore(_STALE_CAPACITY_BYTES)
        self._fresh_control = PRIVATE if is_private else PUBLIC
        self._stale_control = PRIVATE if is_private else STALE
        self._build_again_at = float("-inf")
        self._building: dict[tuple[str, StateKey], asyncio.Task[Entry | Answer]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, from memory where that may be."""
        wanted = wanted_of(scope)
        if wanted is None:
            scope[_NOW] = self._clock.now()
            await self._app(scope, receive, send)
            return
        state = await self._watch.state()
        now = self._clock.now()
        entry = self._store.get(wanted.key)
        if state.failure is not None:
            await self._send_last_good(wanted, entry, state, scope, send, now=now)
            return
        key = state.key(now, by_minute=wanted.by_minute)
        if entry is not None and entry.key == key:
            self._store.confirm(wanted.key, entry, state.seen_at or now)
            await _send_entry(entry, scope, send, outcome="hit")
            return
        if entry is not None and self._clock.monotonic() < self._build_again_at:
            await self._send_last_good(wanted, entry, state, scope, send, now=now)
            return
        answer = await self._built_once(wanted, key, state, now, scope)
        if isinstance(answer, Entry):
            await _send_entry(answer, scope, send, outcome="miss")
        elif answer.status == _UNAVAILABLE and entry is not None:
            await self._send_last_good(wanted, entry, state, scope, send, now=now)
        else:
            await _send_refusal(answer, scope, send)

    async def _send_last_good(
        self,
        wanted: Wanted,
        entry: Entry | None,
        state: TableState,
        scope: Scope,
        send: Send,
        *,
        now: datetime,
    ) -> None:
        if entry is None:
            notes_of(scope).cache = "none"
            refusal = storage_problem(state.failure or StorageUnavailable("LanceDB does not answer."))
            await refusal.response(scope["path"])(scope, _nothing_to_receive, send)
            return
        copy = self._marked(wanted, entry, is_stale=state.key(now).is_stale)
        age_s = max(0, round((now - entry.confirmed_at).total_seconds()))
        marks = [(b"age", str(age_s).encode()), (b"x-data-stale", b"true")]
        await _send_entry(copy, scope, send, outcome="stale", marks=marks)

    def _marked(self, wanted: Wanted, entry: Entry, *, is_stale: bool) -> Entry:
        """Return the body with its mark; made once, since an outage is no time to write every body anew."""
        known = self._stale_copies.get(wanted.key)
        if known and known.confirmed_at == entry.confirmed_at and known.key.is_stale == is_stale:
            return known
        copy = stale_copy(entry, is_stale=is_stale, cache_control=self._stale_control)
        copy = replace(copy, key=replace(entry.key, is_stale=is_stale))
        self._stale_copies.put(wanted.key, copy)
        return copy

    async def _built_once(
        self, wanted: Wanted, key: StateKey, state: TableState, now: datetime, scope: Scope
    ) -> Entry | Answer:
        place = (wanted.key, key)
        building = self._building.get(place)
        if building is None:
            building = asyncio.create_task(self._built(wanted, key, state, now, scope))
            self._building[place] = building
            building.add_done_callback(lambda _: self._building.pop(place, None))
        return await asyncio.shield(building)  # who asked first may hang up; the others still wait

    async def _built(
        self, wanted: Wanted, key: StateKey, state: TableState, now: datetime, scope: Scope
    ) -> Entry | Answer:
        answer = await _asked(self._app, {**scope, _NOW: now, "method": "GET"})
        if answer.status == _UNAVAILABLE:
            self._build_again_at = self._clock.monotonic() + BUILD_AGAIN_AFTER_S
        if answer.status != _OK:
            return answer
        entry = entry_of(
            key,
            answer.body,
            answer.headers,
            cache_control=self._fresh_control,
            confirmed_at=state.seen_at or now,
        )
        self._store.put(wanted.key, entry)
        return entry


def wanted_of(scope: Scope) -> Wanted | None:
    """Return what is wanted of a cached route; None for any other request."""
    path: str = scope.get("path", "")
    if scope["type"] != "http" or scope["method"] != "GET" or not path.startswith(PREFIX):
        return None
    route = path[len(PREFIX) :].partition("/")[0]
    query: bytes = scope["query_string"]
    if route not in CACHED or len(query) > _MAX_QUERY_BYTES:
        return None
    accepted = negotiated(header(scope["headers"], b"accept")) if route in _NEGOTIATED else ""
    return Wanted(f"{accepted} {path}?{_canonical(query)}", route in _BY_MINUTE)


def _canonical(query: bytes) -> str:
    """Return the query in one spelling: decoded, sorted, encoded again."""
    if not query:
        return ""
    return urlencode(sorted(parse_qsl(query.decode("latin-1"), keep_blank_values=True)))


async def _asked(app: ASGIApp, scope: Scope) -> Answer:
    """Ask the app below for a whole answer, for nobody in particular."""
    status = 0
    headers: RawHeaders = []
    body = bytearray()

    async def collect(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message["headers"])
        else:
            body.extend(message.get("body", b""))

    await app(scope, _nothing_to_receive, collect)
    return Answer(status, headers, bytes(body))


async def _nothing_to_receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send_entry(
    entry: Entry, scope: Scope, send: Send, *, outcome: str, marks: Sequence[tuple[bytes, bytes]] = ()
) -> None:
    notes_of(scope).cache = outcome
    if matches(header(scope["headers"], b"if-none-match"), entry.etag):
        # no Cache-Status: what a 304 does not need is a tenth of its cost
        start = {"status": _NOT_MODIFIED, "headers": [*entry.not_modified_headers, *marks]}
        body = b""
    else:
        told = (b"cache-status", _CACHE_STATUS[outcome])
        start = {"status": _OK, "headers": [*entry.headers, told, *marks]}
        body = entry.body
    await send({"type": "http.response.start", **start})
    await send({"type": "http.response.body", "body": body})


async def _send_refusal(answer: Answer, scope: Scope, send: Send) -> None:
    notes_of(scope).cache = "none"
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


def matches(if_none_match: bytes | None, etag: bytes) -> bool:
    """Compare weakly: a proxy that compresses turns our strong tag into `W/"…"`, and means the same body."""
    if if_none_match is None:
        return False
    given = [tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b",")]
    return etag in given or given == [b"*"]

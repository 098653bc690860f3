"""Response bodies with their headers, and the bounded memory that holds them."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from community_metrics.periods import today

if TYPE_CHECKING:
    from collections.abc import Hashable

    from community_metrics.api.cache.watch import StateKey
    from community_metrics.api.context import RawHeaders

CAPACITY_BYTES: Final = 64 * 1024 * 1024
_OVERHEAD_BYTES: Final = 2_048  # headers, key and bookkeeping of one body, measured roughly
_OWN_HEADERS: Final = frozenset({b"etag", b"cache-control", b"content-length"})


@dataclass(frozen=True, slots=True)
class CachedBody:
    """One body, ready to send: `headers` go with a 200, `not_modified_headers` with a 304.

    `state` is what the body was built from, `confirmed_at` the last instant at which storage was known to be
    in that state.
    """

    state: StateKey
    body: bytes
    etag: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    not_modified_headers: tuple[tuple[bytes, bytes], ...]
    confirmed_at: datetime

    @property
    def size(self) -> int:
        """Roughly how many bytes of memory it holds."""
        return len(self.body) + _OVERHEAD_BYTES


def cached_body(
    state: StateKey, body: bytes, headers: RawHeaders, *, cache_control: bytes, confirmed_at: datetime
) -> CachedBody:
    """Return a built body for the cache, with a strong tag: a hash of its bytes."""
    etag = b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"'
    others = [(name, value) for name, value in headers if name not in _OWN_HEADERS]
    validators = [(b"etag", etag), (b"cache-control", cache_control)]
    return CachedBody(
        state=state,
        body=body,
        etag=etag,
        headers=(*others, (b"content-length", str(len(body)).encode()), *validators),
        not_modified_headers=(*validators, *(item for item in others if item[0] == b"vary")),
        confirmed_at=confirmed_at,
    )


def stale_copy(cached: CachedBody, *, now: datetime, cache_control: bytes) -> CachedBody:
    """Return the body as it is served while storage is unavailable: marked, and so with another tag."""
    body = cached.body
    if (b"content-type", b"application/json") in cached.headers:
        document = json.loads(body)
        document["freshness"] |= {
            "storage_reachable": False,
            "data_as_of": cached.confirmed_at.isoformat().replace("+00:00", "Z"),
            **_staleness(document["freshness"], now),
        }
        if "is_stale" in document:  # `/status` repeats it
            document["is_stale"] = document["freshness"]["is_stale"]
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return cached_body(
        cached.state._replace(day=today(now)),
        body,
        list(cached.headers),
        cache_control=cache_control,
        confirmed_at=cached.confirmed_at,
    )


def _staleness(freshness: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return what the body says of stale sources as it is at `now`: some got stale since."""
    sources = [
        one | {"is_stale": bool(one["stale_from"]) and datetime.fromisoformat(one["stale_from"]) <= now}
        for one in freshness["sources"]
    ]
    is_stale = any(one["is_stale"] for one in sources) or not any(one["newest_day"] for one in sources)
    return {"sources": sources, "is_stale": is_stale}


class BodyStore:
    """Holds the newest body of each key and drops the least recently used ones when it is full.

    A body of an older state stays until it is replaced: it is served if storage becomes unavailable.
    """

    def __init__(self, capacity_bytes: int = CAPACITY_BYTES) -> None:
        self._capacity = capacity_bytes
        self._bodies: OrderedDict[Hashable, CachedBody] = OrderedDict()
        self._size = 0

    @property
    def size(self) -> int:
        """Roughly how many bytes it holds; never more than the capacity."""
        return self._size

    def get(self, key: Hashable) -> CachedBody | None:
        """Return the newest body of a key, whatever state it was built from."""
        cached = self._bodies.get(key)
        if cached is not None:
            self._bodies.move_to_end(key)
        return cached

    def put(self, key: Hashable, cached: CachedBody) -> None:
        """Store a body, unless it is larger than the capacity."""
        replaced = self._bodies.pop(key, None)
        self._size -= replaced.size if replaced else 0
        if cached.size > self._capacity:
            return
        self._bodies[key] = cached
        self._size += cached.size
        while self._size > self._capacity:
            _, dropped = self._bodies.popitem(last=False)
            self._size -= dropped.size

    def confirm(self, key: Hashable, cached: CachedBody, seen_at: datetime) -> None:
        """Record that storage was in the body's state at that instant."""
        if seen_at != cached.confirmed_at:
            self._bodies[key] = replace(cached, confirmed_at=seen_at)

"""Bodies as bytes with their headers, and the bounded memory they are kept in."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.api.cache.watch import StateKey
    from community_metrics.api.middleware.state import RawHeaders

CAPACITY_BYTES: Final = 64 * 1024 * 1024
_OVERHEAD_BYTES: Final = 2_048  # headers, key and bookkeeping of one entry, measured roughly
_OWN_HEADERS: Final = frozenset({b"etag", b"cache-control", b"content-length"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One body, ready to send: `headers` go with a 200, `not_modified_headers` with a 304.

    `key` is the state it was built for, `confirmed_at` the last instant at which storage was known to be in
    that state.
    """

    key: StateKey
    body: bytes
    etag: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    not_modified_headers: tuple[tuple[bytes, bytes], ...]
    confirmed_at: datetime

    @property
    def size(self) -> int:
        """Roughly how many bytes of memory it holds."""
        return len(self.body) + _OVERHEAD_BYTES

    @property
    def is_json(self) -> bool:
        """Say whether the body is a JSON object with a `freshness` to correct."""
        return (b"content-type", b"application/json") in self.headers


def entry_of(
    key: StateKey, body: bytes, headers: RawHeaders, *, cache_control: bytes, confirmed_at: datetime
) -> Entry:
    """Return the entry of a freshly built body, with a strong tag: the hash of the very bytes."""
    etag = b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"'
    kept = [(name, value) for name, value in headers if name not in _OWN_HEADERS]
    validators = [(b"etag", etag), (b"cache-control", cache_control)]
    varies = [(name, value) for name, value in kept if name == b"vary"]
    return Entry(
        key=key,
        body=body,
        etag=etag,
        headers=(*kept, (b"content-length", str(len(body)).encode()), *validators),
        not_modified_headers=(*validators, *varies),
        confirmed_at=confirmed_at,
    )


def stale_copy(entry: Entry, *, is_stale: bool, cache_control: bytes) -> Entry:
    """Return the body as it may be told while storage is away: with the mark, so with a tag of its own."""
    body = entry.body
    if entry.is_json:
        document = json.loads(body)
        document["freshness"] |= {
            "storage_reachable": False,
            "data_as_of": entry.confirmed_at.isoformat().replace("+00:00", "Z"),
            "is_stale": is_stale,
        }
        if "last_success_age_hours" in document:  # `/status` says these two by itself as well
            document |= {"is_stale": is_stale, "last_success_age_hours": None}
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return entry_of(
        entry.key, body, list(entry.headers), cache_control=cache_control, confirmed_at=entry.confirmed_at
    )


class BodyStore:
    """Keeps the newest body for each set of parameters, the least recently used ones leaving first.

    A body that a newer state has overtaken stays until it is replaced: it is the last good one, should
    storage go.
    """

    def __init__(self, capacity_bytes: int = CAPACITY_BYTES) -> None:
        self._capacity = capacity_bytes
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes held, roughly; never above the capacity."""
        return self._size

    def get(self, request_key: str) -> Entry | None:
        """Return the newest body of these parameters, whatever state it was built for."""
        entry = self._entries.get(request_key)
        if entry is not None:
            self._entries.move_to_end(request_key)
        return entry

    def put(self, request_key: str, entry: Entry) -> None:
        """Keep a body; one that is larger than the whole memory is not kept."""
        replaced = self._entries.pop(request_key, None)
        self._size -= replaced.size if replaced else 0
        if entry.size > self._capacity:
            return
        self._entries[request_key] = entry
        self._size += entry.size
        while self._size > self._capacity:
            _, dropped = self._entries.popitem(last=False)
            self._size -= dropped.size

    def confirm(self, request_key: str, entry: Entry, seen_at: datetime) -> None:
        """Note that storage was in the entry's state at that instant."""
        if seen_at != entry.confirmed_at:
            self._entries[request_key] = replace(entry, confirmed_at=seen_at)

"""What a cached body carries, what its stale copy says, and what stays in a bounded memory."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from community_metrics.api.cache.store import BodyStore, CachedBody, cached_body, stale_copy
from community_metrics.api.cache.watch import StateKey
from tests.support.clock import NOON

STATE = StateKey(None, NOON.date())
OVERHEAD = 2_048
JSON = (b"content-type", b"application/json")
MIDNIGHT = "2026-11-24T00:00:00Z"


def body_of(body: bytes, *headers: tuple[bytes, bytes], at: datetime = NOON) -> CachedBody:
    return cached_body(STATE, body, list(headers), cache_control=b"public, max-age=60", confirmed_at=at)


def document(cached: CachedBody) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cached.body)
    return found


class TestBody:
    def test_a_body_has_a_tag_of_its_bytes_and_keeps_the_headers_that_it_does_not_set(self) -> None:
        own = ((b"etag", b'"old"'), (b"cache-control", b"no-store"), (b"content-length", b"9"))
        found = body_of(b"hello", JSON, *own, (b"vary", b"Origin"), (b"x-a", b"1"))
        tag, control = (
            (b"etag", b'"2cf24dba5fb0a30e26e83b2ac5b9e29e"'),
            (b"cache-control", b"public, max-age=60"),
        )
        assert found.headers == (
            JSON,
            (b"vary", b"Origin"),
            (b"x-a", b"1"),
            (b"content-length", b"5"),
            tag,
            control,
        )
        assert found.not_modified_headers == (tag, control, (b"vary", b"Origin"))
        assert (found.etag, found.body, found.state, found.confirmed_at) == (tag[1], b"hello", STATE, NOON)

    def test_equal_bytes_have_equal_tags_and_others_do_not(self) -> None:
        assert body_of(b"a").etag == body_of(b"a", JSON, at=NOON + timedelta(days=1)).etag
        assert body_of(b"a").etag != body_of(b"b").etag


def source(newest_day: str | None, stale_from: str | None, *, is_stale: bool = False) -> dict[str, Any]:
    return {"source": "npm", "newest_day": newest_day, "stale_from": stale_from, "is_stale": is_stale}


class TestStaleCopy:
    def copy(self, sources: list[dict[str, Any]], now: datetime = NOON, **fields: Any) -> CachedBody:
        body = {"title": "ü", "freshness": {"sources": sources, "is_stale": False, "versions": {"a": 1}}}
        raw = json.dumps(body | fields).encode()
        return stale_copy(body_of(raw, JSON), now=now, cache_control=b"public, max-age=5")

    def test_a_stale_copy_says_since_when_storage_is_away_and_keeps_the_rest(self) -> None:
        found = self.copy([source("2026-11-22", None)], NOON + timedelta(days=1))
        assert document(found) == {
            "title": "ü",
            "freshness": {
                "sources": [source("2026-11-22", None)],
                "is_stale": False,
                "versions": {"a": 1},
                "storage_reachable": False,
                "data_as_of": "2026-11-23T12:00:00Z",
            },
        }
        assert (found.state.day, found.confirmed_at) == (date(2026, 11, 24), NOON)

    def test_a_stale_copy_is_as_compact_as_its_body_and_has_a_tag_and_a_lifetime_of_its_own(self) -> None:
        found = self.copy([])
        assert b'{"title":"\xc3\xbc","freshness":{' in found.body
        headers = dict(found.headers)
        assert headers[b"content-length"] == str(len(found.body)).encode()
        assert headers[b"cache-control"] == b"public, max-age=5"
        assert found.etag == body_of(found.body).etag

    @pytest.mark.parametrize(
        ("now", "is_stale"),
        [("2026-11-23T23:59:59Z", False), (MIDNIGHT, True), ("2026-12-24T00:00:00Z", True)],
    )
    def test_a_source_that_got_stale_since_the_body_was_built_is_stale_in_its_copy(
        self, now: str, is_stale: bool
    ) -> None:
        fresh = source("2026-11-22", "2026-12-31T00:00:00Z")
        found = self.copy(
            [source("2026-11-13", MIDNIGHT), fresh], datetime.fromisoformat(now), is_stale=False
        )
        freshness = document(found)["freshness"]
        assert [one["is_stale"] for one in freshness["sources"]] == [is_stale, False]
        assert (freshness["is_stale"], document(found)["is_stale"]) == (is_stale, is_stale)

    @pytest.mark.parametrize("sources", [[], [source(None, None)]])
    def test_a_copy_without_any_fetched_day_is_stale(self, sources: list[dict[str, Any]]) -> None:
        freshness = document(self.copy(sources))["freshness"]
        assert freshness["is_stale"] is True
        assert freshness["sources"] == sources

    def test_a_source_that_was_never_fetched_makes_nothing_stale(self) -> None:
        assert not document(self.copy([source(None, None), source("2026-11-22", None)]))["freshness"][
            "is_stale"
        ]

    def test_what_is_no_json_stays_as_it_is_with_the_shorter_lifetime(self) -> None:
        csv = body_of(b"a,b", (b"content-type", b"text/csv; charset=utf-8"))
        found = stale_copy(csv, now=NOON, cache_control=b"public, max-age=5")
        assert (found.body, found.etag) == (b"a,b", csv.etag)
        assert dict(found.headers)[b"cache-control"] == b"public, max-age=5"
        assert dict(found.headers)[b"content-type"] == b"text/csv; charset=utf-8"


class TestStore:
    def test_a_store_holds_the_sizes_of_its_bodies_and_of_their_headers(self) -> None:
        store = BodyStore()
        store.put("a", body_of(b"x" * 10))
        store.put("b", body_of(b"x" * 20))
        assert store.size == 30 + 2 * OVERHEAD
        store.put("a", body_of(b"x" * 5))
        assert store.size == 25 + 2 * OVERHEAD
        assert store.get("c") is None

    @pytest.mark.parametrize(("spare", "kept"), [(0, ["a", "b"]), (-1, ["b"])])
    def test_a_body_is_dropped_only_when_the_capacity_is_exceeded(self, spare: int, kept: list[str]) -> None:
        store = BodyStore(2 * (OVERHEAD + 10) + spare)
        for name in ("a", "b"):
            store.put(name, body_of(b"x" * 10))
        assert [name for name in ("a", "b") if store.get(name)] == kept
        assert store.size == len(kept) * (OVERHEAD + 10)

    @pytest.mark.parametrize(("size", "is_kept"), [(100, True), (101, False)])
    def test_a_body_that_fills_the_memory_alone_is_kept_and_a_larger_one_is_not(
        self, size: int, is_kept: bool
    ) -> None:
        store = BodyStore(OVERHEAD + 100)
        store.put("a", body_of(b""))
        store.put("a", body_of(b"x" * size))
        assert (store.get("a") is not None, store.size) == (is_kept, is_kept * (OVERHEAD + size))

    def test_the_body_that_was_not_used_for_longest_is_dropped_first(self) -> None:
        store = BodyStore(3 * OVERHEAD)
        for name in ("a", "b", "c"):
            store.put(name, body_of(b""))
        store.get("a")
        store.put("d", body_of(b""))
        assert [name for name in ("a", "b", "c", "d") if store.get(name)] == ["a", "c", "d"]

    def test_several_bodies_are_dropped_for_one_large_one(self) -> None:
        store = BodyStore(3 * OVERHEAD)
        for name in ("a", "b", "c"):
            store.put(name, body_of(b""))
        store.put("d", body_of(b"x" * OVERHEAD))
        assert [name for name in ("a", "b", "c", "d") if store.get(name)] == ["c", "d"]

    def test_a_confirmed_body_has_the_instant_of_its_last_confirmation(self) -> None:
        store, later = BodyStore(), NOON + timedelta(seconds=9)
        cached = body_of(b"a")
        store.put("a", cached)
        store.confirm("a", cached, NOON)
        assert store.get("a") is cached
        store.confirm("a", cached, later)
        assert store.get("a") == replace(cached, confirmed_at=later)
        assert store.size == cached.size

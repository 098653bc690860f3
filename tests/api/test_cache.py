"""A body is built once for its parameters and the state of the tables, and kept in bounded memory."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.api.cache.keys import cache_key
from community_metrics.api.cache.store import BodyStore, cached_body
from community_metrics.api.cache.watch import StateKey
from community_metrics.config import CHECK_INTERVAL_S
from community_metrics.model import RunStatus
from community_metrics.storage import LanceDBStore
from tests.support import api as support
from tests.support import rows
from tests.support.api import LAST_DAY, PYTHON
from tests.support.clock import NOON
from tests.support.worlds import only_writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from community_metrics.api.cache.store import CachedBody
    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

DASHBOARD = "dashboard/weekly?weeks=2"


def cache_status(response: object) -> str:
    return str(response.headers["cache-status"])  # type: ignore[attr-defined]


async def test_a_second_request_gets_the_same_bytes_from_memory(api: Api) -> None:
    first, second = await api.get(DASHBOARD), await api.get(DASHBOARD)
    assert "fwd=miss" in cache_status(first)
    assert cache_status(second) == "community-metrics; hit"
    assert (first.content, first.headers["etag"]) == (second.content, second.headers["etag"])


async def test_another_spelling_of_a_query_builds_no_new_body(local_api: Api) -> None:
    await local_api.get(f"dashboard/weekly?weeks=2&metric_id={PYTHON}")
    again = await local_api.get(f"dashboard/weekly?metric_id={PYTHON.replace(':', '%3A')}&weeks=2")
    assert cache_status(again) == "community-metrics; hit"


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
async def test_a_body_with_a_matching_tag_is_a_304(local_api: Api, form: str) -> None:
    etag = (await local_api.get(DASHBOARD)).headers["etag"]
    response = await local_api.get(DASHBOARD, headers={"if-none-match": form.format(etag)})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == etag
    assert response.headers["vary"] == "Origin"


async def test_a_body_with_another_tag_is_sent(local_api: Api) -> None:
    response = await local_api.get(DASHBOARD, headers={"if-none-match": '"0123"'})
    assert response.status_code == 200


async def test_a_cache_may_keep_a_body_and_use_it_while_it_revalidates_and_on_errors(local_api: Api) -> None:
    control = (await local_api.get(DASHBOARD)).headers["cache-control"]
    assert control == "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"


@pytest.mark.parametrize(
    "path", [DASHBOARD, f"series/{PYTHON}?format=csv", "export/stats.csv", "health", "openapi.json", "docs"]
)
async def test_head_has_the_headers_of_get_and_no_body(local_api: Api, path: str) -> None:
    get, head = await local_api.get(path), await local_api.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "etag", "cache-control"):
        assert head.headers.get(name) == get.headers.get(name)


def test_a_query_of_any_length_has_a_key_and_so_has_to_wait_for_its_turn() -> None:
    scope = {"method": "GET", "path": "/api/v1/status", "query_string": b"x=" + b"y" * 60_000, "headers": []}
    assert cache_key(scope) is not None


async def test_concurrent_misses_build_once(place: Place, serve: Serve) -> None:
    assert place.enterprise is not None
    async with serve(place.reading) as api:
        place.enterprise.log.clear()
        responses = await asyncio.gather(*(api.get("definitions") for _ in range(50)))
    queries = [entry for entry in place.enterprise.requests("query") if "/metrics/" in entry.path]
    assert len(queries) == 1
    assert len({response.content for response in responses}) == 1


async def test_the_tables_are_checked_no_more_than_every_few_seconds(place: Place, serve: Serve) -> None:
    assert place.enterprise is not None
    async with serve(place.reading) as api:
        await api.get("definitions")
        place.enterprise.log.clear()
        for _ in range(20):
            await api.get("definitions")
    assert place.enterprise.log == []


async def test_a_write_is_visible_after_the_next_check(empty: Place, serve: Serve) -> None:
    await support.fill(empty.writing)
    async with serve(empty.reading) as api:
        before = await api.get(f"series/{PYTHON}?from={LAST_DAY}&grain=day")
        async with LanceDBStore.open(empty.writing) as store:
            await support.refresh(store, support.days_of(PYTHON, LAST_DAY, plus=7))
        api.clock.advance(CHECK_INTERVAL_S + 0.1)
        after = await api.get(f"series/{PYTHON}?from={LAST_DAY}&grain=day")
    assert after.json()["points"][0]["value"] == before.json()["points"][0]["value"] + 7
    assert after.headers["etag"] != before.headers["etag"]


async def test_a_new_day_builds_a_new_body_without_a_write(local_api: Api) -> None:
    before = (await local_api.get("dashboard/daily?days=1")).json()
    local_api.clock.advance(timedelta(days=1).total_seconds())
    after = (await local_api.get("dashboard/daily?days=1")).json()
    assert (before["period_end"], after["period_end"]) == ("2026-11-22", "2026-11-23")


async def test_data_become_stale_without_a_write(local_api: Api) -> None:
    before = (await local_api.get(DASHBOARD)).json()["freshness"]
    local_api.clock.advance(timedelta(days=12).total_seconds())
    after = (await local_api.get(DASHBOARD)).json()["freshness"]
    assert (before["is_stale"], after["is_stale"]) == (False, True)


async def test_a_run_that_starts_is_in_the_history_within_the_same_minute(
    folder: Place, serve: Serve
) -> None:
    async with serve(folder.reading) as api:
        before = (await api.get("history")).json()["runs"]
        async with LanceDBStore.open(folder.writing) as store:
            await store.record_run(rows.run(NOON, RunStatus.RUNNING, run_id="new"))
        api.clock.advance(CHECK_INTERVAL_S)
        after = (await api.get("history")).json()["runs"]
    assert [run["run_id"] for run in after] == ["new", *(run["run_id"] for run in before)]


@pytest.mark.parametrize("order", [("text/csv", "application/json"), ("application/json", "text/csv")])
async def test_two_formats_of_one_series_are_two_bodies(local_api: Api, order: tuple[str, str]) -> None:
    path = f"series/{PYTHON}?grain=month"
    for _ in range(2):
        for accept in order:
            response = await local_api.get(path, headers={"accept": accept})
            assert response.headers["content-type"].startswith(accept)


async def test_a_304_of_a_body_with_two_formats_varies_as_its_200_does(local_api: Api) -> None:
    first = await local_api.get(f"series/{PYTHON}")
    again = await local_api.get(f"series/{PYTHON}", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    for response in (first, again):
        assert set(response.headers["vary"].split(", ")) == {"Accept", "Origin"}


def body_of(size: int) -> CachedBody:
    key = StateKey(None, NOON.date())
    return cached_body(key, b"x" * size, [], cache_control=b"public", confirmed_at=NOON)


def test_memory_is_bounded_and_the_least_recently_used_body_is_dropped_first() -> None:
    store = BodyStore(capacity_bytes=30_000)
    for name in ("a", "b"):
        store.put(name, body_of(10_000))
    store.get("a")
    store.put("c", body_of(10_000))
    assert [store.get(name) is not None for name in ("a", "b", "c")] == [True, False, True]
    assert store.size <= 30_000


def test_a_body_larger_than_the_memory_drops_only_its_own_predecessor() -> None:
    store = BodyStore(capacity_bytes=30_000)
    store.put("a", body_of(10_000))
    store.put("b", body_of(10_000))
    store.put("b", body_of(40_000))
    assert store.get("a") is not None
    assert store.get("b") is None


async def test_recreated_tables_are_read_again_though_their_versions_are_the_same(
    empty: Place, serve: Serve
) -> None:
    async def collect(run_id: str) -> None:
        async with LanceDBStore.open(empty.writing) as store:
            await store.create_tables()
            await store.drop_tables(renew=only_writer)
            await store.create_tables()
            await store.record_run(rows.run(NOON - timedelta(hours=2), run_id=run_id))

    await collect("before")
    async with serve(empty.reading) as api:
        before = (await api.get("history")).json()
        await collect("after")
        api.clock.advance(CHECK_INTERVAL_S)
        after = (await api.get("history")).json()
    assert before["freshness"]["versions"] == after["freshness"]["versions"]
    assert [run["run_id"] for run in after["runs"]] == ["after"]

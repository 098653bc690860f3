"""What the cache sends from memory, what it builds anew, and what it passes on."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.api.cache.middleware import (
    PUBLIC,
    etag_matches,
)
from community_metrics.api.middleware.state import KEY, RequestState
from tests.support.asgi import Sent, http
from tests.support.caching import INTERVAL_S, JSON, OTHER, PATH, Rig, build_of
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_a_body_is_built_once_and_then_served_from_memory(rig: Rig) -> None:
    first, state = await rig.get(), rig.state
    assert (first.status, state.cache, build_of(first)) == (200, "miss", 1)
    assert first.header("cache-status") == "community-metrics; fwd=miss; stored"
    second = await rig.get()
    assert (second.status, rig.state.cache, second.body) == (200, "hit", first.body)
    assert second.header("cache-status") == "community-metrics; hit"
    assert first.header("cache-control") == second.header("cache-control") == PUBLIC.decode()
    assert first.header("etag") == second.header("etag")
    assert first.header("content-length") == str(len(first.body))


async def test_the_routes_build_for_the_instant_of_the_request_without_its_client(rig: Rig) -> None:
    rig.clock.set(NOON + timedelta(hours=1))
    sent = await rig.get(accept="text/html")
    assert json.loads(sent.body)["now"] == "2026-11-23T13:00:00+00:00"
    (scope,) = rig.routes.scopes
    assert (scope["path"], scope["headers"]) == (PATH, [(b"accept", b"text/html")])
    assert rig.routes.received == [{"type": "http.request", "body": b"", "more_body": False}]


async def test_a_route_that_is_not_cached_passes_with_the_instant_of_the_request(rig: Rig) -> None:
    sent = [await rig.get("/api/v1/health") for _ in range(2)]
    assert [build_of(one) for one in sent] == [1, 2]
    assert (rig.database.looks, rig.state.cache, sent[0].headers) == ([], "-", JSON)


@pytest.mark.parametrize(
    ("path", "change", "is_built"),
    [
        (OTHER, lambda rig: rig.later(), False),
        (PATH, lambda rig: rig.later(59), False),
        (PATH, lambda rig: rig.later(60), True),
        (OTHER, lambda rig: rig.later(3600), False),
        (OTHER, lambda rig: rig.later(12 * 3600), True),
        (OTHER, lambda rig: rig.close_a_run(INTERVAL_S), True),
        (OTHER, lambda rig: rig.close_a_run(4), False),
    ],
)
async def test_a_body_is_built_again_when_what_it_depends_on_has_changed(
    rig: Rig, path: str, change: Callable[[Rig], None], is_built: bool
) -> None:
    await rig.get(path)
    change(rig)
    assert build_of(await rig.get(path)) == (2 if is_built else 1)


async def test_a_matching_tag_is_a_304_without_body_that_varies_as_the_200(rig: Rig) -> None:
    etag = (await rig.get()).header("etag") or ""
    same, other = await rig.get(if_none_match=etag), await rig.get(if_none_match='"other"')
    assert (same.status, same.body, other.status, build_of(other)) == (304, b"", 200, 1)
    assert {key for key, _ in same.headers} == {b"etag", b"cache-control", b"vary"}
    assert (same.header("etag"), rig.state.cache) == (etag, "hit")


@pytest.mark.parametrize(
    ("given", "matches"),
    [
        (None, False),
        (b'"a"', True),
        (b'W/"a"', True),
        (b'"x", W/"a" ', True),
        (b"*", True),
        (b'*, "x"', False),
        (b'"x"', False),
        (b"", False),
    ],
)
def test_tags_are_compared_weakly(given: bytes | None, matches: bool) -> None:
    assert etag_matches(given, b'"a"') is matches


async def test_requests_at_one_time_share_a_build(rig: Rig) -> None:
    rig.routes.may_respond = asyncio.Event()
    waiting = [asyncio.create_task(rig.get()) for _ in range(5)]
    await asyncio.sleep(0.01)
    rig.routes.may_respond.set()
    assert {build_of(sent) for sent in await asyncio.gather(*waiting)} == {1}
    assert len(rig.routes.scopes) == 1


async def test_a_client_that_leaves_gets_nothing_and_its_build_is_cancelled(rig: Rig) -> None:
    rig.routes.may_respond = asyncio.Event()
    sent = Sent()

    async def leave() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.messages.append(message)

    await asyncio.wait_for(rig.cache({**http(PATH), KEY: RequestState("a-1")}, leave, send), 20)
    assert (sent.messages, rig.routes.scopes) == ([], [])

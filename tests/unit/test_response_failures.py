"""What the cache sends while storage is away, and when a body cannot be built."""

from __future__ import annotations

import asyncio
import json

import pytest

from community_metrics.api.admission import Admission
from community_metrics.api.cache.middleware import (
    BUILD_AGAIN_AFTER_S,
    OLDER_BODY,
    PRIVATE,
    STALE,
)
from community_metrics.errors import StorageUnavailable
from tests.support.caching import JSON, OTHER, PATH, Rig, build_of, kind
from tests.support.clock import NOON


@pytest.fixture
def rig() -> Rig:
    return Rig()


# while storage is away


async def test_without_a_body_an_outage_is_a_503(rig: Rig) -> None:
    rig.fail()
    sent = await rig.get()
    assert (sent.status, kind(sent), rig.state.cache) == (503, "storage-unavailable", "none")
    assert json.loads(sent.body)["instance"] == PATH
    assert rig.routes.scopes == []


async def test_during_an_outage_the_last_body_is_served_with_its_age_and_marked_stale(rig: Rig) -> None:
    first = await rig.get()
    rig.later(30)
    await rig.get()  # the tables were seen at 30 s
    rig.fail()
    rig.later(600)
    sent = await rig.get()
    assert (sent.status, rig.state.cache, len(rig.routes.scopes)) == (200, "stale", 1)
    assert json.loads(sent.body)["freshness"]["storage_reachable"] is False
    assert json.loads(sent.body)["freshness"]["data_as_of"] == "2026-11-23T12:00:30Z"
    assert (sent.header("age"), sent.header("x-data-stale")) == ("605", "true")
    assert sent.header("cache-control") == STALE.decode()
    assert sent.header("cache-status") == "community-metrics; fwd=stale; fwd-status=503"
    assert sent.header("etag") != first.header("etag")


async def test_a_stale_body_has_a_304_with_its_age_and_mark(rig: Rig) -> None:
    await rig.get()
    rig.fail()
    etag = (await rig.get()).header("etag") or ""
    sent = await rig.get(if_none_match=etag)
    assert (sent.status, sent.header("age"), sent.header("x-data-stale")) == (304, "5", "true")


async def test_a_stale_copy_follows_the_day_and_the_newest_body(rig: Rig) -> None:
    async def as_of() -> str:
        return str(json.loads((await rig.get()).body)["freshness"]["data_as_of"])

    await rig.get()
    rig.fail()
    assert await as_of() == "2026-11-23T12:00:00Z"
    rig.database.failure = None
    rig.later(60)
    await rig.get()
    rig.fail()
    assert await as_of() == "2026-11-23T12:01:05Z"
    assert len(rig.routes.scopes) == 2


async def test_a_recovered_storage_is_used_without_a_restart(rig: Rig) -> None:
    await rig.get(OTHER)
    rig.fail()
    await rig.get(OTHER)
    rig.database.failure = None
    rig.later()
    sent = await rig.get(OTHER)
    assert (rig.state.cache, sent.header("x-data-stale"), sent.header("age")) == ("hit", None, None)


@pytest.mark.parametrize("is_stale", [False, True])
async def test_what_needs_a_token_may_not_be_cached_stale_or_not(is_stale: bool) -> None:
    rig = Rig(is_team=True)
    await rig.get()
    if is_stale:
        rig.fail()
    assert (await rig.get()).header("cache-control") == PRIVATE.decode()
    rig.is_team = False  # nor is it in memory for anybody else
    assert rig.state.cache == ("stale" if is_stale else "hit")
    await rig.get()
    assert rig.state.cache == ("none" if is_stale else "miss")


# no body


@pytest.mark.parametrize("status", [404, 422, 500])
async def test_what_is_no_200_is_sent_as_it_is_and_not_kept(rig: Rig, status: int) -> None:
    rig.routes.status = status
    for builds in (1, 2):
        sent = await rig.get()
        assert (sent.status, sent.headers, sent.body, rig.state.cache) == (status, JSON, b"no body", "none")
        assert len(rig.routes.scopes) == builds


@pytest.mark.parametrize("status", [404, 500])
async def test_an_error_of_the_routes_is_not_hidden_behind_the_last_body(rig: Rig, status: int) -> None:
    await rig.get()
    rig.later(60)
    rig.routes.status = status
    assert (await rig.get()).status == status


async def test_storage_that_fails_during_a_build_leaves_the_last_body_and_is_tried_again_later(
    rig: Rig,
) -> None:
    await rig.get()
    rig.later(60)
    rig.routes.status = 503
    for seconds in (0, BUILD_AGAIN_AFTER_S - 0.1):
        rig.later(seconds)
        sent = await rig.get()
        assert (sent.status, rig.state.cache, sent.header("x-data-stale")) == (200, "stale", "true")
    assert len(rig.routes.scopes) == 2
    rig.later(0.1)
    rig.routes.status = 200
    assert build_of(await rig.get()) == 3


async def test_a_503_of_the_routes_without_a_last_body_is_built_again_at_once(rig: Rig) -> None:
    rig.routes.status = 503
    for _ in range(2):
        assert (await rig.get()).status == 503
    assert len(rig.routes.scopes) == 2


FULL = Admission(at_once=0)


@pytest.mark.parametrize(
    ("age_s", "cache", "status"),
    [(60, "busy", 200), (OLDER_BODY.total_seconds(), "busy", 200), (661, "busy", 503)],
)
async def test_a_body_that_is_not_built_is_replaced_by_the_last_one_for_eleven_minutes(
    rig: Rig, age_s: float, cache: str, status: int
) -> None:
    await rig.get()
    rig.cache._builds = FULL
    rig.later(age_s)
    sent = await rig.get()
    assert (sent.status, rig.state.cache) == (status, cache)
    if status == 200:
        assert (build_of(sent), sent.header("age"), sent.header("x-data-stale")) == (1, str(int(age_s)), None)
        assert sent.header("cache-status") == "community-metrics; fwd=stale; detail=busy"
    else:
        assert kind(sent) == "busy"


async def test_without_a_last_body_a_busy_service_says_so_and_builds_when_it_can() -> None:
    rig = Rig(builds=Admission(at_once=1))
    async with rig.builds.turn():
        sent = await rig.get()
    assert (sent.status, kind(sent), rig.state.cache) == (503, "busy", "busy")
    assert (json.loads(sent.body)["instance"], sent.header("retry-after")) == (PATH, "5")
    assert (await rig.get()).status == 200


@pytest.fixture
def slow() -> Rig:
    """A service whose builds take too long: 10 ms."""
    rig = Rig(builds=Admission(at_once=1, limit_s=0.01))
    rig.routes.may_respond = asyncio.Event()
    return rig


async def test_a_build_that_takes_too_long_is_the_response_for_five_seconds(slow: Rig) -> None:
    for seconds in (0, BUILD_AGAIN_AFTER_S - 0.1):
        slow.later(seconds)
        sent = await slow.get()
        assert (sent.status, kind(sent), slow.state.cache) == (503, "took-too-long", "timeout")
    assert slow.routes.may_respond is not None
    slow.routes.may_respond.set()
    slow.later(0.1)
    assert (await slow.get()).status == 200


async def test_a_build_that_takes_too_long_does_not_affect_another(slow: Rig) -> None:
    await slow.get()
    assert slow.routes.may_respond is not None
    slow.routes.may_respond.set()
    assert (await slow.get(OTHER)).status == 200
    assert (await slow.get()).status == 503


async def test_after_a_build_that_takes_too_long_the_last_body_is_served_with_its_age() -> None:
    rig = Rig(builds=Admission(at_once=1, limit_s=0.01))
    await rig.get()
    rig.routes.may_respond = asyncio.Event()
    rig.later(60)
    sent = await rig.get()
    assert (build_of(sent), rig.state.cache, sent.header("age")) == (1, "timeout", "60")
    assert sent.header("cache-status") == "community-metrics; fwd=stale; detail=timeout"


async def test_a_build_that_takes_too_long_while_storage_is_away_is_an_outage(slow: Rig) -> None:
    slow.database.failures = [None, StorageUnavailable("away")]
    sent = await slow.get()
    assert (sent.status, kind(sent), slow.state.cache) == (503, "storage-unavailable", "none")
    assert slow.database.looks == [NOON, NOON]

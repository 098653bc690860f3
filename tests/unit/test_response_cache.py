"""What the cache sends: from memory, built anew, stale, or the reason why there is no body."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.api.admission import Admission
from community_metrics.api.cache.middleware import (
    BUILD_AGAIN_AFTER_S,
    OLDER_BODY,
    PRIVATE,
    PUBLIC,
    STALE,
    ResponseCache,
    etag_matches,
)
from community_metrics.api.cache.watch import TableWatch
from community_metrics.api.context import now_of
from community_metrics.api.middleware.state import KEY, RequestState
from community_metrics.errors import StorageUnavailable
from tests.support.asgi import Responds, Sent, http, requested
from tests.support.clock import NOON, FakeClock
from tests.support.tables import ScriptedDatabase

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message, Receive, Scope, Send

INTERVAL_S = 5.0
PATH, OTHER = "/api/v1/status", "/api/v1/definitions"
BODY = {"freshness": {"sources": [], "is_stale": False}}
JSON = [(b"content-type", b"application/json"), (b"vary", b"Origin")]


@dataclass
class Routes(Responds):
    """Responds with the newest run and the number of the build; waits for `may_respond` if there is one."""

    may_respond: asyncio.Event | None = None
    database: ScriptedDatabase | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.may_respond is not None:
            await self.may_respond.wait()
        built = BODY | {"build": len(self.scopes) + 1, "now": now_of(scope).isoformat()}
        self.body = json.dumps(built).encode() if self.status == 200 else b"no body"
        await super().__call__(scope, receive, send)


@dataclass
class Rig:
    """A cache over routes and tables that a test changes."""

    routes: Routes = field(default_factory=lambda: Routes(headers=JSON))
    clock: FakeClock = field(default_factory=FakeClock)
    is_private: bool = False
    builds: Admission = field(default_factory=lambda: Admission(at_once=8))

    def __post_init__(self) -> None:
        self.database = ScriptedDatabase(self.clock)
        self.cache = ResponseCache(
            self.routes,
            watch=TableWatch(self.database, self.clock, INTERVAL_S),
            database=self.database,
            builds=self.builds,
            clock=self.clock,
            is_private=self.is_private,
        )

    async def get(self, path: str = PATH, **headers: str) -> Sent:
        self.state = RequestState("a-1")
        return await requested(self.cache, {**http(path, **headers), KEY: self.state})

    def later(self, seconds: float = INTERVAL_S) -> None:
        self.clock.advance(seconds)

    def close_a_run(self, ago_s: float) -> None:
        """Let a run end, some seconds ago."""
        self.database.run_id = "two"
        self.later(ago_s)

    def fail(self) -> None:
        """Let the next look at the tables fail."""
        self.database.failure = StorageUnavailable("away")
        self.later()


def build_of(sent: Sent) -> int:
    build: int = json.loads(sent.body)["build"]
    return build


def kind(sent: Sent) -> str:
    return str(json.loads(sent.body)["type"]).partition("#")[2]


@pytest.fixture
def rig() -> Rig:
    return Rig()


# from memory


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
    rig = Rig(is_private=True)
    await rig.get()
    if is_stale:
        rig.fail()
    assert (await rig.get()).header("cache-control") == PRIVATE.decode()


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

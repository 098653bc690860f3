"""More requests than the API can handle: an early 503, the last body, and turns that come back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.api.cache.database import ReadDatabase
from community_metrics.api.cache.middleware import BUILD_AGAIN_AFTER_S, OLDER_BODY
from community_metrics.api.services import Limits
from community_metrics.storage import LanceDBStore
from tests.support import api as support
from tests.support.api import LAST_DAY, PYTHON
from tests.support.enterprise import Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    import httpx

    from community_metrics.api.middleware.request_log import LoggedRequest
    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

DASHBOARD = "dashboard/weekly?weeks=2"
ONE_BUILD = Limits(builds=1, waiting=0)
QUERIES = "*/query/"


class Log:
    """The log lines of the requests."""

    def __init__(self) -> None:
        self.lines: list[LoggedRequest] = []

    def __call__(self, request: LoggedRequest, _at: object) -> None:
        self.lines.append(request)


class Client:
    """A client that can disconnect before its response is complete; unless it `reads`, every send stalls."""

    def __init__(self, api: Api, path: str, *, reads: bool = True) -> None:
        self._gone = asyncio.Event()
        self._started = asyncio.Event()
        self._reads = reads
        self.messages: list[Any] = []
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": "GET",
            "path": f"/api/v1/{path}",
            "query_string": query.encode(),
            "headers": [],
        }
        self.request = asyncio.create_task(api.app(scope, self._receive, self._send))

    async def disconnect(self) -> None:
        """Leave, and wait until the API has noticed."""
        self._gone.set()
        await asyncio.wait_for(self.request, timeout=5)

    async def _receive(self) -> dict[str, str]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.messages.append(message)
        self._started.set()
        if not self._reads:
            await self._gone.wait()

    async def until_started(self) -> None:
        """Return once the response has started."""
        await self._started.wait()


def delay_queries(place: Place, seconds: float, *, times: int = 10_000, path: str = QUERIES) -> None:
    assert place.enterprise is not None
    place.enterprise.faults.append(Fault(path=path, delay_s=seconds, times=times))


async def until_a_query_arrives(place: Place) -> None:
    """Return once the fault of one delay has been taken."""
    assert place.enterprise is not None
    while place.enterprise.faults and place.enterprise.faults[-1].times:  # noqa: ASYNC110  a plain list
        await asyncio.sleep(0.01)


def kind_of(response: httpx.Response) -> str:
    kind: str = response.json()["type"].partition("#")[2]
    return kind


async def write(place: Place) -> None:
    """Store other values, so that every body has to be built again."""
    async with LanceDBStore.open(place.writing) as store:
        await support.write(store, support.days_of(PYTHON, LAST_DAY, plus=7))


async def test_a_build_beyond_the_limit_is_an_early_503_and_other_requests_go_on(
    place: Place, serve: Serve
) -> None:
    log = Log()
    async with serve(place.reading, limits=ONE_BUILD, log_request=log) as api:
        etag = (await api.get("definitions")).headers["etag"]
        delay_queries(place, 1.0, times=1)
        slow = asyncio.create_task(api.get(DASHBOARD))
        await until_a_query_arrives(place)
        shed = await api.get("history")
        others = [
            await api.get("health"),
            await api.get("ready"),
            await api.get("definitions"),
            await api.get("definitions", headers={"if-none-match": etag}),
        ]
        assert not slow.done()
        assert (await slow).status_code == 200
    assert (shed.status_code, kind_of(shed), shed.headers["retry-after"]) == (503, "busy", "5")
    assert "database" not in shed.json()["detail"]
    assert [response.status_code for response in others] == [200, 200, 200, 304]
    assert [line.status for line in log.lines if line.cache == "busy"] == [503]


async def test_a_client_that_disconnects_frees_the_turn_of_its_build(place: Place, serve: Serve) -> None:
    async with serve(place.reading, limits=ONE_BUILD) as api:
        delay_queries(place, 30.0, times=1)
        client = Client(api, DASHBOARD)
        await until_a_query_arrives(place)
        await client.disconnect()
        other = await api.get("history")
    assert client.messages == []
    assert other.status_code == 200


async def test_a_build_that_others_wait_for_goes_on_when_one_client_disconnects(
    place: Place, serve: Serve
) -> None:
    async with serve(place.reading, limits=ONE_BUILD) as api:
        delay_queries(place, 0.5, times=1)
        first = Client(api, DASHBOARD)
        await until_a_query_arrives(place)
        second = asyncio.create_task(api.get(DASHBOARD))
        await asyncio.sleep(0.05)
        await first.disconnect()
        assert (await second).status_code == 200


async def test_a_client_that_disconnects_in_the_line_leaves_it(place: Place, serve: Serve) -> None:
    async with serve(place.reading, limits=Limits(builds=1, waiting=1, wait_s=30)) as api:
        delay_queries(place, 0.5, times=1)
        running = asyncio.create_task(api.get(DASHBOARD))
        await until_a_query_arrives(place)
        waiting = Client(api, "status")
        await asyncio.sleep(0.05)
        assert kind_of(await api.get("history")) == "busy"
        await waiting.disconnect()
        assert (await api.get("history")).status_code == 200
        assert (await running).status_code == 200


async def test_while_busy_the_last_body_is_served_as_it_is_for_as_long_as_any_cache_may(
    place: Place, serve: Serve
) -> None:
    log = Log()
    async with serve(place.reading, limits=ONE_BUILD, log_request=log) as api:
        good = await api.get("history")
        await write(place)
        api.clock.advance(90)
        await api.get("definitions")  # checks the tables before the storage is slow
        delay_queries(place, 1.0, times=1)
        slow = asyncio.create_task(api.get(DASHBOARD))
        await until_a_query_arrives(place)
        older = await api.get("history")
        await slow
    assert older.content == good.content
    assert older.headers["age"] == "90"
    assert older.headers["cache-status"] == "community-metrics; fwd=stale; detail=busy"
    assert "x-data-stale" not in older.headers
    assert [line.status for line in log.lines if line.cache == "busy"] == [200]


async def test_while_busy_a_body_that_no_cache_may_serve_any_more_is_a_503(
    place: Place, serve: Serve
) -> None:
    async with serve(place.reading, limits=ONE_BUILD) as api:
        await api.get("history")
        await write(place)
        api.clock.advance(OLDER_BODY.total_seconds() + 1)
        await api.get("definitions")
        delay_queries(place, 1.0, times=1)
        slow = asyncio.create_task(api.get(DASHBOARD))
        await until_a_query_arrives(place)
        assert kind_of(await api.get("history")) == "busy"
        await slow


async def test_a_build_that_takes_too_long_says_so_and_concerns_no_other_route(
    place: Place, serve: Serve
) -> None:
    log = Log()
    database = ReadDatabase(place.reading, read_timeout_s=1.5)
    async with serve(place.reading, database=database, limits=ONE_BUILD, log_request=log) as api:
        delay_queries(place, 5.0, times=1, path="*/stats/query/")
        slow = await api.get(DASHBOARD)
        assert place.enterprise is not None
        place.enterprise.log.clear()
        again = await api.get(DASHBOARD)
        asked = list(place.enterprise.log)
        other = await api.get("history")
        api.clock.advance(BUILD_AGAIN_AFTER_S)
        place.enterprise.faults.clear()
        later = await api.get(DASHBOARD)
    assert [(each.status_code, kind_of(each)) for each in (slow, again)] == [(503, "took-too-long")] * 2
    assert "fewer periods" in slow.json()["detail"]
    assert asked == []
    assert (other.status_code, other.headers["cache-status"]) == (
        200,
        "community-metrics; fwd=miss; stored",
    )
    assert later.status_code == 200
    assert [line.cache for line in log.lines] == ["timeout", "timeout", "miss", "miss"]


async def test_a_build_that_takes_too_long_because_storage_hangs_names_storage(
    place: Place, serve: Serve
) -> None:
    database = ReadDatabase(place.reading, read_timeout_s=0.4)
    async with serve(place.reading, database=database) as api:
        delay_queries(place, 5.0, path="*")
        assert kind_of(await api.get(DASHBOARD)) == "storage-unavailable"


async def test_memory_is_bounded_by_the_number_of_builds_at_once(place: Place, serve: Serve) -> None:
    """60 cold requests: each is built, or turned away; the line bounds how many wait."""
    limits = Limits(builds=2, waiting=10, wait_s=30)
    async with serve(place.reading, limits=limits) as api:
        delay_queries(place, 0.05)
        paths = [f"dashboard/weekly?weeks={weeks}" for weeks in range(1, 61)]
        responses = await asyncio.gather(*(api.get(path) for path in paths))
    served = [response for response in responses if response.status_code == 200]
    assert len(served) == 12
    assert {kind_of(response) for response in responses if response.status_code != 200} == {"busy"}


@pytest.mark.parametrize("file", ["stats.csv", "stats.parquet"])
async def test_an_export_beyond_the_limit_is_a_503_before_any_byte(
    filled_local: Place, serve: Serve, file: str
) -> None:
    log = Log()
    async with serve(filled_local.reading, limits=Limits(exports=1), log_request=log) as api:
        stalled = Client(api, "export/stats.csv", reads=False)
        await stalled.until_started()
        shed = await api.get(f"export/{file}")
        head = await api.head("export/metrics.csv")
        await stalled.disconnect()
        assert (await api.get(f"export/{file}")).status_code == 200
    assert (shed.status_code, kind_of(shed), shed.headers["retry-after"]) == (503, "busy", "5")
    assert head.status_code == 200
    assert [line.status for line in log.lines if line.cache == "busy"] == [503]


@pytest.mark.parametrize("file", ["stats.csv", "stats.parquet"])
async def test_an_export_whose_client_stops_reading_ends_and_frees_its_turn(
    filled_local: Place, serve: Serve, file: str
) -> None:
    async with serve(filled_local.reading, limits=Limits(exports=1, stall_s=0.1)) as api:
        stalled = Client(api, f"export/{file}", reads=False)
        await asyncio.wait_for(stalled.request, timeout=5)
        assert (await api.get("export/stats.csv")).status_code == 200
    assert [message["type"] for message in stalled.messages] == ["http.response.start"]


async def test_a_parquet_file_holds_a_turn_while_it_is_written_and_none_while_it_is_sent(
    filled_local: Place, serve: Serve
) -> None:
    async with serve(filled_local.reading, limits=Limits(exports=1)) as api:
        stalled = Client(api, "export/stats.parquet", reads=False)
        await stalled.until_started()
        assert (await api.get("export/metrics.csv")).status_code == 200
        await stalled.disconnect()

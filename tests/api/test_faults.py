"""Storage that is down, slow, denied, empty or wider: the last body if there is one, no internal detail."""

from __future__ import annotations

import asyncio
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from community_metrics.api.cache.database import ReadDatabase
from community_metrics.api.timely import timely
from community_metrics.config import CHECK_INTERVAL_S
from community_metrics.errors import StorageSchemaMismatch
from community_metrics.storage import LanceDBStore
from community_metrics.storage.schemas import HISTORY, METRICS, STATS
from community_metrics.storage.timeouts import Timeouts
from tests.support import api as support
from tests.support.api import LAST_DAY, PYTHON, python_value
from tests.support.enterprise import READ_KEY, Fault
from tests.support.worlds import raw_table

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from contextlib import AbstractAsyncContextManager

    import httpx

    from community_metrics.storage.schemas import AnyTable
    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

DASHBOARD = "dashboard/weekly?weeks=2"
ALWAYS = 10_000
JSON_PATHS = [
    "dashboard/weekly",
    "dashboard/daily",
    "dashboard/monthly",
    "status",
    "definitions",
    "history",
    "restatements",
    "insights",
    "goals",
    "overview",
    "digests",
]


def break_storage(place: Place, **fault: object) -> None:
    assert place.enterprise is not None
    place.enterprise.faults.append(Fault(times=ALWAYS, **fault))  # type: ignore[arg-type]


def repair_storage(place: Place) -> None:
    assert place.enterprise is not None
    place.enterprise.faults.clear()


def require_problem(response: httpx.Response, kind: str, place: Place) -> None:
    """Fail unless the response is a problem with a retry time and without internal names."""
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "5"
    assert response.json()["type"].endswith(f"#{kind}")
    for internal in (READ_KEY, str(place.reading.lancedb_host_override), "LanceDB at", "Traceback"):
        assert internal not in response.text


@pytest.mark.parametrize(
    ("status", "kind"), [(503, "storage-unavailable"), (401, "storage-denied"), (403, "storage-denied")]
)
async def test_an_outage_without_an_earlier_body_is_a_503(
    place: Place, serve: Serve, status: int, kind: str
) -> None:
    break_storage(place, status=status, body=f"no entry for {READ_KEY}")
    async with serve(place.reading) as api:
        require_problem(await api.get(DASHBOARD), kind, place)
        require_problem(await api.get("ready"), kind, place)
        require_problem(await api.get("export/stats.csv"), kind, place)
        assert (await api.head("export/stats.csv")).status_code == 503
        assert (await api.get("health")).status_code == 200


async def test_an_outage_after_an_earlier_body_serves_it_with_its_age_and_a_mark(
    place: Place, serve: Serve
) -> None:
    async with serve(place.reading) as api:
        good = await api.get(DASHBOARD)
        break_storage(place, status=503)
        api.clock.advance(90)
        stale = await api.get(DASHBOARD)
    assert stale.status_code == 200
    assert (stale.headers["x-data-stale"], stale.headers["age"]) == ("true", "90")
    assert stale.json()["freshness"]["storage_reachable"] is False
    assert stale.json()["freshness"]["data_as_of"] == "2026-11-23T12:00:00Z"
    assert stale.json()["products"] == good.json()["products"]
    assert stale.headers["etag"] != good.headers["etag"]


async def test_a_stale_body_has_a_tag_of_its_own_for_a_304(place: Place, serve: Serve) -> None:
    async with serve(place.reading) as api:
        await api.get(DASHBOARD)
        break_storage(place, status=503)
        api.clock.advance(CHECK_INTERVAL_S)
        etag = (await api.get(DASHBOARD)).headers["etag"]
        again = await api.get(DASHBOARD, headers={"if-none-match": etag})
    assert (again.status_code, again.headers["x-data-stale"]) == (304, "true")


async def test_a_recovered_database_is_used_without_a_restart(place: Place, serve: Serve) -> None:
    break_storage(place, status=503)
    async with serve(place.reading) as api:
        down = await api.get(DASHBOARD)
        repair_storage(place)
        for _ in range(60):  # while storage is down a request waits for a short look only
            api.clock.advance(CHECK_INTERVAL_S)
            up = await api.get(DASHBOARD)
            if up.status_code != down.status_code:
                break
            await asyncio.sleep(0.1)
    assert (down.status_code, up.status_code) == (503, 200), up.text
    assert "x-data-stale" not in up.headers


async def test_storage_that_fails_during_a_build_leaves_the_last_body(place: Place, serve: Serve) -> None:
    async with serve(place.reading) as api:
        await api.get(DASHBOARD)
        async with LanceDBStore.open(place.writing) as store:
            await support.refresh(store, support.days_of(PYTHON, LAST_DAY, plus=7))
        break_storage(place, path="*/query/", status=500)
        api.clock.advance(CHECK_INTERVAL_S)
        response = await api.get(DASHBOARD)
    assert response.status_code == 200
    assert response.headers["cache-status"] == "community-metrics; fwd=stale; fwd-status=503"


async def test_while_reads_hang_a_body_in_memory_is_served_at_once(place: Place, serve: Serve) -> None:
    database = ReadDatabase(
        place.reading, read_timeout_s=3.0
    )  # the first body must be read in time on a busy machine too
    async with serve(place.reading, database=database) as api:
        await api.get(DASHBOARD)
        async with LanceDBStore.open(place.writing) as store:
            await support.refresh(store, support.days_of(PYTHON, LAST_DAY, plus=7))
        api.clock.advance(CHECK_INTERVAL_S)
        await api.get("definitions")  # checks the tables while storage still responds
        break_storage(place, delay_s=9.0)
        first = await api.get(DASHBOARD)
        assert place.enterprise is not None
        place.enterprise.log.clear()
        second = await api.get(DASHBOARD)
    assert [response.headers["x-data-stale"] for response in (first, second)] == ["true", "true"]
    assert place.enterprise.log == []


async def test_the_error_of_a_failed_read_is_in_the_log_and_not_in_the_response(
    folder: Place, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serve(folder.reading) as api:
        shutil.rmtree(Path(folder.reading.db_path) / "stats.lance" / "data")
        response = await api.get(DASHBOARD, headers={"x-request-id": "the-one"})
    require_problem(response, "storage-unavailable", folder)
    [line] = [line for line in capsys.readouterr().out.splitlines() if "read failed" in line]
    assert "the-one" in line
    assert "stats" in line


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
async def test_head_of_an_export_has_the_status_of_get_when_files_are_missing(
    folder: Place, serve: Serve, file_format: str
) -> None:
    async with serve(folder.reading) as api:
        shutil.rmtree(Path(folder.reading.db_path) / "stats.lance" / "data")
        responses = [await ask(f"export/stats.{file_format}") for ask in (api.get, api.head)]
        # the values say whether a database is a demo's, so that without them no table can be marked
        responses += [await ask(f"export/metrics.{file_format}") for ask in (api.get, api.head)]
    assert [response.status_code for response in responses] == [503] * 4


async def test_head_of_an_export_has_the_timeout_of_a_read(place: Place, serve: Serve) -> None:
    database = ReadDatabase(place.reading, read_timeout_s=0.3)
    async with serve(place.reading, database=database) as api:
        break_storage(place, path="*/query/", delay_s=1.0)
        assert (await api.head("export/stats.csv")).status_code == 503
        require_problem(await api.get("export/stats.csv"), "storage-unavailable", place)


async def test_every_chunk_of_an_export_has_a_timeout_and_a_slow_client_has_none() -> None:
    async def pieces() -> AsyncGenerator[bytes, None]:
        yield b"one"
        yield b"two"
        await asyncio.Event().wait()

    timely_pieces = timely(pieces(), timeout_s=0.05)
    assert await anext(timely_pieces) == b"one"
    await asyncio.sleep(0.1)
    assert await anext(timely_pieces) == b"two"
    with pytest.raises(TimeoutError):
        await anext(timely_pieces)


async def test_a_status_during_an_outage_is_consistent(place: Place, serve: Serve) -> None:
    async with serve(place.reading) as api:
        assert (await api.get("status")).json()["is_stale"] is False
        break_storage(place, status=503)
        api.clock.advance(timedelta(days=10).total_seconds())
        stale = (await api.get("status")).json()
    assert (stale["is_stale"], stale["freshness"]["is_stale"]) == (True, True)
    assert {one["source"] for one in stale["freshness"]["sources"] if one["is_stale"]} == {
        "crates",
        "github",
        "pypistats",
    }


async def test_storage_slower_than_the_timeout_is_a_503(place: Place, serve: Serve) -> None:
    database = ReadDatabase(place.reading, read_timeout_s=0.3)
    async with serve(place.reading, database=database) as api:
        break_storage(place, delay_s=5.0)
        require_problem(await api.get(DASHBOARD), "storage-unavailable", place)


async def test_an_outage_costs_one_check_for_any_number_of_requests(place: Place, serve: Serve) -> None:
    async with serve(place.reading) as api:
        await api.get(DASHBOARD)
        break_storage(place, status=503)
        api.clock.advance(CHECK_INTERVAL_S)
        assert place.enterprise is not None
        place.enterprise.log.clear()
        await asyncio.gather(*(api.get(DASHBOARD) for _ in range(20)))
    # one check, which the client tries again after a status, and after a response that is late
    assert len(place.enterprise.log) <= Timeouts().tries_on_status + Timeouts().tries


async def test_missing_tables_are_a_503_that_says_not_set_up(empty: Place, serve: Serve) -> None:
    async with serve(empty.reading) as api:
        require_problem(await api.get(DASHBOARD), "storage-not-ready", empty)
        require_problem(await api.get("ready"), "storage-not-ready", empty)
        async with LanceDBStore.open(empty.writing) as store:
            await store.create_tables()
        api.clock.advance(CHECK_INTERVAL_S)
        assert (await api.get("ready")).status_code == 200


@pytest.mark.parametrize("path", JSON_PATHS)
async def test_empty_tables_are_an_empty_response(empty: Place, serve: Serve, path: str) -> None:
    async with LanceDBStore.open(empty.writing) as store:
        await store.create_tables()
    async with serve(empty.reading) as api:
        response = await api.get(path)
    assert response.status_code == 200
    assert response.json()["freshness"]["last_success_at"] is None
    assert response.json()["freshness"]["is_stale"]


@pytest.mark.parametrize("file", ["stats.csv", "stats.parquet", "metrics.csv", "history.parquet"])
async def test_an_empty_table_is_a_file_with_its_columns(empty: Place, serve: Serve, file: str) -> None:
    async with LanceDBStore.open(empty.writing) as store:
        await store.create_tables()
    async with serve(empty.reading) as api:
        response = await api.get(f"export/{file}")
    assert response.status_code == 200
    assert response.content


async def test_a_table_one_column_wider_is_read_as_before(folder: Place, serve: Serve) -> None:
    async with LanceDBStore.open(folder.writing) as store:
        await (await raw_table(store, STATS)).add_columns(pa.field("of_tomorrow", pa.string()))
    async with serve(folder.reading) as api:
        points = (await api.get(f"series/{PYTHON}?grain=day&from={LAST_DAY}")).json()["points"]
    assert points[0]["value"] == python_value(LAST_DAY)


@pytest.mark.parametrize(
    ("spec", "column", "paths"),
    [
        (METRICS, "value_kind", ["dashboard/weekly", "definitions", "status", f"badge/{PYTHON}.svg"]),
        (
            STATS,
            "status",
            [
                "dashboard/daily",
                f"series/{PYTHON}",
                "restatements",
                f"sparkline/{PYTHON}.svg",
                f"chart/{PYTHON}.svg",
            ],
        ),
        (HISTORY, "status", JSON_PATHS),
    ],
)
async def test_a_word_of_a_newer_version_is_a_503_that_names_it(
    folder: Place, serve: Serve, spec: AnyTable, column: str, paths: list[str]
) -> None:
    async with LanceDBStore.open(folder.writing) as store:
        await (await raw_table(store, spec)).update({column: "odd"})
    async with serve(folder.reading) as api:
        for path in paths:
            answer = await api.get(path)
            require_problem(answer, "storage-mismatch", folder)
            assert f"The table {spec.name} has a row with {column} 'odd'" in answer.json()["detail"]
        assert (await api.get("health")).status_code == 200
        assert b"odd" in (await api.get(f"export/{spec.name}.csv")).content


async def test_tables_with_other_columns_are_a_503_that_names_no_path(empty: Place, serve: Serve) -> None:
    async with LanceDBStore.open(empty.writing) as store:
        connection = await store._database.connection(may_create=True)
        await connection.create_table("history", schema=HISTORY.schema.remove(1))
        with pytest.raises(StorageSchemaMismatch, match="job_name is missing"):
            await store.create_tables()
    async with serve(empty.reading) as api:
        require_problem(await api.get(DASHBOARD), "storage-mismatch", empty)
        require_problem(await api.get("ready"), "storage-mismatch", empty)


async def test_200_clients_during_a_refresh_get_no_error_and_no_body_of_two_versions(
    empty: Place, serve: Serve
) -> None:
    """Every write adds the same to all days, so in a body of two versions the days would differ."""
    await support.fill(empty.writing)
    path = f"series/{PYTHON}?grain=day&from=2026-10-26&to=2026-11-19"
    async with serve(empty.reading) as api, LanceDBStore.open(empty.writing) as store:
        responses: list[httpx.Response] = []
        for plus in range(1, 4):
            refresh = support.refresh(store, support.days_of(PYTHON, plus=1_000 * plus))
            api.clock.advance(CHECK_INTERVAL_S)
            asked = (api.get(path) for _ in range(200))
            refreshing = asyncio.create_task(refresh)
            responses += await asyncio.gather(*asked)
            await refreshing
    assert {response.status_code for response in responses} == {200}
    assert len(responses) == 600
    for response in {response.content: response for response in responses}.values():
        points = response.json()["points"]
        moved = {point["value"] - python_value_of(point) for point in points}
        assert len(moved) == 1


def python_value_of(point: dict[str, str]) -> int:
    return python_value(date.fromisoformat(point["day"]))

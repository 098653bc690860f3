"""Exports of whole tables: a Parquet file is read in parts over HTTP, and nobody keeps an export."""

from __future__ import annotations

import io
import tempfile
from typing import TYPE_CHECKING

import httpx
import pyarrow.parquet
import pytest

from community_metrics.api.middleware.compression import CompressionMiddleware
from community_metrics.config import CHECK_INTERVAL_S
from community_metrics.storage import LanceDBStore
from tests.support import api as support
from tests.support.api import LAST_DAY, PAGE_ORIGIN, PYTHON

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

FILE = "export/stats.parquet"
FILES = [f"export/{table}.{kind}" for table in ("stats", "metrics", "history") for kind in ("csv", "parquet")]


async def test_a_parquet_file_has_a_length_and_a_tag_and_accepts_ranges(api: Api) -> None:
    answer = await api.get(FILE)
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"].startswith('"')


async def test_the_parts_of_a_parquet_file_make_the_whole(api: Api) -> None:
    whole = await api.get(FILE)
    pieces = []
    for start in range(0, len(whole.content), 10_000):
        part = await api.get(FILE, headers={"range": f"bytes={start}-{start + 9_999}"})
        end = min(start + 10_000, len(whole.content)) - 1
        assert (part.status_code, part.headers["etag"]) == (206, whole.headers["etag"])
        assert part.headers["content-range"] == f"bytes {start}-{end}/{len(whole.content)}"
        pieces.append(part.content)
    assert b"".join(pieces) == whole.content
    assert PYTHON in pyarrow.parquet.read_table(io.BytesIO(b"".join(pieces))).column("metric_id").to_pylist()


async def test_the_end_of_a_file_is_read_without_its_beginning(local_api: Api) -> None:
    part = await local_api.get(FILE, headers={"range": "bytes=-4"})
    assert (part.status_code, part.content) == (206, b"PAR1")


async def test_a_part_of_another_file_is_the_whole_of_this_one(local_api: Api) -> None:
    answer = await local_api.get(FILE, headers={"range": "bytes=0-3", "if-range": '"another"'})
    assert (answer.status_code, answer.content[-4:]) == (200, b"PAR1")


@pytest.mark.parametrize(
    ("range_", "status", "kind"),
    [
        ("bytes=999999999-", 416, "no-such-range"),
        ("bytes=5-2", 400, "bad-request"),
        ("bytes", 400, "bad-request"),
        ("rows=0-3", 400, "bad-request"),
    ],
)
async def test_a_range_that_the_file_does_not_have_is_a_problem(
    local_api: Api, range_: str, status: int, kind: str
) -> None:
    answer = await local_api.get(FILE, headers={"range": range_})
    assert (answer.status_code, answer.json()["type"].partition("#")[2]) == (status, kind)
    assert answer.headers["cache-control"] == "private, no-store"
    length = (await local_api.head(FILE)).headers["content-length"]
    assert answer.headers.get("content-range") == (f"bytes */{length}" if status == 416 else None)


async def test_a_page_may_read_a_range(local_api: Api) -> None:
    asked = {"access-control-request-method": "GET", "access-control-request-headers": "range"}
    preflight = await local_api.client.options(f"/api/v1/{FILE}", headers={"origin": PAGE_ORIGIN, **asked})
    assert preflight.status_code == 200
    answer = await local_api.get(FILE, headers={"origin": PAGE_ORIGIN, "range": "bytes=0-3"})
    assert "Content-Range" in answer.headers["access-control-expose-headers"]


async def test_a_file_is_kept_until_a_run_closes_and_then_deleted(
    folder: Place, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    async with serve(folder.reading) as api:
        first, again = await api.get(FILE), await api.get(FILE)
        kept = parquet_files(tmp_path)
        async with LanceDBStore.open(folder.writing) as store:
            await support.refresh(store, support.days_of(PYTHON, LAST_DAY, plus=7))
        api.clock.advance(CHECK_INTERVAL_S)
        after = await api.get(FILE)
    assert (len(kept), again.headers["etag"]) == (1, first.headers["etag"])
    assert after.headers["etag"] != first.headers["etag"]
    assert (len(parquet_files(tmp_path)), parquet_files(tmp_path) & kept) == (1, set())


@pytest.mark.parametrize("path", FILES)
async def test_no_cache_may_keep_an_export(local_api: Api, path: str) -> None:
    for answer in (await local_api.get(path), await local_api.head(path)):
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")


async def test_no_cache_may_keep_a_part_of_an_export(local_api: Api) -> None:
    answer = await local_api.get(FILE, headers={"range": "bytes=0-3"})
    assert (answer.status_code, answer.headers["cache-control"]) == (206, "private, no-store")


@pytest.mark.parametrize(
    ("accept_encoding", "encoding"),
    [
        (None, None),
        ("", None),
        ("gzip", "gzip"),
        ("br, gzip;q=0.5", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0", None),
        ("gzip; q=0.000, br", None),
        ("*;q=0", None),
        ("gzip;q=0, *", None),
        ("notgzip", None),
        ("identity", None),
    ],
)
async def test_only_a_client_that_accepts_gzip_gets_it(
    local_api: Api, accept_encoding: str | None, encoding: str | None
) -> None:
    async with compressed(local_api) as client:
        del client.headers["accept-encoding"]
        headers = {} if accept_encoding is None else {"accept-encoding": accept_encoding}
        for path in ("definitions", "export/stats.csv"):
            answer = await client.get(f"/api/v1/{path}", headers=headers)
            assert answer.headers.get("content-encoding") == encoding
            assert "Accept-Encoding" in answer.headers["vary"]


async def test_a_parquet_file_is_not_compressed_again(local_api: Api) -> None:
    async with compressed(local_api) as client:
        answer = await client.get(f"/api/v1/{FILE}", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("accept_encoding", ["gzip", "identity"])
@pytest.mark.parametrize(
    "path",
    ["health", "definitions", "series/nothing", "docs", "openapi.json", f"badge/{PYTHON}.svg", *FILES],
)
async def test_head_has_every_header_of_get_also_when_it_is_compressed(
    local_api: Api, path: str, accept_encoding: str
) -> None:
    request = {"accept-encoding": accept_encoding, "x-request-id": "same"}
    async with compressed(local_api) as client:
        await client.get(f"/api/v1/{path}", headers=request)  # the same outcome of the cache for both
        get = await client.get(f"/api/v1/{path}", headers=request)
        head = await client.head(f"/api/v1/{path}", headers=request)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert sorted(head.headers.multi_items()) == sorted(get.headers.multi_items())


def parquet_files(folder: Path) -> set[Path]:
    return set(folder.glob("*.parquet"))


def compressed(api: Api) -> httpx.AsyncClient:
    """Return a client of the API as `community-metrics serve` has it."""
    transport = httpx.ASGITransport(CompressionMiddleware(api.app))
    return httpx.AsyncClient(transport=transport, base_url="http://api.test")

"""A response that fails after it has started: the connection is closed, and the error is logged once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
import structlog
from mangum import Mangum

from community_metrics.api.app import create_app
from community_metrics.api.cache.database import ReadDatabase
from community_metrics.api.middleware.errors import ErrorMiddleware
from community_metrics.api.middleware.request_context import RequestContextMiddleware
from community_metrics.api.middleware.request_log import log_to_structlog
from community_metrics.errors import StorageUnavailable
from community_metrics.storage import LanceDBReader
from tests.support.clock import FakeClock
from tests.support.lambda_runtime import http_event, loop_of_mangum
from tests.support.servers import served

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence

    import pyarrow as pa
    from starlette.types import Receive, Scope, Send

    from tests.support.api import Place


async def fails_midway(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/csv")]})
    await send({"type": "http.response.body", "body": b"half a file", "more_body": True})
    raise OSError("the disk is gone")


APP = RequestContextMiddleware(ErrorMiddleware(fails_midway), FakeClock(), log_to_structlog)


def test_an_aborted_response_does_not_end_like_a_complete_one() -> None:
    with served(APP) as url, pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        httpx.get(url, trust_env=False)


class BreakingReader(LanceDBReader):
    """Loses storage after the first batch of a table."""

    async def scan(
        self, table: str, *, columns: Sequence[str] | None = None, where: str | None = None
    ) -> AsyncGenerator[pa.RecordBatch, None]:
        async for batch in super().scan(table, columns=columns, where=where):
            yield batch
            raise StorageUnavailable("LanceDB became unavailable.")


@pytest.fixture
def breaking(filled_local: Place) -> Iterator[str]:
    settings = filled_local.reading
    app = create_app(settings, database=ReadDatabase(settings, reader_type=BreakingReader))
    with served(app) as url:
        yield url


def test_a_streamed_export_is_aborted_when_storage_fails_midway(breaking: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        # on a busy machine the log, which is written first, takes longer than httpx's default timeout
        httpx.get(f"{breaking}/api/v1/export/stats.csv", trust_env=False, timeout=60)


def test_an_export_that_is_a_file_is_not_begun_when_storage_fails_midway(breaking: str) -> None:
    response = httpx.get(f"{breaking}/api/v1/export/stats.parquet", trust_env=False, timeout=60)
    assert (response.status_code, response.json()["title"]) == (503, "Database unavailable")


@pytest.fixture
def in_lambda() -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    """Handle one event."""
    with loop_of_mangum():
        adapter = Mangum(APP, lifespan="off")
        yield lambda event: adapter(event, None)  # type: ignore[arg-type]  # Mangum only hands the context on


def test_in_lambda_an_aborted_response_is_a_plain_500(
    in_lambda: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    result = in_lambda(http_event("/api/v1/export/stats.csv"))
    assert (result["statusCode"], result["body"]) == (500, "Internal Server Error")


def test_the_error_is_logged_once(
    in_lambda: Callable[[dict[str, Any]], dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    with structlog.testing.capture_logs() as lines:
        in_lambda(http_event("/x", headers={"x-request-id": "a-1"}))
    (line,) = [line for line in lines if line["event"] == "request failed"]
    assert (line["request_id"], line["log_level"]) == ("a-1", "error")
    assert "the disk is gone" not in caplog.text
    assert "The response to request a-1 was aborted" in caplog.text

"""What fails after the head of an answer: the connection breaks, and the log says why, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
import structlog
from mangum import Mangum

from community_metrics.api.middleware.edge import Edge
from community_metrics.api.middleware.last_resort import LastResort
from community_metrics.api.middleware.request_line import through_structlog
from tests.support.clock import FakeClock
from tests.support.lambda_runtime import http_event
from tests.support.servers import served

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


async def breaks_midway(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/csv")]})
    await send({"type": "http.response.body", "body": b"half a file", "more_body": True})
    raise OSError("the disk is gone")


APP = Edge(LastResort(breaks_midway), FakeClock(), through_structlog)


def test_a_cut_off_answer_never_ends_like_a_whole_one() -> None:
    with served(APP) as url, pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        httpx.get(url, trust_env=False)


def test_in_lambda_it_is_a_plain_500() -> None:
    adapter = Mangum(APP, lifespan="off")
    told = adapter(http_event("/api/v1/export/stats.csv"), None)  # type: ignore[arg-type]  # Mangum reads none
    assert (told["statusCode"], told["body"]) == (500, "Internal Server Error")


def test_the_log_says_the_reason_once(caplog: pytest.LogCaptureFixture) -> None:
    adapter = Mangum(APP, lifespan="off")
    with structlog.testing.capture_logs() as lines:
        adapter(http_event("/x", headers={"x-request-id": "a-1"}), None)  # type: ignore[arg-type]  # likewise
    (line,) = [line for line in lines if line["event"] == "request failed"]
    assert (line["request_id"], line["log_level"]) == ("a-1", "error")
    assert "the disk is gone" not in caplog.text
    assert "The answer to request a-1 broke off" in caplog.text

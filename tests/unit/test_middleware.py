"""Each layer before the routes, around an application whose response is spelled out."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
import structlog

from community_metrics.api.context import PARQUET
from community_metrics.api.middleware.compression import CompressionMiddleware
from community_metrics.api.middleware.errors import ErrorMiddleware, ResponseAborted
from community_metrics.api.middleware.head import WITHOUT_BODY, HeadAsGet
from community_metrics.api.middleware.request_context import RequestContextMiddleware
from community_metrics.api.middleware.request_log import (
    LoggedRequest,
    log_as_json,
    log_nothing,
    log_to_structlog,
    request_logger,
)
from community_metrics.api.middleware.state import KEY, RequestState, request_state
from community_metrics.config import Settings
from tests.support.asgi import Headers, Responds, Sent, http, requested
from tests.support.clock import NOON, FakeClock

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from starlette.types import ASGIApp, Receive, Scope, Send

LONG = b'{"points": []}' * 100
JSON: Headers = [(b"content-type", b"application/json")]
TAG = (b"etag", b'"a"')
TAGGED: Headers = [*JSON, TAG]
STRICT = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


class TestCompression:
    @pytest.mark.parametrize(
        ("accepted", "response", "is_compressed", "etag"),
        [
            ("gzip", Responds(200, TAGGED, LONG), True, 'W/"a"'),
            ("br, GZIP;q=0.5", Responds(200, TAGGED, LONG), True, 'W/"a"'),
            ("gzip", Responds(200, [*JSON, (b"etag", b'W/"a"')], LONG), True, 'W/"a"'),
            ("gzip", Responds(200, JSON, LONG), True, None),
            ("gzip;q=0", Responds(200, TAGGED, LONG), False, '"a"'),
            (None, Responds(200, TAGGED, LONG), False, '"a"'),
            ("gzip", Responds(200, TAGGED, b"short"), False, '"a"'),
            ("gzip", Responds(200, [(b"content-type", PARQUET.encode()), TAG], LONG), False, '"a"'),
            ("gzip", Responds(200, [(b"content-type", b"application/gzip"), TAG], LONG), False, '"a"'),
            ("gzip", Responds(304, [TAG], b""), False, 'W/"a"'),
            ("gzip;q=0", Responds(304, [TAG], b""), False, '"a"'),
            (None, Responds(304, [TAG], b""), False, '"a"'),
        ],
    )
    async def test_the_tag_is_weak_where_the_body_of_the_200_is_compressed(
        self, accepted: str | None, response: Responds, is_compressed: bool, etag: str | None
    ) -> None:
        sent = await requested(CompressionMiddleware(response), http(accept_encoding=accepted))
        encoding = "gzip" if is_compressed else None
        assert (sent.header("content-encoding"), sent.header("etag")) == (encoding, etag)
        assert (gzip.decompress(sent.body) if is_compressed else sent.body) == response.body

    @pytest.mark.parametrize("accepted", ["gzip", "gzip;q=0", "identity"])
    async def test_a_304_varies_by_encoding_as_its_200_does(self, accepted: str) -> None:
        app = CompressionMiddleware(Responds(304, [(b"etag", b'"a"'), (b"vary", b"Origin")], b""))
        sent = await requested(app, http(accept_encoding=accepted))
        assert set((sent.header("vary") or "").split(", ")) == {"Origin", "Accept-Encoding"}

    async def test_the_routes_receive_every_other_header_and_gzip_only_if_accepted(self) -> None:
        inner = Responds(headers=JSON)
        for accepted in ("x-gzip;q=0.1", "gzip;q=0", "br"):
            await requested(CompressionMiddleware(inner), http(accept="text/csv", accept_encoding=accepted))
        accept = (b"accept", b"text/csv")
        assert [scope["headers"] for scope in inner.scopes] == [
            [accept, (b"accept-encoding", b"gzip")],
            [accept],
            [accept],
        ]

    async def test_head_of_a_compressed_body_has_its_headers_and_no_body(self) -> None:
        app = CompressionMiddleware(Responds(headers=[*JSON, (b"etag", b'"a"')], body=LONG))
        get = await requested(app, http(accept_encoding="gzip"))
        head = await requested(app, http(method="HEAD", accept_encoding="gzip"))
        assert (head.headers, head.body) == (get.headers, b"")

    @pytest.mark.parametrize("layer", [CompressionMiddleware, HeadAsGet])
    async def test_what_is_no_request_passes_unchanged(self, layer: type[Any]) -> None:
        inner = Responds()
        scope = {"type": "lifespan"}
        sent = await requested(layer(inner), scope)
        assert (inner.scopes, sent.body) == ([scope], b"hello")


class TestHead:
    async def test_the_routes_handle_head_as_a_get_whose_body_is_dropped(self) -> None:
        inner = Responds(headers=[(b"content-length", b"5")])
        sent = await requested(HeadAsGet(inner), http(method="HEAD", accept="text/csv"))
        assert inner.scopes == [{**http(accept="text/csv"), WITHOUT_BODY: True}]
        assert (sent.status, sent.header("content-length"), sent.body) == (200, "5", b"")
        assert [message["type"] for message in sent.messages] == [
            "http.response.start",
            "http.response.body",
        ]

    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_any_other_method_keeps_its_body(self, method: str) -> None:
        inner = Responds()
        sent = await requested(HeadAsGet(inner), http(method=method))
        assert (inner.scopes, sent.body) == ([http(method=method)], b"hello")


def fails(*, status: int = 0) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.request"
        if status:
            await send({"type": "http.response.start", "status": status, "headers": []})
            request_state(scope).status = status
        raise OSError("a secret")

    return app


class TestErrors:
    def scope(self) -> dict[str, Any]:
        return {**http("/api/v1/x"), KEY: RequestState("a-1")}

    async def test_an_error_before_the_response_is_a_500_with_the_request_id_alone(self) -> None:
        sent = await requested(ErrorMiddleware(fails()), self.scope())
        body = json.loads(sent.body)
        assert (sent.status, body["request_id"], body["instance"]) == (500, "a-1", "/api/v1/x")
        assert b"a secret" not in sent.body

    async def test_an_error_after_a_500_of_the_routes_adds_nothing(self) -> None:
        sent = await requested(ErrorMiddleware(fails(status=500)), self.scope())
        assert [message["type"] for message in sent.messages] == ["http.response.start"]

    async def test_an_error_in_any_other_response_aborts_it_without_the_cause(self) -> None:
        with pytest.raises(ResponseAborted, match="The response to request a-1 was aborted") as raised:
            await requested(ErrorMiddleware(fails(status=200)), self.scope())
        assert (raised.value.__cause__, raised.value.__suppress_context__) == (None, True)

    async def test_an_error_is_logged_once_with_its_request_and_its_trace(self) -> None:
        with structlog.testing.capture_logs() as lines:
            await requested(ErrorMiddleware(fails()), self.scope())
        assert lines == [
            {
                "event": "request failed",
                "request_id": "a-1",
                "path": "/api/v1/x",
                "log_level": "error",
                "exc_info": True,
            }
        ]

    async def test_a_response_without_an_error_passes(self) -> None:
        inner = Responds()
        sent = await requested(ErrorMiddleware(inner), self.scope())
        assert (sent.body, inner.scopes) == (b"hello", [self.scope()])


class TestRequestContext:
    async def logged(
        self, scope: dict[str, Any], app: ASGIApp | None = None, sent: Sent | None = None
    ) -> tuple[Sent, list[tuple[LoggedRequest, datetime]]]:
        """Return the response, and what was logged; the request takes 12.3456 ms."""
        clock, lines = FakeClock(), list[tuple[LoggedRequest, "datetime"]]()

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            clock.advance(0.0123456)
            request_state(scope).cache = "hit"
            await (app or Responds())(scope, receive, send)

        layer = RequestContextMiddleware(slow, clock, lambda line, at: lines.append((line, at)))
        found = sent or Sent()
        try:
            await requested(layer, scope, found)
        except OSError:
            assert app is not None
        assert [at for _, at in lines] == [clock.now()]
        return found, lines

    async def test_a_request_is_logged_with_its_method_path_status_time_and_cache(self) -> None:
        scope = http("/api/v1/x", x_request_id="a-1", authorization="secret")
        scope["query_string"] = b"secret=1"
        _, [(line, _)] = await self.logged(scope)
        assert line == LoggedRequest("a-1", "GET", "/api/v1/x", 200, 12.35, "hit")

    async def test_a_head_request_is_logged_as_one_though_the_routes_see_get(self) -> None:
        _, [(line, _)] = await self.logged({**http(), WITHOUT_BODY: True})
        assert line.method == "HEAD"

    async def test_a_request_without_a_response_is_logged_with_status_0(self) -> None:
        _, [(line, _)] = await self.logged(http(x_request_id="a-1"), fails())
        assert (line.request_id, line.status) == ("a-1", 0)

    async def test_a_response_keeps_its_headers_and_gets_those_for_security(self) -> None:
        sent, _ = await self.logged(http(x_request_id="a-1"), Responds(404, JSON))
        assert (sent.status, sent.body) == (404, b"hello")
        assert {key.decode(): value.decode() for key, value in sent.headers} == {
            "content-type": "application/json",
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "x-request-id": "a-1",
            "content-security-policy": STRICT,
        }

    async def test_a_response_with_a_policy_of_its_own_keeps_it(self) -> None:
        own = (b"content-security-policy", b"default-src 'self'")
        sent, _ = await self.logged(http(), Responds(headers=[own]))
        assert sent.header("content-security-policy") == "default-src 'self'"

    @pytest.mark.parametrize("given", [None, "", "a b", "a" * 129, "ü"])
    async def test_a_request_without_a_valid_id_gets_a_new_one_of_128_bits(self, given: str | None) -> None:
        ids = set()
        for _ in range(2):
            sent, [(line, _)] = await self.logged(http(x_request_id=given))
            assert sent.header("x-request-id") == line.request_id
            ids.add(line.request_id)
        assert len(ids) == 2
        assert {len(one) for one in ids} == {32}
        assert all(0 <= int(one, 16) < 2**128 for one in ids)

    @pytest.mark.parametrize("given", ["a", "a" * 128, "Az09._-"])
    async def test_a_valid_id_is_kept(self, given: str) -> None:
        sent, _ = await self.logged(http(x_request_id=given))
        assert sent.header("x-request-id") == given


class TestLog:
    @pytest.mark.parametrize(
        ("level", "log_format", "is_terminal", "logger"),
        [
            ("DEBUG", None, False, log_as_json),
            ("INFO", None, False, log_as_json),
            ("INFO", None, True, log_to_structlog),
            ("INFO", "json", True, log_as_json),
            ("INFO", "console", False, log_to_structlog),
            ("WARNING", "json", False, log_nothing),
            ("ERROR", None, True, log_nothing),
        ],
    )
    def test_the_settings_choose_how_requests_are_logged(
        self, level: str, log_format: str | None, is_terminal: bool, logger: object
    ) -> None:
        settings = Settings.model_validate({"log_level": level, "log_format": log_format})
        assert request_logger(settings, is_terminal=is_terminal) is logger

    def test_a_console_line_has_every_field(self) -> None:
        with structlog.testing.capture_logs() as lines:
            log_to_structlog(LoggedRequest("a-1", "GET", "/x", 200, 0.25, "hit"), NOON)
        assert lines == [
            {
                "event": "request",
                "log_level": "info",
                "request_id": "a-1",
                "method": "GET",
                "path": "/x",
                "status": 200,
                "ms": 0.25,
                "cache": "hit",
            }
        ]

    def test_a_json_line_has_every_field(self, capsys: pytest.CaptureFixture[str]) -> None:
        log_as_json(LoggedRequest("a-1", "GET", '/"\n', 200, 0.25, "hit"), NOON)
        (line,) = capsys.readouterr().err.splitlines()
        assert json.loads(line) == {
            "event": "request",
            "level": "info",
            "logger": "community_metrics.api",
            "timestamp": "2026-11-23T12:00:00Z",
            "request_id": "a-1",
            "method": "GET",
            "path": '/"\n',
            "status": 200,
            "ms": 0.25,
            "cache": "hit",
        }

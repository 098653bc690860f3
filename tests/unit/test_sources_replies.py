from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.errors import (
    SourceDenied,
    SourceError,
    SourceRateLimited,
    SourceShapeError,
    TransientSourceError,
    UnknownSubject,
)
from community_metrics.sources.client.hosts import CRATES, GITHUB, NPM, RegistryHost
from community_metrics.sources.client.replies import Reply, date_of, parse, refusal, required_wait_s
from community_metrics.sources.schemas import Count, Day, ResponseModel
from tests.support.clock import NOON

if TYPE_CHECKING:
    from datetime import datetime

JSON = {"content-type": "application/json; charset=utf-8"}
RESET = str(int(NOON.timestamp()) + 1200)
header_text = st.text(st.characters(max_codepoint=255), max_size=40)


class Row(ResponseModel):
    day: Day
    downloads: Count


def reply(
    status: int = 200, headers: dict[str, str] | None = None, body: bytes = b"{}", host: RegistryHost = GITHUB
) -> Reply:
    return Reply(
        host,
        "github",
        "a/b",
        f"{host.public_origin}/x",
        "/x",
        status,
        JSON | (headers or {}),
        body,
        NOON,
        host.public_origin,
    )


@given(header_text, header_text)
def test_no_header_breaks_us_and_no_wait_is_negative(after: str, reset: str) -> None:
    headers = {"retry-after": after, "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    wait = required_wait_s(reply(429, headers))
    assert wait is None or (wait >= 0 and math.isfinite(wait))


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "30", "x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET}, 30),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:45 GMT"}, 45),
        ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET}, 1200),
        ({"x-ratelimit-remaining": "9", "x-ratelimit-reset": RESET}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 20 Nov 9999999999 12:00:00 GMT"}, None),
        ({"retry-after": "Mon, 20 Nov 2026 12:00:00 +99999999999999999999"}, None),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 365 * 86_400),
        ({}, None),
    ],
)
def test_waits_are_read_in_githubs_order(headers: dict[str, str], wait_s: float | None) -> None:
    assert required_wait_s(reply(403, headers)) == wait_s


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET}), SourceRateLimited),
        (reply(403, {"retry-after": "60"}), SourceRateLimited),
        (reply(403, body=b'{"message": "You have exceeded a secondary rate limit."}'), SourceRateLimited),
        (reply(403, body=b'{"message": "Resource not accessible by integration"}'), SourceDenied),
        (reply(429), SourceRateLimited),
        (reply(401), SourceDenied),
        (reply(404), UnknownSubject),
        (reply(410), UnknownSubject),
        (reply(503), TransientSourceError),
        (reply(403, {"content-type": "text/html"}, host=NPM), SourceRateLimited),
        (reply(403, {"content-type": "text/html"}, host=CRATES), SourceDenied),
    ],
)
def test_each_refusal_has_its_class(answer: Reply, error: type[SourceError]) -> None:
    assert type(refusal(answer)) is error


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "the repository is gone, private, or not shown to this token. Fix: correct the subject"),
        (410, "it existed and was removed. Fix: set active = false"),
        (451, "the registry withholds it for legal reasons. Fix: set active = false"),
    ],
)
def test_each_way_to_be_absent_has_its_words(status: int, words: str) -> None:
    assert words in str(refusal(reply(status)))


def test_an_error_names_the_address_that_answered() -> None:
    answer = replace(reply(503, host=NPM), origin="http://127.0.0.1:8900")
    error = refusal(answer)
    assert error is not None
    assert error.url == "http://127.0.0.1:8900/x"
    assert error.message.startswith("127.0.0.1:8900 returned 503: ")
    assert error.message.endswith("(CM_SOURCE_URL_NPM sets this address)")
    assert answer.public_url == f"{NPM.public_origin}/x"


def test_a_byte_order_mark_before_json_is_no_part_of_it() -> None:
    body = b'\xef\xbb\xbf{"downloads": 7, "day": "2026-11-22"}'
    assert parse(reply(body=body), Row).downloads == 7


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ({"date": "Mon, 23 Nov 2026 12:00:00 GMT"}, NOON),
        ({"date": "Mon, 23 Nov 2026 11:00:00 GMT", "age": "3600"}, NOON),
        ({"date": "Mon, 23 Nov 2026 12:00:00 GMT", "age": "old"}, NOON),
        ({"date": "Mon, 23 Nov 2026 14:00:00 +0200"}, NOON),
        ({"date": "Fri, 31 Dec 9999 23:59:59 GMT", "age": "3600"}, None),
        ({"date": "yesterday"}, None),
        ({}, None),
    ],
)
def test_a_cached_response_was_sent_by_its_date_and_age(
    headers: dict[str, str], sent: datetime | None
) -> None:
    assert date_of(headers) == sent


@given(header_text, header_text)
def test_no_date_header_breaks_us(date: str, age: str) -> None:
    date_of({"date": date, "age": age})


def test_json_of_any_kind_is_read() -> None:
    assert refusal(reply(headers={"content-type": "application/vnd.github+json"})) is None


@pytest.mark.parametrize(
    ("downloads", "day"),
    [
        (-1, "2026-11-22"),
        (1.5, "2026-11-22"),
        ("7", "2026-11-22"),
        (True, "2026-11-22"),
        (None, "2026-11-22"),
        (10**13 + 1, "2026-11-22"),
        (2**63, "2026-11-22"),
        (7, "2026-11-31"),
        (7, "1795305600"),
        (7, 1795305600),
        (7, "2026-11-22T00:00:00"),
    ],
)
def test_a_value_of_another_shape_is_refused_by_name(downloads: Any, day: Any) -> None:
    body = json.dumps({"downloads": downloads, "day": day}).encode()
    with pytest.raises(SourceShapeError, match=r"github a/b: .*nothing of it was stored: (downloads|day): "):
        parse(reply(body=body), Row)


def test_keys_that_registries_add_do_no_harm() -> None:
    body = b'{"downloads": 7, "day": "2026-11-22", "new": [1]}'
    assert parse(reply(body=body), Row).downloads == 7


@given(st.integers(1, 40))
def test_json_cut_short_is_worth_another_try(length: int) -> None:
    with pytest.raises(TransientSourceError, match="cut short or broken"):
        parse(reply(body=b'{"downloads": 7, "day": "2026-11-22", "x": 1}'[:length]), Row)

"""Which requests pass with a bearer token, and that no cache keeps what one unlocked."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from community_metrics.api.context import as_team, viewer_of
from community_metrics.api.middleware.tokens import BearerTokens, new_token, token_hash
from community_metrics.model import Visibility
from tests.support.asgi import Responds, http, requested

HASHES = [token_hash("first"), token_hash("second")]


def guarded(inner: Responds, *, public_read: bool = False) -> BearerTokens:
    return BearerTokens(inner, HASHES, public_read=public_read)


@pytest.mark.parametrize(
    ("authorization", "passes"),
    [
        ("Bearer first", True),
        ("Bearer second", True),
        ("bearer first", True),
        ("BEARER  first ", True),
        ("Bearer third", False),
        ("Bearer first second", False),
        ("Bearer", False),
        ("Bearer ", False),
        ("Basic first", False),
        ("first", False),
        (f"Bearer {HASHES[0]}", False),
        (None, False),
    ],
)
async def test_a_request_passes_with_an_accepted_token_alone(authorization: str | None, passes: bool) -> None:
    inner = Responds()
    scope = http("/api/v1/x", authorization=authorization)
    sent = await requested(guarded(inner), scope)
    assert (sent.status, inner.scopes) == ((200, [as_team(scope)]) if passes else (401, []))


@pytest.mark.parametrize(
    ("authorization", "viewer"),
    [
        (None, Visibility.PUBLIC),
        ("Basic of-a-proxy", Visibility.PUBLIC),
        ("Bearer first", Visibility.TEAM),
        ("Bearer third", None),
        ("Bearer", None),
    ],
)
async def test_with_public_reading_only_a_wrong_token_is_rejected(
    authorization: str | None, viewer: Visibility | None
) -> None:
    inner = Responds()
    sent = await requested(guarded(inner, public_read=True), http("/api/v1/x", authorization=authorization))
    assert [viewer_of(scope) for scope in inner.scopes] == ([] if viewer is None else [viewer])
    assert sent.status == (401 if viewer is None else 200)


@pytest.mark.parametrize(("own", "both"), [(None, "Authorization"), ("Origin", "Origin, Authorization")])
async def test_what_everybody_may_read_varies_by_token_where_there_are_tokens(
    own: str | None, both: str
) -> None:
    inner = Responds(headers=[] if own is None else [(b"vary", own.encode())])
    sent = await requested(guarded(inner, public_read=True), http("/api/v1/x"))
    assert [value for name, value in sent.headers if name == b"vary"] == [both.encode()]


async def test_a_token_whose_hash_is_listed_twice_passes() -> None:
    app = BearerTokens(Responds(), [HASHES[0], HASHES[0]], public_read=False)
    assert (await requested(app, http(authorization="Bearer first"))).status == 200


async def test_a_rejected_request_states_how_to_send_a_token() -> None:
    sent = await requested(guarded(Responds()), http("/api/v1/x"))
    body = json.loads(sent.body)
    assert body["type"].endswith("#token-required")
    assert (body["detail"], body["instance"]) == (
        "Send a token of this service as `Authorization: Bearer <token>`.",
        "/api/v1/x",
    )
    assert sent.header("www-authenticate") == 'Bearer realm="community-metrics"'
    assert sent.header("cache-control") == "private, no-store"


async def test_no_cache_keeps_what_needed_a_token_and_every_other_header_stays() -> None:
    inner = Responds(headers=[(b"cache-control", b"public, max-age=60"), (b"etag", b'"a"')])
    sent = await requested(guarded(inner), http(authorization="Bearer first"))
    assert sent.headers == [(b"etag", b'"a"'), (b"cache-control", b"private, no-store")]
    assert sent.body == b"hello"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/health", 200), ("/api/v1/health/", 401), ("/api/v1/Health", 401), ("/health", 401)],
)
async def test_health_alone_needs_no_token_and_may_be_cached(path: str, status: int) -> None:
    inner = Responds(headers=[(b"cache-control", b"public, max-age=5")])
    sent = await requested(guarded(inner), http(path))
    assert sent.status == status
    assert (sent.header("cache-control") == "public, max-age=5") is (status == 200)
    assert inner.scopes == ([http(path)] if status == 200 else [])


def test_a_token_has_256_random_bits_and_a_prefix_that_scanners_know() -> None:
    tokens = {new_token() for _ in range(3)}
    assert len(tokens) == 3
    assert all(re.fullmatch(r"cmt_[A-Za-z0-9_-]{43}", token) for token in tokens)


@pytest.mark.parametrize("token", ["cmt_x", b"cmt_x"])
def test_the_hash_of_a_token_is_sha_256(token: str | bytes) -> None:
    assert token_hash(token) == hashlib.sha256(b"cmt_x").hexdigest()

"""Bearer tokens: without one there is no data, and no response to one is cached."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from community_metrics.api.middleware.tokens import new_token, token_hash
from tests.support.api import PYTHON

if TYPE_CHECKING:
    from tests.support.api import Api


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Bearer", "Basic {token}", "Bearer {token}x", ""])
async def test_a_request_without_a_valid_token_gets_a_401(
    guarded: tuple[Api, str], given: str | None
) -> None:
    api, token = guarded
    headers = {} if given is None else {"authorization": given.format(token=token)}
    for path in ("status", "ready", "docs", "openapi.json", "export/stats.csv", f"badge/{PYTHON}.svg"):
        response = await api.get(path, headers=headers)
        assert (response.status_code, response.headers["www-authenticate"]) == (
            401,
            'Bearer realm="community-metrics"',
        )
        assert response.headers["cache-control"] == "private, no-store"


async def test_a_response_to_a_token_is_not_cached(guarded: tuple[Api, str]) -> None:
    api, token = guarded
    headers = {"authorization": f"Bearer {token}"}
    for _ in range(2):
        response = await api.get("status", headers=headers)
        assert (response.status_code, response.headers["cache-control"]) == (200, "private, no-store")
    again = await api.get("status", headers={**headers, "if-none-match": response.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"]) == (304, "private, no-store")


@pytest.mark.parametrize(
    "path",
    [
        "ready",
        "docs",
        "docs/start.js",
        "docs/assets/favicon.png",
        "openapi.json",
        "export/metrics.csv",
        "nothing",
    ],
)
async def test_no_route_allows_caching_of_a_response_to_a_token(guarded: tuple[Api, str], path: str) -> None:
    response = await guarded[0].get(path, headers={"authorization": f"Bearer {guarded[1]}"})
    assert response.headers.get_list("cache-control") == ["private, no-store"]


async def test_health_needs_no_token(guarded: tuple[Api, str]) -> None:
    assert (await guarded[0].get("health")).status_code == 200


def test_each_token_is_new_and_its_hash_is_sha_256() -> None:
    token = new_token()
    assert token != new_token()
    assert token_hash(token) == hashlib.sha256(token.encode()).hexdigest()

"""Which pages may read the API: exactly those of `CM_CORS_ORIGINS`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from community_metrics.api.app import create_app
from community_metrics.config import Settings, StorageMode
from community_metrics.errors import ConfigurationError
from tests.support.api import PAGE_ORIGIN, require_security_headers

if TYPE_CHECKING:
    from tests.support.api import Api


async def test_an_allowed_page_may_read_a_hit_and_a_304(local_api: Api) -> None:
    origin = {"origin": PAGE_ORIGIN}
    first = await local_api.get("status", headers=origin)
    again = await local_api.get("status", headers={**origin, "if-none-match": first.headers["etag"]})
    for answer in (first, again):
        assert answer.headers["access-control-allow-origin"] == PAGE_ORIGIN
        assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [
        "https://elsewhere.example",
        "http://metrics.example.org",
        "https://metrics.example.org:8443",
        "https://metrics.example.org.elsewhere.example",
        "https://a.metrics.example.org",
        "https://METRICS.example.org",
        "null",
        "*",
    ],
)
async def test_a_page_of_any_other_origin_may_not_read(local_api: Api, origin: str) -> None:
    answer = await local_api.get("status", headers={"origin": origin})
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"] == "Origin"


async def test_no_response_may_be_read_with_credentials(local_api: Api) -> None:
    answer = await local_api.get("status", headers={"origin": PAGE_ORIGIN})
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_response_to_no_origin_still_varies_by_origin(local_api: Api) -> None:
    answer = await local_api.get("status")
    assert answer.headers["vary"] == "Origin"


async def test_a_page_may_read_the_headers_that_it_needs(local_api: Api) -> None:
    answer = await local_api.get("status", headers={"origin": PAGE_ORIGIN})
    readable = answer.headers["access-control-expose-headers"].split(", ")
    assert {"ETag", "Age", "Retry-After", "X-Data-Stale", "X-Request-ID"} <= set(readable)


def preflight(origin: str, method: str) -> dict[str, str]:
    return {"origin": origin, "access-control-request-method": method}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_an_allowed_page_may_use_get_and_head(local_api: Api, method: str) -> None:
    answer = await local_api.client.options("/api/v1/status", headers=preflight(PAGE_ORIGIN, method))
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("origin", "method", "headers"),
    [
        (PAGE_ORIGIN, "DELETE", None),
        ("https://elsewhere.example", "GET", None),
        (PAGE_ORIGIN, "GET", "Authorization, X-Mine"),
        ("https://elsewhere.example", "PUT", "x-a,x-b"),
    ],
)
async def test_any_other_preflight_is_rejected(
    local_api: Api, origin: str, method: str, headers: str | None
) -> None:
    asked = preflight(origin, method)
    if headers is not None:
        asked["access-control-request-headers"] = headers
    answer = await local_api.client.options("/api/v1/status", headers=asked)
    assert answer.status_code == 400
    assert answer.headers.get("access-control-allow-origin") in {None, PAGE_ORIGIN}
    require_security_headers(answer)


async def test_a_preflight_into_a_private_network_is_rejected(local_api: Api) -> None:
    asked = preflight(PAGE_ORIGIN, "GET") | {"access-control-request-private-network": "true"}
    answer = await local_api.client.options("/api/v1/status", headers=asked)
    assert answer.status_code == 400
    assert "access-control-allow-private-network" not in answer.headers


def test_enterprise_mode_requires_origins() -> None:
    settings = Settings(
        _env_file=None, storage_mode=StorageMode.ENTERPRISE, lancedb_uri="db://x", lancedb_api_key="k"
    )
    with pytest.raises(ConfigurationError, match="CM_CORS_ORIGINS"):
        create_app(settings)

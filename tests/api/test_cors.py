"""Which pages may read the API: exactly those of `CM_CORS_ORIGINS`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.api import PAGE_ORIGIN, require_security_headers

if TYPE_CHECKING:
    from tests.support.api import Api


async def test_an_allowed_page_may_read_a_hit_and_a_304(local_api: Api) -> None:
    origin = {"origin": PAGE_ORIGIN}
    first = await local_api.get("status", headers=origin)
    again = await local_api.get("status", headers={**origin, "if-none-match": first.headers["etag"]})
    for response in (first, again):
        assert response.headers["access-control-allow-origin"] == PAGE_ORIGIN
        assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [
        "https://elsewhere.example",
        "http://metrics.example.org",
        "https://metrics.example.org:8443",
        "https://metrics.example.org.elsewhere.example",
        "https://metrics.example.org.evil.example",
        "https://metrics.example.orgevil.example",
        "https://metrics.example.org:443",
        "https://metrics.example.org/",
        "https://metrics.example.org, https://elsewhere.example",
        "https://metrics.example.or",
        "https://metrics-example.org",
        "HTTPS://metrics.example.org",
        "Null",
        "",
        "https://a.metrics.example.org",
        "https://METRICS.example.org",
        "null",
        "*",
    ],
)
async def test_a_page_of_any_other_origin_may_not_read(local_api: Api, origin: str) -> None:
    response = await local_api.get("status", headers={"origin": origin})
    assert "access-control-allow-origin" not in response.headers
    assert response.headers["vary"] == "Origin"


async def test_no_response_may_be_read_with_credentials(local_api: Api) -> None:
    response = await local_api.get("status", headers={"origin": PAGE_ORIGIN})
    assert "access-control-allow-credentials" not in response.headers


async def test_a_response_to_no_origin_still_varies_by_origin(local_api: Api) -> None:
    response = await local_api.get("status")
    assert response.headers["vary"] == "Origin"


async def test_a_page_may_read_the_headers_that_it_needs(local_api: Api) -> None:
    response = await local_api.get("status", headers={"origin": PAGE_ORIGIN})
    readable = response.headers["access-control-expose-headers"].split(", ")
    assert {"ETag", "Age", "Retry-After", "X-Data-Stale", "X-Request-ID"} <= set(readable)


def preflight(origin: str, method: str) -> dict[str, str]:
    return {"origin": origin, "access-control-request-method": method}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_an_allowed_page_may_use_get_and_head(local_api: Api, method: str) -> None:
    response = await local_api.client.options("/api/v1/status", headers=preflight(PAGE_ORIGIN, method))
    assert response.status_code == 200
    assert response.headers["access-control-allow-methods"] == "GET, HEAD"


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
    request = preflight(origin, method)
    if headers is not None:
        request["access-control-request-headers"] = headers
    response = await local_api.client.options("/api/v1/status", headers=request)
    assert response.status_code == 400
    assert response.headers.get("access-control-allow-origin") in {None, PAGE_ORIGIN}
    require_security_headers(response)


async def test_a_preflight_into_a_private_network_is_rejected(local_api: Api) -> None:
    request = preflight(PAGE_ORIGIN, "GET") | {"access-control-request-private-network": "true"}
    response = await local_api.client.options("/api/v1/status", headers=request)
    assert response.status_code == 400
    assert "access-control-allow-private-network" not in response.headers

"""The dashboard beside the API, as `community-metrics serve --dashboard` has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
import structlog

from community_metrics.api.static_dashboard import WithPage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.api import Api


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>the page</title>")
    (tmp_path / "assets" / "index-a1b2.js").write_text("0;")
    return tmp_path


def client_of(api: Api, folder: Path | None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(WithPage(api.app, folder))
    return httpx.AsyncClient(transport=transport, base_url="http://page.test")


async def test_the_page_and_the_api_share_one_origin(local_api: Api, built: Path) -> None:
    async with client_of(local_api, built) as client:
        page, health = await client.get("/"), await client.get("/api/v1/health")
    assert "the page" in page.text
    assert health.json() == {"status": "ok"}


async def test_only_what_has_its_hash_in_its_name_is_kept_for_ever(local_api: Api, built: Path) -> None:
    async with client_of(local_api, built) as client:
        page, script = await client.get("/"), await client.get("/assets/index-a1b2.js")
    assert page.headers["cache-control"] == "no-cache"
    assert "immutable" in script.headers["cache-control"]


async def test_nobody_may_put_the_page_into_a_frame(local_api: Api, built: Path) -> None:
    async with client_of(local_api, built) as client:
        page = await client.get("/")
    assert page.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert page.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/../pyproject.toml", "/%2e%2e/%2e%2e/etc/passwd", "/nothing"])
async def test_nothing_outside_the_folder_is_served(local_api: Api, built: Path, path: str) -> None:
    async with client_of(local_api, built) as client:
        answer = await client.get(path)
    assert answer.status_code == 404


async def test_without_a_page_the_root_leads_to_the_apis_own(local_api: Api) -> None:
    async with client_of(local_api, None) as client:
        with structlog.testing.capture_logs() as lines:
            answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "api/v1/docs")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert [line["request_id"] for line in lines] == [answer.headers["x-request-id"]]


@pytest.mark.parametrize("path", ["/api/v1/definitions", "/assets/long-c3d4.js"])
async def test_compressed_bytes_have_no_strong_tag(local_api: Api, built: Path, path: str) -> None:
    (built / "assets" / "long-c3d4.js").write_text("0;" * 1_000)
    async with client_of(local_api, built) as client:
        plain = await client.get(path, headers={"accept-encoding": "identity"})
        small = await client.get(path, headers={"accept-encoding": "gzip"})
    assert (plain.headers["etag"][0], small.headers["content-encoding"]) == ('"', "gzip")
    assert small.headers["etag"] == f"W/{plain.headers['etag']}"
    assert "Accept-Encoding" in small.headers["vary"]


@pytest.mark.parametrize("path", ["/api/v1/definitions", "/assets/long-c3d4.js"])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_a_304_has_the_tag_and_the_vary_of_its_200(
    local_api: Api, built: Path, path: str, encoding: str
) -> None:
    (built / "assets" / "long-c3d4.js").write_text("0;" * 1_000)
    accepted = {"accept-encoding": encoding}
    async with client_of(local_api, built) as client:
        whole = await client.get(path, headers=accepted)
        again = await client.get(path, headers={**accepted, "if-none-match": whole.headers["etag"]})
    assert (again.status_code, again.headers["etag"]) == (304, whole.headers["etag"])
    assert again.headers["vary"] == whole.headers["vary"]

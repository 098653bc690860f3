"""The dashboard beside the API, as `community-metrics serve --dashboard` has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from community_metrics.api.page import WithPage

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
        answer = await client.get("/")
    assert answer.headers["location"] == "/api/v1/docs"

"""The dashboard beside the API, as `community-metrics serve --dashboard` serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
import structlog

from community_metrics.api.middleware.compression import CompressionMiddleware
from community_metrics.api.middleware.tokens import new_token, token_hash
from tests.support.api import require_security_headers
from tests.support.raw_get import raw_get

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

SCRIPT = "/assets/index-a1b2.js"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>the page</title>")
    (tmp_path / "assets" / "index-a1b2.js").write_text("0;" * 1_000)
    return tmp_path


def client_of(api: Api) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(CompressionMiddleware(api.app))
    return httpx.AsyncClient(transport=transport, base_url="http://page.test")


@pytest.fixture
async def client(filled_local: Place, built: Path, serve: Serve) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API with the dashboard beside it."""
    async with serve(filled_local.reading, dashboard_folder=built) as api, client_of(api) as client:
        yield client


async def test_the_page_and_the_api_share_one_origin(client: httpx.AsyncClient) -> None:
    page, health = await client.get("/"), await client.get("/api/v1/health")
    assert "the page" in page.text
    assert health.json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/x/..", "./../"),
        ("/sub", "./sub/"),
        ("/a:b", "./a:b/"),
        ("//other.example/..", "./../"),
    ],
)
async def test_a_redirect_leads_to_no_other_host(
    filled_local: Place, built: Path, serve: Serve, path: str, location: str
) -> None:
    for folder in ("sub", "a:b"):
        (built / folder).mkdir()
        (built / folder / "index.html").write_text("<!doctype html>")
    async with serve(filled_local.reading, dashboard_folder=built) as api:
        response = await raw_get(api.app, path, {"host": "elsewhere.example"})
    assert (response.status, response.headers["location"]) == (307, location)


async def test_only_files_with_a_hash_in_their_name_are_cached_forever(client: httpx.AsyncClient) -> None:
    page, script = await client.get("/"), await client.get(SCRIPT)
    assert page.headers["cache-control"] == "no-cache"
    assert "immutable" in script.headers["cache-control"]


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 200), ({"range": "bytes=0-1"}, 206), ({"if-none-match": "*"}, 304)]
)
async def test_every_success_for_a_file_has_its_cache_header(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    response = await client.get(SCRIPT, headers=headers)
    assert response.status_code == status
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/assets/index-gone.js", {}, 404),
        ("GET", "/assets/", {}, 404),
        ("GET", SCRIPT, {"range": "bytes=9000-9001"}, 416),
        ("POST", SCRIPT, {}, 405),
    ],
)
async def test_no_error_below_assets_may_be_cached(
    client: httpx.AsyncClient, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    response = await client.request(method, path, headers=headers)
    assert response.status_code == status
    assert "cache-control" not in response.headers


async def test_no_other_page_may_frame_the_dashboard(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert page.headers["content-security-policy"] == "frame-ancestors 'none'"
    require_security_headers(page)


@pytest.mark.parametrize("path", ["/../pyproject.toml", "/%2e%2e/%2e%2e/etc/passwd", "/nothing"])
async def test_nothing_outside_the_folder_is_served(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_the_page_explains_itself_that_the_api_needs_a_token(
    filled_local: Place, built: Path, serve: Serve
) -> None:
    settings = filled_local.reading.model_copy(update={"api_token_hashes": (token_hash(new_token()),)})
    async with serve(settings, dashboard_folder=built) as api, client_of(api) as client:
        responses = [await client.get(path) for path in ("/", "/api/v1/status")]
    assert [response.status_code for response in responses] == [200, 401]


async def test_without_a_dashboard_the_root_redirects_to_the_docs(local_api: Api) -> None:
    async with client_of(local_api) as client:
        with structlog.testing.capture_logs() as lines:
            response = await client.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "api/v1/docs")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert [line["request_id"] for line in lines] == [response.headers["x-request-id"]]


@pytest.mark.parametrize("path", ["/api/v1/definitions", SCRIPT])
async def test_a_compressed_body_has_a_weak_tag(client: httpx.AsyncClient, path: str) -> None:
    plain = await client.get(path, headers={"accept-encoding": "identity"})
    small = await client.get(path, headers={"accept-encoding": "gzip"})
    assert (plain.headers["etag"][0], small.headers["content-encoding"]) == ('"', "gzip")
    assert small.headers["etag"] == f"W/{plain.headers['etag']}"
    assert "Accept-Encoding" in small.headers["vary"]


@pytest.mark.parametrize("path", ["/api/v1/definitions", SCRIPT])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_a_304_has_the_tag_and_the_vary_of_its_200(
    client: httpx.AsyncClient, path: str, encoding: str
) -> None:
    accepted = {"accept-encoding": encoding}
    whole = await client.get(path, headers=accepted)
    again = await client.get(path, headers={**accepted, "if-none-match": whole.headers["etag"]})
    assert (again.status_code, again.headers["etag"]) == (304, whole.headers["etag"])
    assert again.headers["vary"] == whole.headers["vary"]


SLACK = {"user-agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}
TAGGED = '<!doctype html><head><meta property="og:title" content="as built" /></head>the page'


@pytest.fixture
def tagged(built: Path) -> Path:
    (built / "index.html").write_text(TAGGED)
    return built


async def test_a_link_is_shown_with_the_numbers_of_its_view(
    filled_local: Place, tagged: Path, serve: Serve
) -> None:
    async with serve(filled_local.reading, dashboard_folder=tagged) as api, client_of(api) as client:
        page = await client.get("/?product=lance&week=2026-W46&by=day", headers=SLACK)
        said = (await client.get("/api/v1/preview?product=lance&week=2026-W46")).json()
        person = await client.get("/?product=lance")
    assert 'content="Lance, 2026-W46"' in page.text
    assert said["description"].startswith("Lance: ")
    assert f'property="og:description" content="{said["description"]}"' in page.text
    assert 'content="http://page.test/api/v1/preview.png?week=2026-W46&amp;product=lance"' in page.text
    assert "as built" not in page.text
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert person.text == TAGGED


@pytest.mark.parametrize("path", ["/?product=nothing", "/?week=2030-W01", "/?week=%00"])
async def test_a_link_to_nothing_keeps_the_tags_of_the_page(
    filled_local: Place, tagged: Path, serve: Serve, path: str
) -> None:
    async with serve(filled_local.reading, dashboard_folder=tagged) as api, client_of(api) as client:
        assert (await client.get(path, headers=SLACK)).text == TAGGED


async def test_a_link_says_nothing_that_needs_a_token(
    filled_local: Place, tagged: Path, serve: Serve
) -> None:
    settings = filled_local.reading.model_copy(update={"api_token_hashes": (token_hash(new_token()),)})
    async with serve(settings, dashboard_folder=tagged) as api, client_of(api) as client:
        assert (await client.get("/?product=lance", headers=SLACK)).text == TAGGED

"""`community-metrics mcp`: the client of the SDK talks to real processes, over both transports."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx
import httpx2
import pytest
import typer
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent

from community_metrics.api.middleware.tokens import token_hash
from community_metrics.cli.commands.mcp import mcp
from community_metrics.errors import ExtraMissing
from community_metrics.mcp_server.http import http_app
from community_metrics.mcp_server.reading import Readings
from community_metrics.mcp_server.server import ReadServer
from community_metrics.model import Visibility
from tests.support import api as support
from tests.support import mcp_transcript, mcp_world
from tests.support.api import PYTHON, RUST
from tests.support.clock import FakeClock
from tests.support.mcp_world import LANCEDB, OF_TEAM
from tests.support.servers import served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from mcp.types import CallToolResult

    from tests.support.api import Place

TOKEN: Final = "cmt_of-the-team"
HASHES: Final = {"CM_API_TOKEN_HASHES": token_hash(TOKEN), "CM_PUBLIC_READ": "true"}
COMMAND: Final = ["-m", "community_metrics.cli.main", "mcp"]
TOOLS: Final = {
    *("list_metrics", "report", "series", "insights", "before_after", "outages", "explain_metric"),
}
QUESTION: Final = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "outages", "arguments": {}},
}
ACCEPT: Final = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = support.local_place(tmp_path_factory.mktemp("mcp"))
    asyncio.run(mcp_world.fill(made.writing))
    return made


@pytest.fixture(scope="module")
def golden() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(mcp_transcript.FILE.read_text(encoding="utf-8"))
    return found


def environment(**variables: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CM_")} | variables


def on_standard_input(words: list[str], **variables: str) -> Client:
    return Client(
        StdioServerParameters(command=sys.executable, args=words, env=environment(**variables)), cache=None
    )


@contextmanager
def over_http(words: list[str], **variables: str) -> Iterator[str]:
    """Run a server until the end of the block; yields the address that it announces."""
    process = subprocess.Popen(
        [sys.executable, *words], env=environment(**variables), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    try:
        announced = next(line for line in process.stderr if "at http" in line)
        yield announced.split("at ")[1].partition(";")[0]
    finally:
        process.terminate()
        process.communicate(timeout=30)


@asynccontextmanager
async def connected(url: str, token: str | None = TOKEN) -> AsyncIterator[Client]:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http), cache=None) as client,
    ):
        yield client


def error_of(result: CallToolResult) -> str:
    assert result.is_error
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


@pytest.fixture(scope="module")
def server(place: Place) -> Iterator[str]:
    with over_http(["-m", "tests.support.mcp_process", place.reading.db_path, "http"], **HASHES) as url:
        yield url


async def test_the_transcript_over_standard_input(place: Place, golden: list[dict[str, Any]]) -> None:
    words = ["-m", "tests.support.mcp_process", place.reading.db_path, "stdio"]
    async with on_standard_input(words) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
        assert await mcp_transcript.conversation(client) == golden


async def test_the_transcript_over_http(server: str, golden: list[dict[str, Any]]) -> None:
    async with connected(server, None) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
        assert await mcp_transcript.conversation(client) == golden


def test_the_page_has_the_transcript(golden: list[dict[str, Any]]) -> None:
    page = mcp_transcript.PAGE.read_text(encoding="utf-8")
    assert mcp_transcript.with_transcript(page, golden) == page, "Fix: make docs"


def test_the_page_names_every_tool_and_argument(place: Place) -> None:
    page = mcp_transcript.PAGE.read_text(encoding="utf-8")
    rows = {row[0]: row[1] for row in re.findall(r"^\| `(\w+)` \| (.*?) \|", page, re.MULTILINE)}
    server = ReadServer(Readings.of(place.reading, FakeClock()), Visibility.PUBLIC)
    named = {tool: set(re.findall(r"`(\w+)`", arguments)) for tool, arguments in rows.items()}
    assert named == {name: set(schema["properties"]) for name, schema in server.schemas.items()}


def configured() -> dict[str, Any]:
    """Return how the page tells each client to start the server; all of them the same way."""
    page = mcp_transcript.PAGE.read_text(encoding="utf-8")
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    servers = [next(iter(block.values()))["community-metrics"] for block in blocks]
    first, *others = [one for one in servers if one.get("type") != "http"]
    assert [{name: one[name] for name in first} for one in others] == [first]
    assert len(servers) == 3
    found: dict[str, Any] = first
    return found


async def test_an_earlier_client_is_answered_too(server: str) -> None:
    async with (
        httpx2.AsyncClient(timeout=60) as http,
        Client(streamable_http_client(server, http_client=http), mode="legacy", cache=None) as client,
    ):
        told = await client.call_tool("explain_metric", {"metric_id": PYTHON})
    assert told.structured_content
    assert told.structured_content["metric"]["metric_id"] == PYTHON


async def test_what_is_of_the_team_needs_the_token(server: str) -> None:
    asked = {"metric_ids": [OF_TEAM], "from_day": "2026-11-16"}
    async with connected(server) as client:
        told = (await client.call_tool("series", asked)).structured_content
    assert told
    assert told["series"][0]["figures"][0]["value"] > 7_770_000
    async with connected(server, None) as client:
        assert f"No metric '{OF_TEAM}' is stored" in error_of(await client.call_tool("series", asked))
        listed = json.dumps((await client.call_tool("list_metrics", {})).structured_content)
    assert OF_TEAM not in listed
    assert PYTHON in listed


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"authorization": "Bearer cmt_wrong"}, 401),
        ({"origin": "https://evil.example"}, 403),
        ({"host": "evil.example"}, 421),
        ({"origin": "http://localhost:5173"}, 200),
    ],
)
def test_another_page_another_host_and_a_wrong_token_are_rejected(
    server: str, headers: dict[str, str], status: int
) -> None:
    answer = httpx.post(server, json=QUESTION, headers=ACCEPT | headers, timeout=60)
    assert answer.status_code == status, answer.text
    assert ("PyPI" in answer.text or "pypi" in answer.text) is (status == 200)


def test_without_public_read_there_is_nothing_without_a_token(place: Place) -> None:
    settings = place.reading.model_copy(update={"api_token_hashes": (token_hash(TOKEN),)})
    accepted = ACCEPT | {"authorization": f"Bearer {TOKEN}"}
    with served(http_app(settings, Readings.of(settings, FakeClock()))) as url:
        refused, given = (
            httpx.post(f"{url}/mcp", json=QUESTION, headers=headers, timeout=60)
            for headers in (ACCEPT, accepted)
        )
    assert (refused.status_code, given.status_code) == (401, 200)
    assert "Bearer" in refused.headers["www-authenticate"]


async def test_the_command_answers_over_standard_input(place: Place) -> None:
    week, start = {"from_day": "2026-11-16", "to_day": "2026-11-22"}, configured()
    assert (start["command"], list(start["env"])) == ("community-metrics", ["CM_DB_PATH"])
    words = ["-m", "community_metrics.cli.main", *start["args"], "--team"]
    async with on_standard_input(words, CM_DB_PATH=place.reading.db_path) as client:
        told = await client.call_tool("series", {"metric_ids": [LANCEDB], **week})
        of_team = await client.call_tool("explain_metric", {"metric_id": OF_TEAM})
    assert told.structured_content
    (figure,) = told.structured_content["series"][0]["figures"]
    assert (figure["completeness"], figure["complete"]) == ("5 of 7 days", False)
    assert "5 of 7 days" in figure["citation"]
    assert not of_team.is_error


async def test_the_command_answers_over_http(place: Place) -> None:
    words = [*COMMAND, "--http", "--port", "0"]
    with over_http(words, CM_DB_PATH=place.reading.db_path, **HASHES) as url:
        async with connected(url) as client:
            told = await client.call_tool("explain_metric", {"metric_id": RUST})
    assert told.structured_content
    assert told.structured_content["metric"]["source"] == "crates"


async def test_without_a_database_the_answer_says_what_to_do(tmp_path: Path) -> None:
    settings = support.local_place(tmp_path).reading
    async with Client(ReadServer(Readings.of(settings, FakeClock()), Visibility.PUBLIC)) as client:
        text = error_of(await client.call_tool("report", {}))
    assert text == "The tables do not exist. The operator has to run `community-metrics bootstrap`."


def test_the_option_team_is_not_for_http() -> None:
    with pytest.raises(typer.BadParameter, match="over HTTP a token decides"):
        mcp(http=True, team=True)


def test_without_the_extra_the_error_names_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", [])  # where Python finds no package
    monkeypatch.delitem(sys.modules, "mcp")
    fix = re.escape("`mcp` needs the extra mcp. Fix: pip install 'community-metrics[mcp]'")
    with pytest.raises(ExtraMissing, match=fix):
        mcp()

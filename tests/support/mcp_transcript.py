"""A conversation with the tools, as `transcripts/mcp.json` and docs/mcp.md have it; `main` renews both."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mcp import Client
from mcp.types import TextContent

from community_metrics.mcp_server.reading import Readings
from community_metrics.mcp_server.server import ReadServer
from community_metrics.model import Visibility
from tests.support import api as support
from tests.support import mcp_world
from tests.support.api import FALLBACK, PYTHON, RUST, STARS
from tests.support.clock import FakeClock
from tests.support.mcp_world import LANCEDB, REGISTRY

if TYPE_CHECKING:
    from mcp.types import CallToolResult

FILE: Final = Path(__file__).parent / "transcripts/mcp.json"
PAGE: Final = Path(__file__).parents[2] / "docs/mcp.md"
_BLOCK: Final = re.compile(r"(<!-- transcript -->\n).*?(<!-- /transcript -->)", re.DOTALL)
CALLS: Final[list[tuple[str, dict[str, Any]]]] = [
    ("list_metrics", {"product": "lance"}),
    ("series", {"metric_ids": [LANCEDB], "from_day": "2026-11-09"}),
    ("series", {"metric_ids": [PYTHON, RUST], "from_day": "2026-11-02", "total": True}),
    ("series", {"metric_ids": [STARS, FALLBACK], "grain": "month", "from_day": "2026-10-01"}),
    ("series", {"metric_ids": [PYTHON, STARS], "total": True}),
    ("series", {"metric_ids": [FALLBACK], "total": True}),
    ("series", {"metric_ids": ["clone_uniques:lance:github"]}),
    ("report", {"product": "lance"}),
    ("insights", {"period": "2026-W46", "product": "lance"}),
    ("before_after", {"metric_id": PYTHON, "day": "2026-10-14", "days": 7}),
    ("before_after", {"metric_id": RUST, "day": "2026-11-05"}),
    ("outages", {}),
    ("explain_metric", {"metric_id": STARS}),
    ("explain_metric", {"metric_id": "downloads:lance:pyton"}),
    ("series", {"metric_ids": [PYTHON], "grain": "year"}),
    ("series", {"metric_ids": [PYTHON], "year": 2026}),
    ("series", {"metric_ids": [REGISTRY, PYTHON], "total": True}),
]
SHOWN: Final = (1, 2, 4, 16, 10)
"""Calls that the page shows."""


async def conversation(client: Client) -> list[dict[str, Any]]:
    """Return what the tools answer to the calls; the client checks each answer against its schema."""
    return [
        {"tool": name, "arguments": arguments, **_answer(await client.call_tool(name, arguments))}
        for name, arguments in CALLS
    ]


def _answer(result: CallToolResult) -> dict[str, Any]:
    if result.is_error:
        (content,) = result.content
        assert isinstance(content, TextContent)
        return {"error": content.text}
    answer: dict[str, Any] = result.structured_content or {}
    answer["freshness"].pop("versions")  # they follow from how LanceDB counts
    return {"answer": answer}


def shown(transcript: list[dict[str, Any]]) -> str:
    """Return the calls that the page shows, each with the citations or the error of its answer."""
    parts = []
    for at in SHOWN:
        call = transcript[at]
        arguments = json.dumps(call["arguments"])
        lines = _citations(call.get("answer")) or [f"error: {call['error']}"]
        parts.append("\n".join([f"> {call['tool']} {arguments}", *lines]))
    return "```text\n" + "\n\n".join(parts) + "\n```\n"


def _citations(answer: Any) -> list[str]:
    if isinstance(answer, dict):
        own = [answer["citation"]] if "citation" in answer else []
        return own + [text for value in answer.values() for text in _citations(value)]
    return [text for value in answer for text in _citations(value)] if isinstance(answer, list) else []


def with_transcript(page: str, transcript: list[dict[str, Any]]) -> str:
    """Return the page with the transcript in its place."""
    return _BLOCK.sub(lambda found: f"{found[1]}{shown(transcript)}{found[2]}", page)


async def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = support.local_place(Path(folder))
        await mcp_world.fill(place.writing)
        readings = Readings.of(place.reading, FakeClock())
        async with Client(ReadServer(readings, Visibility.PUBLIC)) as client:
            transcript = await conversation(client)
        await readings.database.close()
    FILE.write_text(f"{json.dumps(transcript, indent=1)}\n", encoding="utf-8")
    PAGE.write_text(with_transcript(PAGE.read_text(encoding="utf-8"), transcript), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_main())

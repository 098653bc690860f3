"""A request as the replay server saw it, and a reply with its faults, as a test writes it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

SAMPLES = Path(__file__).parent / "samples"


@dataclass(frozen=True)
class Request:
    """`path` is as sent, percent signs and all; `query` begins with its question mark, or is empty."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(self.query.removeprefix("?")))


@dataclass(frozen=True)
class Scripted:
    """A reply: `body` is sent as JSON, `body_text` unchanged.

    Faults: `delay_s` before it; `drip_s` between any two bytes of the body; `truncate` sends half of the body
    and closes; `hang` never answers; `close` closes without an answer.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    body_text: str | None = None
    delay_s: float = 0.0
    drip_s: float = 0.0
    truncate: bool = False
    hang: bool = False
    close: bool = False

    @property
    def payload(self) -> bytes:
        return (json.dumps(self.body) if self.body_text is None else self.body_text).encode()

    @property
    def content_type(self) -> str:
        return "application/json; charset=utf-8" if self.body_text is None else "text/html; charset=utf-8"


def sample(name: str) -> Scripted:
    """Return the reply kept in `samples/<name>.json`: the shape of a real one, with invented numbers."""
    reply = json.loads((SAMPLES / f"{name}.json").read_text())["response"]
    return Scripted(reply["status"], reply["headers"], reply.get("body"), reply.get("body_text"))

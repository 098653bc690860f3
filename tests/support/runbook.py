"""The shell blocks of the operator documentation, and where each runs: ```sh host or ```sh laptop."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("docs/runbook.md", "docs/host.md")
HOST, LAPTOP = "host", "laptop"
_BLOCK = re.compile(r"^([ ]*)```sh(?P<place>[^\n]*)\n(?P<text>.*?)^\1```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a page."""

    page: str
    line: int
    place: str
    text: str

    @property
    def commands(self) -> list[str]:
        """The lines of the block, each a command."""
        return self.text.splitlines()

    def __str__(self) -> str:
        return f"{Path(self.page).stem}-{self.line}"


def blocks() -> list[Block]:
    """Return every block of every page."""
    return [block for page in PAGES for block in _blocks_of(page)]


def _blocks_of(page: str) -> list[Block]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(
            page,
            text.count("\n", 0, found.start()) + 1,
            found["place"].strip(),
            textwrap.dedent(found["text"]),
        )
        for found in _BLOCK.finditer(text)
    ]

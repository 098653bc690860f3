"""A digest as a Slack message: Block Kit within the limits that Slack documents.

Text that is longer than a limit is cut between lines, and the cut is said.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from community_metrics.digest.outline import NONE, outline_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from community_metrics.digest.outline import Line, Outline, Row
    from community_metrics.model.digest_content import Digest

MOST_BLOCKS: Final = 50
MOST_OF_HEADER: Final = 150
MOST_OF_SECTION: Final = 3_000
MOST_OF_CONTEXT: Final = 2_000
MOST_OF_ALL: Final = 12_000
"""Characters of all blocks: above about 13,000 Slack rejects a message (slackapi/bolt-js#2509)."""
_PRODUCTS: Final = 12
_LINES: Final = 6
_CUT: Final = "… and more: see the page or the API."

Block = dict[str, Any]


def slack_of(digest: Digest) -> str:
    """Return the JSON of a message, as an incoming webhook takes it: a text for notifications, and blocks."""
    return json.dumps(message_of(digest), indent=2, ensure_ascii=False) + "\n"


def message_of(digest: Digest) -> dict[str, Any]:
    """Return the message as data."""
    outline = outline_of(digest, products=_PRODUCTS, lines=_LINES)
    found: list[Block] = []
    left = MOST_OF_ALL
    for block in _blocks(outline, f"{digest.grain.title()} {digest.period}"):
        left -= _size(block)
        if left < len(_CUT) or len(found) == MOST_BLOCKS - 1:
            found.append(_context(_CUT))
            break
        found.append(block)
    return {"text": _cut(escaped(outline.first_line), MOST_OF_SECTION), "blocks": found}


def escaped(text: str) -> str:
    """Return text that calls nobody and is no link: Slack gives these three characters a meaning."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _blocks(outline: Outline, title: str) -> Iterable[Block]:
    yield {"type": "header", "text": {"type": "plain_text", "text": title[:MOST_OF_HEADER], "emoji": False}}
    opening = [escaped(outline.first_line)]
    opening += [f"*{escaped(outline.notice)}*"] if outline.notice else []
    opening += [escaped(outline.headline)] if outline.headline else []
    yield _section("\n".join(opening))
    if outline.rows:
        rows = [*([outline.total] if outline.total else []), *outline.rows]
        more = [escaped(outline.more)] if outline.more else []
        yield _section("\n".join([*(_product(row, outline.previous) for row in rows), *more]))
    for section in outline.sections:
        more = [escaped(section.more)] if section.more else []
        lines = [f"*{escaped(section.heading)}*", *(f"• {_linked(line)}" for line in section.lines), *more]
        yield _section("\n".join(lines))
    yield {"type": "divider"}
    yield _context("  ".join(_footer(outline.footer)))


def _product(row: Row, previous: str) -> str:
    name = escaped(row.name).replace("*", "")  # a star would end the bold name
    parts = [f"*{_link(name, row.url)}*  {row.value}"]
    parts += [f"{previous} {row.change}"] if row.change != NONE else []
    parts += [f"vs year before {row.year}"] if row.year != NONE else []
    parts += [f"stars {row.stars}"] if row.stars != NONE else []
    parts += [f"_{escaped(row.note)}_"] if row.note else []
    return " · ".join(parts)


def _linked(line: Line) -> str:
    return f"{escaped(line.text)} {_link('source', line.url)}" if line.url else escaped(line.text)


def _footer(lines: Sequence[Line]) -> list[str]:
    return [_link(escaped(line.text), line.url) for line in lines]


def _link(text: str, url: str | None) -> str:
    # the two characters that would end the address
    return text if url is None else f"<{escaped(url).replace('|', '%7C')}|{text}>"


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, MOST_OF_SECTION)}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": _cut(text, MOST_OF_CONTEXT)}]}


def _cut(text: str, most: int) -> str:
    """Return text of at most so many characters, cut after a line where there is one."""
    if len(text) <= most:
        return text
    kept = text[: most - len(_CUT) - 1]
    whole, _, _ = kept.rpartition("\n")
    return f"{whole or _without_half(kept)}\n{_CUT}"


def _without_half(text: str) -> str:
    """Return text without a link or an escape that the cut has left open."""
    for start, end in (("<", ">"), ("&", ";")):
        if text.rfind(start) > text.rfind(end):
            text = text[: text.rfind(start)]
    return text


def _size(block: Block) -> int:
    return len(json.dumps(block, ensure_ascii=False))

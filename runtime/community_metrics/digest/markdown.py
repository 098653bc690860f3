"""A digest as Markdown, for an issue, a wiki or a document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from community_metrics.digest.outline import outline_of

if TYPE_CHECKING:
    from community_metrics.digest.outline import Line, Outline, Row, Section
    from community_metrics.model.digest_content import Digest

_PRODUCTS: Final = 30
_LINES: Final = 12
_MARKS: Final = re.compile(r"([\\`*_\[\]<>|~#&!$@])")
"""Characters that Markdown, or a site that shows it, gives a meaning; `@` would call a person."""


def markdown_of(digest: Digest) -> str:
    """Return the digest as GitHub's Markdown, in which no text from elsewhere is markup."""
    outline = outline_of(digest, products=_PRODUCTS, lines=_LINES)
    parts = [f"# {escaped(outline.first_line)}"]
    parts += [f"**{escaped(outline.notice)}**"] if outline.notice else []
    parts += [escaped(outline.headline)] if outline.headline else []
    parts += [_table(outline)] if outline.rows else []
    parts += [_section(section) for section in outline.sections]
    parts.append("\n".join(f"{_linked(line)}  " for line in outline.footer).rstrip())
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return text of which Markdown shows every character as it is."""
    return _MARKS.sub(r"\\\1", text)


def _table(outline: Outline) -> str:
    lines = [
        f"| product | downloads | {outline.previous} | vs year before | stars |",
        "| --- | ---: | ---: | ---: | ---: |",
        *([_row(outline.total, "**")] if outline.total else []),
        *(_row(row, "") for row in outline.rows),
    ]
    return "\n".join([*lines, *(["", escaped(outline.more)] if outline.more else [])])


def _row(row: Row, mark: str) -> str:
    name = escaped(row.name)
    linked = f"[{name}]({row.url})" if row.url else name
    note = f" ({escaped(row.note)})" if row.note else ""
    cells = (f"{mark}{linked}{mark}", f"{row.value}{note}", row.change, row.year, row.stars)
    return f"| {' | '.join(cells)} |"


def _section(section: Section) -> str:
    lines = [f"- {escaped(line.text)}{_source(line)}" for line in section.lines]
    return "\n".join(
        [f"## {section.heading}", "", *lines, *(["", escaped(section.more)] if section.more else [])]
    )


def _source(line: Line) -> str:
    return f" ([source](<{line.url}>))" if line.url else ""


def _linked(line: Line) -> str:
    return escaped(line.text) if line.url is None else f"[{escaped(line.text)}](<{line.url}>)"

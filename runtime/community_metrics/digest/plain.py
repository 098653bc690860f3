"""A digest as text: 80 columns, for a terminal, a mail's plain part and a commit message."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size

from community_metrics.digest.outline import outline_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.digest.outline import Line, Outline, Section
    from community_metrics.model.digest_content import Digest

WIDTH: Final = 80
_PRODUCTS: Final = 20
_LINES: Final = 8
_SHORTEST_NAME: Final = 8
_FEWEST: Final = 3
"""Columns that are always shown: name, value and change."""
_GAP: Final = "  "


def text_of(digest: Digest) -> str:
    """Return the digest as lines of at most 80 columns, but for addresses and names that are longer."""
    outline = outline_of(digest, products=_PRODUCTS, lines=_LINES)
    parts = [_wrapped(outline.first_line)]
    parts += [f"! {outline.notice}"] if outline.notice else []
    parts += [_wrapped(outline.headline)] if outline.headline else []
    parts += [_table(outline)] if outline.rows else []
    parts += [_section(section) for section in outline.sections]
    parts.append("\n".join(_footer(line) for line in outline.footer))
    return "\n\n".join(parts) + "\n"


def _wrapped(text: str, first: str = "", others: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _table(outline: Outline) -> str:
    every = [*([outline.total] if outline.total else []), *outline.rows]
    columns = [
        ("", [row.name for row in every]),
        ("downloads", [row.value for row in every]),
        (outline.previous, [row.change for row in every]),
        ("vs year before", [row.year for row in every]),
        ("stars", [row.stars for row in every]),
    ]
    widths = [max(cell_len(text) for text in (head, *cells)) for head, cells in columns]
    while _SHORTEST_NAME + sum(widths[1:]) + len(_GAP) * len(widths[1:]) > WIDTH and len(widths) > _FEWEST:
        widths.pop()  # the numbers that are left stay whole
    columns = columns[: len(widths)]
    widths[0] = max(_SHORTEST_NAME, min(widths[0], WIDTH - sum(widths[1:]) - len(_GAP) * len(widths[1:])))
    lines = [_cells([head for head, _ in columns], widths)]
    for at, row in enumerate(every):
        lines.append(_cells([cells[at] for _, cells in columns], widths))
        lines += [f"{_GAP}{row.note}"] if row.note else []
    return "\n".join([*lines, *([outline.more] if outline.more else [])])


def _cells(texts: Sequence[str], widths: Sequence[int]) -> str:
    name = texts[0] if cell_len(texts[0]) <= widths[0] else set_cell_size(texts[0], widths[0] - 1) + "…"
    cells = [set_cell_size(name, widths[0]), *(f"{text:>{width}}" for text, width in _rest(texts, widths))]
    return _GAP.join(cells).rstrip()


def _rest(texts: Sequence[str], widths: Sequence[int]) -> list[tuple[str, int]]:
    return list(zip(texts[1:], widths[1:], strict=True))


def _section(section: Section) -> str:
    lines = [section.heading, "-" * len(section.heading)]
    lines += [_wrapped(line.text, "- ", "  ") for line in section.lines]
    return "\n".join([*lines, *([f"  {section.more}"] if section.more else [])])


def _footer(line: Line) -> str:
    return _wrapped(line.text) if line.url is None else f"{line.text}: {line.url}"

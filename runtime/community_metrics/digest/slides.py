"""A digest as slides: what is on each of them, and what its speaker should know.

Every kind of deck shows these.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from community_metrics.charts.drawing import Bars, Chart
from community_metrics.digest.outline import NONE, NOT_USERS, SHARED, outline_of, plain, value_words
from community_metrics.digest.pictures import pictures_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from community_metrics.digest.outline import Line, Outline, Row, Section
    from community_metrics.digest.pictures import Picture
    from community_metrics.model.digest_content import Digest

_DASH: Final = "- is not known: a series is not complete in one of the periods, or its counting changed"
_PRODUCTS: Final = 30
_LINES: Final = 8
_ROWS_OF_A_SLIDE: Final = 12
_HEIGHT_OF_A_SLIDE: Final = 18
"""Rows of text that a slide has room for, below its heading and above what says how much more there is."""
_CHARACTERS_OF_A_ROW: Final = 98
_SPACE: Final = 0.4
_HEADING: Final = 3
"""Rows of text that a second heading needs, with its own line of what there is more."""


@dataclass(frozen=True, slots=True)
class Table:
    """The heads of the columns, and the rows below; `total` is the first row, if there is one."""

    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    total: Row | None


@dataclass(frozen=True, slots=True)
class Slide:
    """One slide, from the top down. `notes` are what its speaker should know.

    `also` is a second list that has room below the first one.
    """

    heading: str
    notes: tuple[str, ...]
    lead: str | None = None
    notice: str | None = None
    number: str | None = None
    text: str | None = None
    table: Table | None = None
    chart: Chart | None = None
    bars: Bars | None = None
    lines: tuple[Line, ...] = ()
    links: tuple[Line, ...] = ()
    more: str | None = None
    also: Section | None = None
    is_title: bool = False


@dataclass(frozen=True, slots=True)
class Deck:
    """The slides, what the deck is called, and what is at the foot of each slide."""

    title: str
    foot: str
    slides: tuple[Slide, ...]


def slides_of(digest: Digest) -> Deck:
    """Return the slides of a digest."""
    outline = outline_of(digest, products=_PRODUCTS, lines=_LINES)
    foot = outline.notice or f"{_name(digest)}, {digest.grain} {digest.period}"
    return Deck(outline.first_line, foot, tuple(_slides(digest, outline)))


def _slides(digest: Digest, outline: Outline) -> Iterator[Slide]:
    rules = {rule.rule_id: rule.text for rule in digest.rules}
    yield _title(digest, outline, rules)
    yield from _scorecards(outline, rules)
    yield from (_pictured(one) for one in pictures_of(digest, rules))
    yield from _sections(outline.sections, rules)
    yield _last(digest, outline)


def _name(digest: Digest) -> str:
    return plain(digest.name) if digest.name else "Community metrics"


def _title(digest: Digest, outline: Outline, rules: dict[str, str]) -> Slide:
    total = digest.total
    return Slide(
        heading=f"{_name(digest)}: {digest.grain} {digest.period}",
        lead=outline.first_line,
        notice=outline.notice,
        # a part of the total alone, in large digits, would look like a fall
        number=value_words(total, with_unit=True) if total is not None and total.is_complete else None,
        text=outline.headline,
        notes=_known(rules.get("total-of-period"), NOT_USERS),
        is_title=True,
    )


def _scorecards(outline: Outline, rules: dict[str, str]) -> Iterator[Slide]:
    rows = [*([outline.total] if outline.total else []), *outline.rows]
    pages = [rows[first : first + _ROWS_OF_A_SLIDE] for first in range(0, len(rows), _ROWS_OF_A_SLIDE)]
    for number, shown in enumerate(pages, 1):
        total = outline.total if number == 1 else None
        is_last = number == len(pages)
        heads = ("Product", "Downloads", outline.previous, "vs year before", "Stars")
        yield Slide(
            heading=_continued("Scorecard", number),
            table=Table(heads, tuple(row for row in shown if row is not total), total),
            more="; ".join(_known(_DASH if _has_dash(shown) else None, outline.more if is_last else None))
            or None,
            notes=_known(
                "A product of which a series is not complete has the sum of the others, and no change.",
                rules.get("total-of-period"),
            ),
        )


def _has_dash(rows: Iterable[Row]) -> bool:
    return any(NONE in {row.value, row.change, row.year} for row in rows)


def _pictured(picture: Picture) -> Slide:
    drawing = picture.drawing
    return Slide(
        heading=drawing.title,
        lead=picture.lead or None,
        chart=drawing if isinstance(drawing, Chart) else None,
        bars=drawing if isinstance(drawing, Bars) else None,
        more=picture.more,
        notes=picture.notes,
    )


def _sections(sections: Sequence[Section], rules: dict[str, str]) -> Iterator[Slide]:
    """Yield the slides of lists; two that belong together and are short share one."""
    rest = list(sections)
    while rest:
        first = rest.pop(0)
        is_shared = bool(rest) and (first.heading, rest[0].heading) in SHARED
        if is_shared and _height(first.lines) + _height(rest[0].lines) + _HEADING <= _HEIGHT_OF_A_SLIDE:
            yield replace(_list(first, first.lines, rules), also=rest.pop(0))
        else:
            yield from _lists(first, rules)


def _lists(section: Section, rules: dict[str, str]) -> Iterator[Slide]:
    pages = _pages(section.lines)
    for number, lines in enumerate(pages, 1):
        made = _list(section, lines, rules)
        more = section.more if number == len(pages) else None
        yield replace(made, heading=_continued(section.heading, number), more=more)


def _list(section: Section, lines: Sequence[Line], rules: dict[str, str]) -> Slide:
    notes = _definitions(lines, rules)
    return Slide(section.heading, notes, lines=tuple(lines), more=section.more)


def _continued(heading: str, number: int) -> str:
    return heading if number == 1 else f"{heading}, continued"


def _pages(lines: Sequence[Line]) -> list[list[Line]]:
    """Return the lines of each slide: on as few slides as have room for all, about the same on each."""
    fewest = len(_filled(lines, _HEIGHT_OF_A_SLIDE))
    room = _height(lines) / fewest
    while len(pages := _filled(lines, min(room, _HEIGHT_OF_A_SLIDE))) > fewest:
        room += 0.5
    return pages


def _filled(lines: Sequence[Line], room: float) -> list[list[Line]]:
    pages: list[list[Line]] = [[]]
    for line in lines:
        if pages[-1] and _height([*pages[-1], line]) > room:
            pages.append([])
        pages[-1].append(line)
    return pages


def _height(lines: Iterable[Line]) -> float:
    """Return how many rows of text lines need, with the space between them."""
    texts = (f"{line.text} source" if line.url else line.text for line in lines)
    return sum(-(-len(text) // _CHARACTERS_OF_A_ROW) + _SPACE for text in texts)


def _definitions(lines: Sequence[Line], rules: dict[str, str]) -> tuple[str, ...]:
    """Return the definitions of the rules behind these lines, each once."""
    used = dict.fromkeys(line.rule for line in lines)
    return tuple(f"{name}: {rules[name]}" for name in used if name in rules)


def _last(digest: Digest, outline: Outline) -> Slide:
    versions = ", ".join(f"{rule.rule_id} {rule.version}" for rule in digest.rules)
    return Slide(
        heading="Where the numbers come from",
        links=tuple(_with_address(line) for line in outline.footer),
        notes=(f"Rules and their versions: {versions}.",) if versions else (),
    )


def _with_address(line: Line) -> Line:
    """Return a link whose address can be read on paper."""
    return line if line.url is None else replace(line, text=f"{line.text}: {line.url}")


def _known(*texts: str | None) -> tuple[str, ...]:
    return tuple(text for text in texts if text)

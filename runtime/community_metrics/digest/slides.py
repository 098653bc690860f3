"""A digest as slides: what is on each of them, and what its speaker should know. Every kind of deck shows these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from community_metrics.charts.drawing import Bars, Chart
from community_metrics.digest.outline import NOT_USERS, outline_of, value_words
from community_metrics.digest.pictures import pictures_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from community_metrics.digest.outline import Line, Outline, Row, Section
    from community_metrics.digest.pictures import Picture
    from community_metrics.model.digest_content import Digest

_PRODUCTS: Final = 30
_LINES: Final = 8
_ROWS_OF_A_SLIDE: Final = 12
_HEIGHT_OF_A_SLIDE: Final = 17
"""Rows of text that a slide has room for."""
_CHARACTERS_OF_A_ROW: Final = 92


@dataclass(frozen=True, slots=True)
class Table:
    """The heads of the columns, and the rows below; `total` is the first row, if there is one."""

    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    total: Row | None


@dataclass(frozen=True, slots=True)
class Slide:
    """One slide, from the top down. `notes` are what its speaker should know."""

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
    foot = f"{digest.name or 'Community metrics'}, {digest.grain} {digest.period}"
    if outline.notice:
        foot = outline.notice
    return Deck(outline.first_line, foot, tuple(_slides(digest, outline)))


def _slides(digest: Digest, outline: Outline) -> Iterator[Slide]:
    rules = {rule.rule_id: rule.text for rule in digest.rules}
    yield _title(digest, outline, rules)
    yield from _scorecards(outline, rules)
    yield from (_pictured(one) for one in pictures_of(digest, rules))
    for section in outline.sections:
        yield from _lists(section, digest, rules)
    yield _last(digest, outline)


def _title(digest: Digest, outline: Outline, rules: dict[str, str]) -> Slide:
    total = digest.total
    has_number = total is not None and total.value is not None
    return Slide(
        heading=f"{digest.name or 'Community metrics'}: {digest.grain} {digest.period}",
        lead=outline.first_line,
        notice=outline.notice,
        number=value_words(total) if total is not None and has_number else None,
        text=outline.headline,
        notes=_known(rules.get("total-of-period"), NOT_USERS),
        is_title=True,
    )


def _scorecards(outline: Outline, rules: dict[str, str]) -> Iterator[Slide]:
    rows = [*([outline.total] if outline.total else []), *outline.rows]
    pages = [rows[first : first + _ROWS_OF_A_SLIDE] for first in range(0, len(rows), _ROWS_OF_A_SLIDE)]
    for number, shown in enumerate(pages, 1):
        total = outline.total if number == 1 else None
        heads = ("Product", "Downloads", outline.previous, "vs year before", "Stars")
        yield Slide(
            heading=_continued("Scorecard", number),
            table=Table(heads, tuple(row for row in shown if row is not total), total),
            more=outline.more if number == len(pages) else None,
            notes=_known(
                "A product of which a series is not complete has the sum of the others, and no change.",
                rules.get("total-of-period"),
            ),
        )


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


def _lists(section: Section, digest: Digest, rules: dict[str, str]) -> Iterator[Slide]:
    pages = list(_pages(section.lines)) or [[]]
    for number, lines in enumerate(pages, 1):
        yield Slide(
            heading=_continued(section.heading, number),
            lines=tuple(lines),
            more=section.more if number == len(pages) else None,
            notes=_definitions(lines, digest, rules),
        )


def _continued(heading: str, number: int) -> str:
    return heading if number == 1 else f"{heading}, continued"


def _pages(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield the lines of each slide: as many as it has room for."""
    shown: list[Line] = []
    height = 0.0
    for line in lines:
        rows = -(-len(line.text) // _CHARACTERS_OF_A_ROW) + 0.4
        if shown and height + rows > _HEIGHT_OF_A_SLIDE:
            yield shown
            shown, height = [], 0.0
        shown.append(line)
        height += rows
    if shown:
        yield shown


def _definitions(lines: Sequence[Line], digest: Digest, rules: dict[str, str]) -> tuple[str, ...]:
    """Return the definitions of the rules behind these lines, each once."""
    shown = {line.text for line in lines}
    made = [(one.sentence, one.rule) for one in (*digest.findings, *digest.restated)]
    made += [(goal.sentence, goal.rule) for goal in digest.goals]
    used = dict.fromkeys(rule for sentence, rule in made if sentence in shown)
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

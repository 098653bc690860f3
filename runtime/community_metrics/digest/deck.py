"""A digest as slides: one HTML file of 16:9 pages that print to PDF one by one, without script.

Speaker notes with the definitions are below each slide on a screen, and are not printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from community_metrics.digest.html import element, link, page
from community_metrics.digest.outline import NONE, NOT_USERS, outline_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from xml.etree.ElementTree import Element

    from community_metrics.digest.outline import Line, Outline, Row, Section
    from community_metrics.model.digest_content import Digest

_PRODUCTS: Final = 30
_LINES: Final = 8
_ROWS_OF_A_SLIDE: Final = 12
_HEIGHT_OF_A_SLIDE: Final = 17
"""Rows of text that a slide has room for."""
_CHARACTERS_OF_A_ROW: Final = 92
_STYLE: Final = """
@page { size: 13.333in 7.5in; margin: 0 }
* { box-sizing: border-box }
body { margin: 0; background: #e7eaee; color: #1f2328; font: 20px/1.4 system-ui, Helvetica, Arial, sans-serif;
  -webkit-print-color-adjust: exact; print-color-adjust: exact }
.slide { position: relative; width: 13.333in; height: 7.5in; margin: 24px auto 0; padding: .55in .75in .7in;
  background: #fff; overflow: hidden; break-after: page; break-inside: avoid }
.notes { width: 13.333in; margin: 0 auto; padding: 12px .75in; font-size: 15px; color: #59636e }
.notes p { margin: 6px 0 }
h1 { margin: 1.1in 0 .25in; font-size: 46px; line-height: 1.15; font-weight: 650 }
h2 { margin: 0 0 .25in; font-size: 32px; line-height: 1.2; font-weight: 650 }
p { margin: 0 0 .15in }
.lead { font-size: 24px }
.big { font-size: 84px; line-height: 1; font-weight: 650; font-variant-numeric: tabular-nums; margin: .2in 0 }
.notice { color: #9a3412; font-weight: 600 }
.quiet, .foot { color: #59636e; font-size: 16px }
.foot { position: absolute; left: .75in; right: .75in; bottom: .3in; display: flex;
  justify-content: space-between; gap: .5in }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }
th { font-size: 16px; font-weight: 500; color: #59636e }
td { font-size: 19px }
th, td { padding: 5px 10px; text-align: right; border-bottom: 1px solid #d1d9e0; white-space: nowrap }
th:first-child, td:first-child { text-align: left; padding-left: 0; max-width: 3.6in; overflow: hidden;
  text-overflow: ellipsis }
.total td { font-weight: 650; border-bottom: 2px solid #818b98 }
.note { color: #9a3412; font-size: 15px; font-weight: 400 }
.up { color: #116329 } .down { color: #a40e26 }
ul { margin: 0; padding-left: 24px } li { margin: 0 0 10px }
a { color: #0550ae; text-decoration: none }
@media print { body { background: none } .slide { margin: 0 } .notes { display: none } }
"""


@dataclass(frozen=True, slots=True)
class Slide:
    """What is on one slide, and what its speaker should know."""

    content: Sequence[Element]
    notes: Sequence[str]


def deck_of(digest: Digest) -> str:
    """Return the slides as one HTML file."""
    outline = outline_of(digest, products=_PRODUCTS, lines=_LINES)
    slides = list(_slides(digest, outline))
    foot = outline.notice or f"{digest.grain.title()} {digest.period}"
    body = [
        part
        for number, slide in enumerate(slides, 1)
        for part in _parts(slide, foot, f"{number} of {len(slides)}")
    ]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=1280"),
        element("title", outline.first_line),
        element("style", _STYLE),
    )
    return page(element("html", head, element("body", *body), lang="en"))


def _parts(slide: Slide, foot: str, number: str) -> Iterator[Element]:
    footer = element("div", element("span", foot), element("span", number), class_="foot")
    yield element("section", *slide.content, footer, class_="slide")
    if slide.notes:
        notes = (element("p", text) for text in slide.notes)
        yield element("aside", element("strong", "Speaker notes"), *notes, class_="notes")


def _slides(digest: Digest, outline: Outline) -> Iterator[Slide]:
    rules = {rule.rule_id: rule.text for rule in digest.rules}
    yield _title(digest, outline, rules)
    yield from _scorecards(outline, rules)
    for section in outline.sections:
        yield from _lists(section, digest, rules)
    yield _last(digest, outline)


def _title(digest: Digest, outline: Outline, rules: dict[str, str]) -> Slide:
    title = f"{digest.name or 'Community metrics'}: {digest.grain} {digest.period}"
    content = [element("h1", title), element("p", outline.first_line, class_="lead")]
    content += [element("p", outline.notice, class_="notice")] if outline.notice else []
    if digest.total is not None and digest.total.value is not None:
        content.append(element("p", f"{digest.total.value:,}", class_="big"))
    content += [element("p", outline.headline, class_="lead")] if outline.headline else []
    return Slide(content, [rules.get("total-of-period", ""), NOT_USERS])


def _scorecards(outline: Outline, rules: dict[str, str]) -> Iterator[Slide]:
    rows = [*([outline.total] if outline.total else []), *outline.rows]
    for first in range(0, len(rows), _ROWS_OF_A_SLIDE):
        shown = rows[first : first + _ROWS_OF_A_SLIDE]
        is_last = first + _ROWS_OF_A_SLIDE >= len(rows)
        heads = ("Product", "Downloads", outline.previous, "vs year before", "Stars")
        head = element("tr", *(element("th", text, scope="col") for text in heads))
        table = element("table", head, *(_row(row, is_total=row is outline.total) for row in shown))
        more = [element("p", outline.more, class_="quiet")] if is_last and outline.more else []
        notes = [
            "A product of which a series is not complete has the sum of the others, and no change.",
            rules.get("total-of-period", ""),
        ]
        yield Slide([element("h2", "Scorecard"), table, *more], notes)


def _row(row: Row, *, is_total: bool) -> Element:
    name: list[Element | str] = [link(row.name, row.url)]
    name += ["  ", element("span", row.note, class_="note")] if row.note else []
    made = element(
        "tr",
        element("td", *name),
        element("td", row.value),
        element("td", row.change, class_=_direction(row.change)),
        element("td", row.year, class_=_direction(row.year)),
        element("td", row.stars),
    )
    if is_total:
        made.set("class", "total")
    return made


def _direction(change: str) -> str:
    if change == NONE or change.startswith("+0 "):
        return "same"
    return "up" if change.startswith("+") else "down"


def _lists(section: Section, digest: Digest, rules: dict[str, str]) -> Iterator[Slide]:
    pages = list(_pages(section.lines)) or [[]]
    for number, lines in enumerate(pages, 1):
        heading = section.heading if number == 1 else f"{section.heading}, continued"
        items = [element("li", line.text, *_source(line)) for line in lines]
        more = [element("p", section.more, class_="quiet")] if section.more and number == len(pages) else []
        yield Slide([element("h2", heading), element("ul", *items), *more], _notes(lines, digest, rules))


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


def _source(line: Line) -> list[Element | str]:
    return [" ", link("source", line.url)] if line.url else []


def _notes(lines: Sequence[Line], digest: Digest, rules: dict[str, str]) -> list[str]:
    """Return the definitions of the rules behind these lines, each once."""
    shown = {line.text for line in lines}
    made = [(one.sentence, one.rule) for one in (*digest.findings, *digest.restated)]
    made += [(goal.sentence, goal.rule) for goal in digest.goals]
    used = dict.fromkeys(rule for sentence, rule in made if sentence in shown)
    return [f"{name}: {rules[name]}" for name in used if name in rules]


def _last(digest: Digest, outline: Outline) -> Slide:
    lines = [element("p", link(line.text, line.url)) for line in outline.footer]
    versions = ", ".join(f"{rule.rule_id} {rule.version}" for rule in digest.rules)
    return Slide(
        [element("h2", "Where the numbers come from"), *lines],
        [f"Rules and their versions: {versions}."] if versions else [],
    )

"""A digest as slides: one HTML file of 16:9 pages that print to PDF one by one, without script.

Speaker notes with the definitions are below each slide on a screen, and are not printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defusedxml.ElementTree import fromstring

from community_metrics.charts.bars import embedded_bars
from community_metrics.charts.style import embedded_style
from community_metrics.charts.svg import EMBEDDED, embedded_chart
from community_metrics.digest.html import element, link, page
from community_metrics.digest.slides import slides_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from community_metrics.digest.outline import Line, Row
    from community_metrics.digest.slides import Slide, Table
    from community_metrics.model.digest_content import Digest

_STYLE: Final = """
@page { size: 13.333in 7.5in; margin: 0 }
* { box-sizing: border-box }
body { margin: 0; background: #e7eaee; color: #1f2328; font: 20px/1.4 system-ui, Helvetica, Arial, sans-serif;
  -webkit-print-color-adjust: exact; print-color-adjust: exact }
.slide { position: relative; display: flex; flex-direction: column; width: 13.333in; height: 7.5in;
  margin: 24px auto 0; padding: .55in .75in .7in;
  background: #fff; overflow: hidden; break-after: page; break-inside: avoid }
.notes { width: 13.333in; margin: 0 auto; padding: 12px .75in; font-size: 15px; color: #59636e }
.notes p { margin: 6px 0 }
h1 { margin: 1.1in 0 .25in; font-size: 46px; line-height: 1.15; font-weight: 650 }
h2 { margin: 0 0 .2in; font-size: 32px; line-height: 1.2; font-weight: 650 }
p { margin: 0 0 .15in }
.lead { font-size: 24px }
.big { margin: .2in 0; font-size: 72px; line-height: 1.1;
  font-weight: 650; font-variant-numeric: tabular-nums }
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
svg { flex: 1 1 0; min-height: 0; width: 100% }
ul + h2, .quiet + h2 { margin-top: .25in }
@media print { body { background: none } .slide { margin: 0 } .notes { display: none } }
"""


def deck_of(digest: Digest) -> str:
    """Return the slides as one HTML file."""
    deck = slides_of(digest)
    count = len(deck.slides)
    body = [
        part
        for number, slide in enumerate(deck.slides, 1)
        for part in _parts(slide, number, deck.foot, f"{number} of {count}")
    ]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=1280"),
        element("title", deck.title),
        element("style", f"{_STYLE}{embedded_style(EMBEDDED)}\n"),
    )
    return page(element("html", head, element("body", *body), lang="en"))


def _parts(slide: Slide, number: int, foot: str, place: str) -> Iterator[Element]:
    footer = element("div", element("span", foot), element("span", place), class_="foot")
    content = _title(slide) if slide.is_title else _content(slide, f"s{number}-")
    yield element("section", *content, footer, class_="slide")
    if slide.notes:
        notes = (element("p", text) for text in slide.notes)
        yield element("aside", element("strong", "Speaker notes"), *notes, class_="notes")


def _title(slide: Slide) -> Iterator[Element]:
    yield element("h1", slide.heading)
    for text, kind in (
        (slide.lead, "lead"),
        (slide.notice, "notice"),
        (slide.number, "big"),
        (slide.text, "lead"),
    ):
        if text:
            yield element("p", text, class_=kind)


def _content(slide: Slide, scope: str) -> Iterator[Element]:
    yield element("h2", slide.heading)
    if slide.lead:
        yield element("p", slide.lead)
    if slide.table:
        yield _table(slide.table)
    if slide.chart:
        yield fromstring(embedded_chart(slide.chart, scope=scope))
    if slide.bars:
        yield fromstring(embedded_bars(slide.bars, scope=scope))
    if slide.lines:
        yield element("ul", *(element("li", *_line(line)) for line in slide.lines))
    yield from (element("p", link(line.text, line.url)) for line in slide.links)
    if slide.more:
        yield element("p", slide.more, class_="quiet")
    if slide.also:
        yield element("h2", slide.also.heading)
        yield element("ul", *(element("li", *_line(line)) for line in slide.also.lines))
        if slide.also.more:
            yield element("p", slide.also.more, class_="quiet")


def _table(table: Table) -> Element:
    head = element("tr", *(element("th", text, scope="col") for text in table.heads))
    total = [_row(table.total, is_total=True)] if table.total else []
    return element("table", head, *total, *(_row(row) for row in table.rows))


def _row(row: Row, *, is_total: bool = False) -> Element:
    name: list[Element | str] = [link(row.name, row.url)]
    name += ["  ", element("span", row.note, class_="note")] if row.note else []
    made = element(
        "tr",
        element("td", *name),
        element("td", row.value),
        element("td", row.change, class_=row.change_direction or "same"),
        element("td", row.year, class_=row.year_direction or "same"),
        element("td", row.stars),
    )
    if is_total:
        made.set("class", "total")
    return made


def _line(line: Line) -> list[Element | str]:
    return [line.text, " ", link("source", line.url)] if line.url else [line.text]

"""A digest as an e-mail: a plain part, and one of tables with inline styles and no script.

Mail programs drop style sheets, so every style is on its element; they may ignore it, and the text stays.
"""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Final

from community_metrics.digest.html import element, link, page
from community_metrics.digest.outline import NONE, outline_of
from community_metrics.digest.plain import text_of
from community_metrics.model import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element

    from community_metrics.digest.html import Child
    from community_metrics.digest.outline import Line, Outline, Row, Section
    from community_metrics.model.digest_content import Digest

_PRODUCTS: Final = 20
_LINES: Final = 8
_FONT: Final = "font-family:Helvetica,Arial,sans-serif;color:#1f2328;"
_TEXT: Final = f"{_FONT}font-size:15px;line-height:22px;margin:0 0 12px;"
_HEADING: Final = f"{_FONT}font-size:17px;line-height:24px;margin:24px 0 8px;"
_SMALL: Final = f"{_FONT}font-size:13px;line-height:19px;margin:0 0 6px;"
_NOTE: Final = "color:#59636e;font-size:12px;"
_COLOURS: Final = {Direction.UP: "color:#116329;", Direction.DOWN: "color:#a40e26;"}
"""The sign of a change says the same."""
_LINK: Final = "color:#0550ae;"
_CELL: Final = (
    f"{_FONT}font-size:14px;line-height:20px;padding:6px 4px;border-bottom:1px solid #d1d9e0;"
    "vertical-align:top;"
)
_NUMBER: Final = f"{_CELL}text-align:right;white-space:nowrap;"
_HEAD: Final = f"{_NUMBER}{_NOTE}"


def email_of(digest: Digest) -> str:
    """Return the message without sender and receivers, which its delivery sets; lines end in CRLF."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = outline_of(digest, products=0, lines=0).first_line
    message["Date"] = digest.made_at
    message.set_content(text_of(digest), cte="quoted-printable")
    message.add_alternative(email_html_of(digest), subtype="html", cte="quoted-printable")
    message.set_boundary(f"digest-{digest.digest_id}")  # a random one would give other bytes each time
    return message.as_string()


def email_html_of(digest: Digest) -> str:
    """Return the part that a mail program shows."""
    outline = outline_of(digest, products=_PRODUCTS, lines=_LINES)
    body = [element("p", outline.first_line, style=f"{_TEXT}font-weight:bold;")]
    body += [element("p", outline.notice, style=f"{_TEXT}color:#9a3412;")] if outline.notice else []
    body += [element("p", outline.headline, style=_TEXT)] if outline.headline else []
    body += [_table(outline)] if outline.rows else []
    body += [element("p", outline.more, style=f"{_SMALL}{_NOTE}")] if outline.more else []
    for section in outline.sections:
        body += _section(section)
    body += [_footer(line) for line in outline.footer]
    frame = element("td", *body, style="padding:16px;", align="left")
    width = "width:100%;max-width:680px;"
    inner = element("table", element("tr", frame), role="presentation", width="680", style=width)
    outer = element("table", element("tr", element("td", inner, align="center")), role="presentation")
    outer.set("width", "100%")
    head = element("head", element("meta", charset="utf-8"), element("title", outline.first_line))
    return page(
        element("html", head, element("body", outer, style="margin:0;background:#ffffff;"), lang="en")
    )


def _table(outline: Outline) -> Element:
    """Return the scorecard in three columns, each of two lines: a phone shows no more side by side."""
    heads = (("Product", ""), ("Downloads", "stars"), (outline.previous, "vs year before"))
    styles = (f"{_HEAD}text-align:left;", _HEAD, _HEAD)
    head = element(
        "tr",
        *(
            element("th", *_two_lines(*texts), style=style, scope="col")
            for texts, style in zip(heads, styles, strict=True)
        ),
    )
    rows = [*([_row(outline.total, is_total=True)] if outline.total else []), *map(_row, outline.rows)]
    table = element("table", head, *rows, cellpadding="0", cellspacing="0", border="0", width="100%")
    table.set("style", "border-collapse:collapse;width:100%;")
    return table


def _row(row: Row, *, is_total: bool = False) -> Element:
    bold = "font-weight:bold;" if is_total else ""
    name = [link(row.name, row.url, style=_LINK if row.url else "")]
    name += [element("br"), element("span", row.note, style=_NOTE)] if row.note else []
    stars = "" if row.stars == NONE else f"{row.stars} stars"
    cells = ((row.change, row.change_direction), (row.year, row.year_direction))
    changes = [element("span", text, style=_COLOURS[goes] if goes else "") for text, goes in cells]
    return element(
        "tr",
        element("td", *name, style=f"{_CELL}{bold}"),
        element("td", *_two_lines(element("span", row.value, style=bold), stars), style=_NUMBER),
        element("td", *_two_lines(*changes), style=_NUMBER),
    )


def _two_lines(first: Child, second: Child) -> list[Child]:
    """Return two lines of a cell, the second one smaller; one where there is no second."""
    if not isinstance(second, str):
        return [first, element("br"), second]
    return [first, element("br"), element("span", second, style=_NOTE)] if second else [first]


def _section(section: Section) -> Iterable[Element]:
    yield element("h2", section.heading, style=_HEADING)
    items = [
        element("li", line.text, *_source(line), style=f"{_FONT}font-size:14px;line-height:21px;")
        for line in section.lines
    ]
    if items:
        yield element("ul", *items, style="margin:0 0 8px;padding-left:20px;")
    if section.more:
        yield element("p", section.more, style=f"{_SMALL}{_NOTE}")


def _source(line: Line) -> list[Element | str]:
    return [" ", link("source", line.url, style=_LINK)] if line.url else []


def _footer(line: Line) -> Element:
    return element("p", link(line.text, line.url, style=_LINK if line.url else ""), style=f"{_SMALL}{_NOTE}")

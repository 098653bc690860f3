"""A digest as PowerPoint: 16:9 slides with tables and charts that can be edited; needs the extra `deck`.

A chart has the values that are stored in the digest. A period without a value is an empty cell and a gap. The
same digest gives the same bytes: every time in the file is the one at which the digest was made.
"""

from __future__ import annotations

import io
from datetime import UTC
from typing import TYPE_CHECKING, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE, PP_ALIGN
from pptx.util import Emu, Inches, Pt

from community_metrics.digest.powerpoint_charts import add_bars, add_lines
from community_metrics.digest.slides import slides_of
from community_metrics.model import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pptx.presentation import Presentation as Presented
    from pptx.slide import Slide as Drawn
    from pptx.table import _Cell as Cell
    from pptx.text.text import TextFrame
    from pptx.text.text import _Paragraph as Paragraph

    from community_metrics.digest.outline import Line, Row
    from community_metrics.digest.slides import Deck, Slide, Table
    from community_metrics.model.digest_content import Digest

_WIDTH, _HEIGHT, _MARGIN = Inches(13.333), Inches(7.5), Inches(0.75)
_ROOM: Final = Emu(_WIDTH - 2 * _MARGIN)
_TITLE_ONLY: Final = 5
"""The layout of the default template that has a title and nothing else."""
_INK, _SOFT, _WARNING = RGBColor(0x1F, 0x23, 0x28), RGBColor(0x59, 0x63, 0x6E), RGBColor(0x9A, 0x34, 0x12)
_COLOURS: Final = {Direction.UP: RGBColor(0x11, 0x63, 0x29), Direction.DOWN: RGBColor(0xA4, 0x0E, 0x26)}
_HEAD = RGBColor(0xEA, 0xEE, 0xF2)
_PAPER, _LINK = RGBColor(0xFF, 0xFF, 0xFF), RGBColor(0x05, 0x50, 0xAE)
_COLUMNS: Final = (Inches(3.733), Inches(1.9), Inches(2.2), Inches(2.2), Inches(1.8))
_ROW: Final = Inches(0.36)
_TOP: Final = Inches(1.2)
_BELOW: Final = Inches(6.35)
"""Where the line is that says what is not on the slide."""

_FOOT: Final = Inches(6.95)
_MOST_OF_PROPERTY: Final = 255
"""Characters of a property of the file: the library refuses more."""


def powerpoint_of(digest: Digest) -> bytes:
    """Return the slides as one file."""
    deck = slides_of(digest)
    made = Presentation()
    made.slide_width, made.slide_height = _WIDTH, _HEIGHT
    _set_properties(made, deck, digest.made_at)
    for number, slide in enumerate(deck.slides, 1):
        drawn = made.slides.add_slide(made.slide_layouts[_TITLE_ONLY])
        _draw(drawn, slide, digest.made_at)
        _write(_box(drawn, _FOOT, Inches(0.35), _ROOM), [deck.foot], size=11, colour=_SOFT)
        place = _box(drawn, _FOOT, Inches(0.35), _ROOM)
        _write(place, [f"{number} of {len(deck.slides)}"], size=11, colour=_SOFT)
        place.paragraphs[0].alignment = PP_ALIGN.RIGHT
        if slide.notes:
            drawn.notes_slide.notes_text_frame.text = "\n".join(slide.notes)
    saved = io.BytesIO()
    made.save(saved)
    return _settled(saved.getvalue(), digest.made_at)


def _set_properties(made: Presented, deck: Deck, at: datetime) -> None:
    own = made.core_properties
    own.title = deck.title[:_MOST_OF_PROPERTY]
    own.author = own.last_modified_by = "community-metrics"
    own.created = own.modified = at.astimezone(UTC).replace(tzinfo=None)
    own.revision = 1


def _settled(content: bytes, at: datetime) -> bytes:
    """Return a zip with the same files, each with the time `at`: the writer stamps them with today's."""
    stamp = at.astimezone(UTC).timetuple()[:6]
    saved = io.BytesIO()
    with ZipFile(io.BytesIO(content)) as read, ZipFile(saved, "w") as written:
        for name in read.namelist():
            entry = ZipInfo(name, stamp)
            entry.compress_type = ZIP_DEFLATED
            written.writestr(entry, read.read(name))
    return saved.getvalue()


def _draw(drawn: Drawn, slide: Slide, at: datetime) -> None:
    _draw_heading(drawn, slide)
    if slide.is_title:
        _draw_title(drawn, slide)
        return
    top = _TOP
    if slide.lead:
        _write(_box(drawn, top, Inches(0.4), _ROOM), [slide.lead], size=15)
        top = Emu(top + Inches(0.45))
    if slide.table:
        _draw_table(drawn, slide.table)
    place = (_MARGIN, top, _ROOM, Emu(_BELOW - top))
    if slide.chart:
        add_lines(drawn, slide.chart, place, at)
    if slide.bars:
        add_bars(drawn, slide.bars, place, at)
    if slide.lines or slide.links or slide.also:
        _draw_lists(_box(drawn, top, Emu(_BELOW - top), _ROOM), slide)
    elif slide.more:
        _write(_box(drawn, _BELOW, Inches(0.3), _ROOM), [slide.more], size=12, colour=_SOFT)


def _draw_heading(drawn: Drawn, slide: Slide) -> None:
    title = drawn.shapes.title
    if title is None:
        raise ValueError("the layout has no title")
    size, top = (36, Inches(1.5)) if slide.is_title else (25, Inches(0.4))
    title.left, title.top, title.width, title.height = _MARGIN, top, _ROOM, Inches(0.75)
    frame = title.text_frame
    frame.vertical_anchor, frame.margin_left = MSO_ANCHOR.MIDDLE, 0
    _write(frame, [slide.heading], size=size, is_bold=True)


def _draw_title(drawn: Drawn, slide: Slide) -> None:
    top = Inches(2.4)
    for text, size, colour in (
        (slide.lead, 18, _INK),
        (slide.notice, 16, _WARNING),
        (slide.number, 48, _INK),
        (slide.text, 18, _INK),
    ):
        if text:
            height = Inches(size / 72 * 1.4 * (1 if size == 48 else 2))  # noqa: PLR2004  the number is one line
            _write(_box(drawn, top, height, _ROOM), [text], size=size, colour=colour, is_bold=size == 48)  # noqa: PLR2004
            top = Emu(top + height + Inches(0.05))


def _draw_table(drawn: Drawn, table: Table) -> None:
    rows = [*([table.total] if table.total else []), *table.rows]
    frame = drawn.shapes.add_table(
        len(rows) + 1, len(table.heads), _MARGIN, _TOP, _ROOM, Emu(_ROW * (len(rows) + 1))
    )
    made = frame.table
    made.horz_banding = False
    for column, width in zip(made.columns, _COLUMNS, strict=True):
        column.width = width
    for at, text in enumerate(table.heads):
        _set_cell(made.cell(0, at), text, is_first=at == 0, colour=_SOFT, fill=_HEAD)
    for number, row in enumerate(rows, 1):
        _draw_row([made.cell(number, at) for at in range(len(table.heads))], row, is_total=row is table.total)


def _draw_row(cells: Sequence[Cell], row: Row, *, is_total: bool) -> None:
    texts = (row.name, row.value, row.change, row.year, row.stars)
    directions = {2: row.change_direction, 3: row.year_direction}
    for at, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        goes = directions.get(at)
        colour = _COLOURS[goes] if goes else _INK
        url = row.url if at == 0 else None
        _set_cell(cell, text, is_first=at == 0, colour=colour, is_bold=is_total, url=url)
    if row.note:
        _run(cells[0].text_frame.paragraphs[0], f"  {row.note}", size=10, colour=_WARNING)


def _set_cell(
    cell: Cell,
    text: str,
    *,
    is_first: bool,
    colour: RGBColor,
    is_bold: bool = False,
    fill: RGBColor = _PAPER,
    url: str | None = None,
) -> None:
    cell.margin_top = cell.margin_bottom = Inches(0.03)
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    cell.fill.solid()
    cell.fill.fore_color.rgb = fill
    paragraph = cell.text_frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.LEFT if is_first else PP_ALIGN.RIGHT
    _run(paragraph, text, size=13, colour=colour, is_bold=is_bold, url=url)


def _draw_lists(frame: TextFrame, slide: Slide) -> None:
    """Write the lists of a slide below each other, each with what it does not list."""
    _write_lines(frame, slide.lines, slide.more)
    for line in slide.links:
        _run(_paragraph(frame), line.text, size=15, url=line.url)
    if slide.also:
        paragraph = _paragraph(frame)
        paragraph.space_before = Pt(18)
        _run(paragraph, slide.also.heading, size=25, is_bold=True)
        _write_lines(frame, slide.also.lines, slide.also.more)


def _write_lines(frame: TextFrame, lines: Iterable[Line], more: str | None) -> None:
    for line in lines:
        paragraph = _paragraph(frame)
        _run(paragraph, f"• {line.text}", size=15)
        if line.url:
            _run(paragraph, " ", size=15)
            _run(paragraph, "source", size=15, url=line.url)
    if more:
        _run(_paragraph(frame), more, size=12, colour=_SOFT)


def _box(drawn: Drawn, top: Emu | int, height: Emu | int, width: Emu | int) -> TextFrame:
    frame = drawn.shapes.add_textbox(_MARGIN, Emu(top), Emu(width), Emu(height)).text_frame
    frame.word_wrap = True
    frame.auto_size = MSO_AUTO_SIZE.NONE
    frame.margin_left = frame.margin_right = 0
    return frame


def _write(
    frame: TextFrame, texts: Iterable[str], *, size: int, colour: RGBColor = _INK, is_bold: bool = False
) -> None:
    for text in texts:
        _run(_paragraph(frame), text, size=size, colour=colour, is_bold=is_bold)


def _paragraph(frame: TextFrame) -> Paragraph:
    """Return a new paragraph; the first one of a frame is there already."""
    first = frame.paragraphs[0]
    made = first if not first.runs and len(frame.paragraphs) == 1 else frame.add_paragraph()
    made.alignment, made.space_after = PP_ALIGN.LEFT, Pt(5)
    return made


def _run(
    paragraph: Paragraph,
    text: str,
    *,
    size: int,
    colour: RGBColor = _INK,
    is_bold: bool = False,
    url: str | None = None,
) -> None:
    made = paragraph.add_run()
    made.text = text
    made.font.size, made.font.bold = Pt(size), is_bold
    made.font.color.rgb = _LINK if url else colour
    if url:
        made.hyperlink.address = url

"""The charts of a PowerPoint deck: native ones, whose data are the values of the digest."""

from __future__ import annotations

import io
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LABEL_POSITION, XL_LEGEND_POSITION, XL_MARKER_STYLE
from pptx.util import Emu, Inches, Pt
from xlsxwriter import Workbook

from community_metrics.charts.scale import axis_of
from community_metrics.charts.style import line_colour

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pptx.shapes.graphfrm import GraphicFrame
    from pptx.slide import Slide as Drawn
    from pptx.text.text import Font

    from community_metrics.charts.drawing import Bars, Chart

    Place = tuple[Emu, Emu, Emu, Emu]
    """Left, top, width and height."""
    Columns = Sequence[tuple[str, Sequence[int | None]]]
    """The name of each series, and its value for each category."""

_FORMAT: Final = "#,##0"
_SOFT: Final = RGBColor(0x57, 0x60, 0x6A)
_MOST_FLAGS: Final = 4
_MOST_LEVEL: Final = 13
"""Periods whose names have room side by side; those of more are slanted."""
_SLANTED: Final = str(-45 * 60_000)
_CHARACTERS: Final = 140
"""Characters of a line of the words around a chart."""
_WORDS: Final = Inches(0.28)
"""Height of a line of the words around a chart."""


def add_lines(drawn: Drawn, chart: Chart, place: Place, at: datetime) -> None:
    """Add a line chart with the words of the SVG; a period without a value is a gap in its line."""
    left, top, width, height = place
    below = _notes_of(chart)
    _text(drawn, (left, top, width, _WORDS), [chart.subtitle])
    rows = sum(-(-len(note) // _CHARACTERS) for note in below)
    room = Emu(height - _WORDS * (1 + rows))
    names = [period.label for period in chart.periods]
    columns = [(line.name, [dot.value for dot in line.dots]) for line in chart.lines]
    frame = _added(
        drawn, XL_CHART_TYPE.LINE_MARKERS, names, columns, (left, Emu(top + _WORDS), width, room), at
    )
    _describe(frame, chart.title, chart.description)
    native = frame.chart
    if len(names) > _MOST_LEVEL:
        _set_body(native.category_axis, "rot", _SLANTED)
    values = [value for _, own in columns for value in own if value is not None]
    axis = axis_of(values, from_zero=chart.starts_at_zero)
    native.value_axis.minimum_scale, native.value_axis.maximum_scale = axis.low, axis.high
    native.value_axis.major_unit = axis.step
    native.has_legend = len(chart.lines) > 1
    if native.legend is not None:
        native.legend.position, native.legend.include_in_layout = XL_LEGEND_POSITION.TOP, False
        native.legend.font.size = Pt(12)
    for number, (series, line) in enumerate(zip(native.plots[0].series, chart.lines, strict=True)):
        colour = RGBColor.from_string(line_colour(number, is_earlier=line.is_earlier))
        series.smooth = False
        series.format.line.width, series.format.line.color.rgb = Pt(2.25), colour
        series.marker.style, series.marker.size = XL_MARKER_STYLE.CIRCLE, 4
        for part in (series.marker.format.fill, series.marker.format.line.fill):
            part.solid()
            part.fore_color.rgb = colour
    _text(drawn, (left, Emu(top + _WORDS + room), width, Emu(_WORDS * rows)), below)


def add_bars(drawn: Drawn, bars: Bars, place: Place, at: datetime) -> None:
    """Add the bars of a sum, the first one on top, each with its value at its end."""
    names = [f"{bar.name} ({bar.share})" if bar.share else bar.name for bar in bars.bars]
    left, top, width, height = place
    room = Emu(min(height, Inches(0.8) + Inches(0.42) * len(names)))
    columns = [(bars.title, [bar.value for bar in bars.bars])]
    frame = _added(drawn, XL_CHART_TYPE.BAR_CLUSTERED, names, columns, (left, top, width, room), at)
    native = frame.chart
    _describe(frame, bars.title, bars.description)
    native.has_legend = False
    native.category_axis.reverse_order = True
    native.value_axis.visible = native.value_axis.has_major_gridlines = False
    native.value_axis.minimum_scale = 0
    native.value_axis.maximum_scale = 1.15 * max(1, *(bar.value for bar in bars.bars))  # room for the labels
    plot = native.plots[0]
    plot.gap_width, plot.has_data_labels = 60, True
    plot.data_labels.number_format, plot.data_labels.number_format_is_linked = _FORMAT, False
    plot.data_labels.position = XL_LABEL_POSITION.OUTSIDE_END
    _set_font(plot.data_labels.font)
    _set_body(plot.data_labels, "wrap", "none")
    fill = plot.series[0].format.fill
    fill.solid()
    fill.fore_color.rgb = RGBColor.from_string(line_colour(0))


def _added(  # noqa: PLR0917  each is another thing; names would make the two calls no clearer
    drawn: Drawn, kind: XL_CHART_TYPE, names: Sequence[str], columns: Columns, place: Place, at: datetime
) -> GraphicFrame:
    data = CategoryChartData(number_format=_FORMAT)
    data.categories = names
    for name, values in columns:
        data.add_series(name, values)
    frame: GraphicFrame = drawn.shapes.add_chart(kind, *place, data)
    native = frame.chart
    native.part.chart_workbook.update_from_xlsx_blob(_workbook(names, columns, at))
    native.has_title = False
    for axis in (native.category_axis, native.value_axis):
        _set_font(axis.tick_labels.font)
        axis.format.line.color.rgb = RGBColor(0xD1, 0xD9, 0xE0)
    native.value_axis.tick_labels.number_format = _FORMAT
    native.value_axis.tick_labels.number_format_is_linked = False
    native.value_axis.major_gridlines.format.line.color.rgb = RGBColor(0xE4, 0xE8, 0xEC)
    return frame


def _set_body(part: Any, name: str, value: str) -> None:
    """Set how the text of a part of a chart is laid out, for which the library has no property."""
    part._element.txPr.bodyPr.set(name, value)  # noqa: SLF001


def _describe(frame: GraphicFrame, title: str, description: str) -> None:
    """Set the text alternative, for which the library has no property either."""
    own = frame._element.nvGraphicFramePr.cNvPr  # noqa: SLF001
    own.set("title", title)
    own.set("descr", description)


def _set_font(font: Font) -> None:
    font.size, font.color.rgb = Pt(12), _SOFT


def _workbook(names: Sequence[str], columns: Columns, at: datetime) -> bytes:
    """Return the cells that the chart refers to, where the program expects them.

    The program's own workbook has the time of today, and would calculate a name that begins with `=`.
    """
    saved = io.BytesIO()
    with Workbook(saved, {"in_memory": True}) as workbook:
        workbook.set_properties({"created": at.astimezone(UTC).replace(tzinfo=None)})
        sheet, style = workbook.add_worksheet(), workbook.add_format({"num_format": _FORMAT})
        for row, name in enumerate(names, 1):
            sheet.write_string(row, 0, name)
        for column, (name, values) in enumerate(columns, 1):
            sheet.write_string(0, column, name)
            for row, value in enumerate(values, 1):
                if value is not None:
                    sheet.write_number(row, column, value, style)
    return saved.getvalue()


def _notes_of(chart: Chart) -> list[str]:
    """Return what is below the lines: what happened, and what a reader should know of the values."""
    notes = [f"{flag.day}  {flag.title}" for flag in chart.flags[:_MOST_FLAGS]]
    rest = len(chart.flags) - len(notes)
    notes += [f"{rest:,} more event{'s' if rest > 1 else ''} in these days."] if rest else []
    if any(dot.value is None for line in chart.lines for dot in line.dots if not line.is_earlier):
        notes.append(f"Gap: {chart.gap}.")
    return [*notes, *chart.notes]


def _text(drawn: Drawn, place: Place, lines: Sequence[str]) -> None:
    if not lines:
        return
    frame = drawn.shapes.add_textbox(*place).text_frame
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    for at, line in enumerate(lines):
        paragraph = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
        run = paragraph.add_run()
        run.text = line
        _set_font(run.font)

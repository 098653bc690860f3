"""A chart as one SVG picture of at most 20 kB, for light and dark pages, with a text alternative.

It has no script, no font and no address, and every text in it is cleaned and escaped. Embed it as an image,
also in a page of one file (`data:image/svg+xml`): its style is for a document of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from community_metrics.charts.drawing import Mark
from community_metrics.charts.page import SMALL_PX, TEXT_PX, TITLE_PX, WIDTH, Page, letter_of
from community_metrics.charts.plot import MOST_RINGS, Plot, named_flags
from community_metrics.charts.style import LINES, chart_style
from community_metrics.charts.text import svg_text

if TYPE_CHECKING:
    from community_metrics.charts.drawing import Chart
    from community_metrics.charts.scale import Axis

_SIGNS: Final = {
    Mark.PROVISIONAL: "○",
    Mark.ESTIMATED: "┄ ◇",
    Mark.INCOMPLETE: "×",  # noqa: RUF001  the sign that is drawn
    Mark.RESET: "┊",
}


def chart_svg(chart: Chart, *, theme: str = "auto") -> str:
    """Return the picture of a chart; `theme` is `light`, `dark` or `auto`, the setting of the browser.

    Raises:
        ValueError: it has no period, more lines than colours, or a line with another number of dots.
    """
    if not chart.periods or len(chart.lines) > LINES:
        raise ValueError(f"a chart has periods and at most {LINES} lines")
    if any(len(line.dots) != len(chart.periods) for line in chart.lines):
        raise ValueError("a line has one dot for each period")
    page = Page()
    page.text(chart.title, TITLE_PX, "t", bold=True)
    page.text(chart.subtitle, TEXT_PX, "s")
    for warning in chart.warnings:
        page.text(warning, TEXT_PX, "w", bold=True)
    if len(chart.lines) > 1:
        page.key([(f"l{at}", letter_of(at), line.name) for at, line in enumerate(chart.lines)])
    plot = Plot.of(chart, top=page.y + (26 if chart.flags else 12))
    page.parts += plot.parts(chart)
    page.y = plot.bottom + 24
    _below(chart, page, plot.axis)
    height = round(page.y + 8)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="t d">'
        f'<title id="t">{svg_text(chart.title)}</title><desc id="d">{svg_text(chart.description)}</desc>'
        f"<style>{chart_style(theme, len(chart.lines))}</style>"
        f'<rect width="{WIDTH}" height="{height}" rx="6" fill="var(--paper)"/>{"".join(page.parts)}</svg>'
    )


def _below(chart: Chart, page: Page, axis: Axis) -> None:
    """Write what is under the lines: the named events, the signs that occur, and the notes."""
    named = named_flags(chart.flags)
    for at, flag in enumerate(named, 1):
        page.text(f"{at}  {flag.day}  {flag.title}", SMALL_PX, "n")
    if rest := len(chart.flags) - len(named):
        page.text(f"{rest:,} more event{'s' if rest > 1 else ''} in these days.", SMALL_PX, "n")
    found = {
        dot.mark
        for line in chart.lines
        for dot in line.dots
        if dot.value is not None or dot.mark is Mark.RESET
    }
    signs = [f"{sign} {mark.value}" for mark, sign in _SIGNS.items() if mark in found]
    if restated := sum(dot.is_ringed for line in chart.lines for dot in line.dots):
        unmarked = f", the newest {MOST_RINGS} of {restated:,}" if restated > MOST_RINGS else ""
        signs.append(f"◯ restated by the registry{unmarked}")
    if any(dot.value is None for line in chart.lines for dot in line.dots):
        signs.append("gap: no data")
    page.text(" · ".join(signs), SMALL_PX, "n")
    if axis.low:
        page.text(f"The axis begins at {axis.low:,}, not at 0.", SMALL_PX, "n")
    for note in chart.notes:
        page.text(note, SMALL_PX, "n")

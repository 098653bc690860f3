"""A chart as one SVG picture of at most 20 kB, for light and dark pages, with a text alternative.

It has no script, no font and no address, and every text in it is cleaned and escaped. The style of
`chart_svg` is for a document of its own: embed it as an image. In a page of one file use `embedded_chart`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from community_metrics.charts.drawing import Mark
from community_metrics.charts.page import SMALL_PX, TEXT_PX, TITLE_PX, WIDTH, Page, letter_of
from community_metrics.charts.plot import MOST_RINGS, Plot, colours_of, named_flags
from community_metrics.charts.style import LINES, chart_style
from community_metrics.charts.text import svg_text

if TYPE_CHECKING:
    from community_metrics.charts.drawing import Chart
    from community_metrics.charts.scale import Axis

EMBEDDED: Final = "chart"
"""The class of a picture in a page."""
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
    page = Page()
    page.text(chart.title, TITLE_PX, "t", bold=True)
    _draw(chart, page)
    style = f"<style>{chart_style(theme, colours_of(chart))}</style>"
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{page.height}" '
    paper = f'<rect width="{WIDTH}" height="{page.height}" rx="6" fill="var(--paper)"/>'
    return f"{opening}{_words(chart.title, chart.description, page.height)}{style}{paper}{page.drawn}</svg>"


def embedded_chart(chart: Chart, *, scope: str) -> str:
    """Return the picture as an element of an HTML page, which shows its title and has the `embedded_style`.

    `scope` begins the ids, so that they are unique in the page.

    Raises:
        ValueError: as `chart_svg` does.
    """
    page = Page()
    _draw(chart, page, scope)
    return embedded(page, chart.title, chart.description, scope)


def embedded(page: Page, title: str, description: str, scope: str) -> str:
    """Return what is drawn on a page as an element of an HTML page."""
    opening = f'<svg class="{EMBEDDED}" preserveAspectRatio="xMidYMin meet" '
    return f"{opening}{_words(title, description, page.height, scope)}{page.drawn}</svg>"


def _words(title: str, description: str, height: int, scope: str = "") -> str:
    """Return the end of the opening tag and the two texts that a screen reader reads."""
    return (
        f'viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{scope}t {scope}d">'
        f'<title id="{scope}t">{svg_text(title)}</title><desc id="{scope}d">{svg_text(description)}</desc>'
    )


def _draw(chart: Chart, page: Page, scope: str = "") -> None:
    if not chart.periods or len(chart.lines) > LINES:
        raise ValueError(f"a chart has periods and at most {LINES} lines")
    if any(len(line.dots) != len(chart.periods) for line in chart.lines):
        raise ValueError("a line has one dot for each period")
    page.text(chart.subtitle, TEXT_PX, "s")
    for warning in chart.warnings:
        page.text(warning, TEXT_PX, "w", bold=True)
    if len(chart.lines) > 1:
        names = zip(colours_of(chart), chart.lines, strict=True)
        page.key([(f"l{colour}", letter_of(at), line.name) for at, (colour, line) in enumerate(names)])
    plot = Plot.of(chart, top=page.y + (26 if chart.flags else 12))
    page.parts += plot.parts(chart, scope)
    page.y = plot.bottom + 24
    _below(chart, page, plot.axis)


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
    if any(dot.value is None for line in chart.lines for dot in line.dots if not line.is_earlier):
        signs.append(f"gap: {chart.gap}")
    page.text(" · ".join(signs), SMALL_PX, "n")
    if axis.low:
        page.text(f"The axis begins at {axis.low:,}, not at 0.", SMALL_PX, "n")
    for note in chart.notes:
        page.text(note, SMALL_PX, "n")

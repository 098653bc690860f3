"""The parts of a sum as bars from 0, in the style of the charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from community_metrics.charts.page import MARGIN, SMALL_PX, TEXT_PX, WIDTH, Page, text_at
from community_metrics.charts.paths import number
from community_metrics.charts.svg import embedded
from community_metrics.charts.text import text_width

if TYPE_CHECKING:
    from community_metrics.charts.drawing import Bars

_STEP: Final = 30
_THICK: Final = 16


def embedded_bars(bars: Bars, *, scope: str) -> str:
    """Return the bars as an element of an HTML page, which shows their title and has the `embedded_style`.

    Raises:
        ValueError: there is no bar.
    """
    if not bars.bars:
        raise ValueError("bars have at least one bar")
    page = Page()
    left = MARGIN + max(text_width(bar.name, size=TEXT_PX) for bar in bars.bars) + 10
    room = WIDTH - MARGIN - left - max(text_width(bar.text, size=TEXT_PX) for bar in bars.bars) - 10
    high = max(*(bar.value for bar in bars.bars), 1)
    for bar in bars.bars:
        page.y += _STEP
        width = room * bar.value / high
        style = f'style="stroke-width:{_THICK};stroke-linecap:butt"'
        page.parts.append(f'<path class="l0" {style} d="M{left} {number(page.y - 4)}h{number(width)}"/>')
        page.parts.append(text_at(left - 10, page.y, bar.name, "k e"))
        page.parts.append(text_at(left + width + 8, page.y, bar.text, "k"))
    page.y += 14
    for note in bars.notes:
        page.text(note, SMALL_PX, "n")
    return embedded(page, bars.title, bars.description, scope)

"""A chart as a PNG, which is what social networks and chats show of a link; needs the extra `png`.

The renderer has no fonts of its own: without one of `_FAMILIES` on the machine there is no picture, because a
chart without its words says nothing.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from community_metrics.charts.svg import chart_svg

if TYPE_CHECKING:
    from community_metrics.charts.drawing import Chart

WIDTH, HEIGHT = 1_200, 630
"""What Slack, X, LinkedIn and the others show whole, as a large picture."""
_RENDERER: Final = "resvg_py"
_PADDING: Final = 30
_FAMILIES: Final = (
    *("Inter", "Noto Sans", "DejaVu Sans", "Liberation Sans"),
    *("Roboto", "Segoe UI", "Helvetica", "Arial"),
)
_WORD: Final = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20">{}</svg>'


def chart_png(chart: Chart) -> bytes:
    """Return the chart on a page of 1,200 by 630 pixels, in light colours.

    Raises:
        ModuleNotFoundError: the extra `png` is not installed.
    """
    return _rendered(_page(chart_svg(chart, theme="light")), _family())


def can_draw() -> bool:
    """Return whether the extra is installed and the machine has a font."""
    return find_spec(_RENDERER) is not None and _family() is not None


@cache
def _family() -> str | None:
    """Return the first family that draws a letter."""
    empty = _rendered(_WORD.format(""), None)
    words = ((family, _WORD.format(f'<text y="15" font-family="{family}">m</text>')) for family in _FAMILIES)
    return next((family for family, word in words if _rendered(word, None) != empty), None)


def _page(chart: str) -> str:
    """Return the picture in the middle of a page, as large as it fits, without custom properties."""
    width, height = (int(size) for size in re.findall(r'(?:width|height)="(\d+)"', chart)[:2])
    scale = min((WIDTH - 2 * _PADDING) / width, (HEIGHT - 2 * _PADDING) / height)
    left, top = (WIDTH - width * scale) / 2, (HEIGHT - height * scale) / 2
    size = f'width="{width * scale:.1f}" height="{height * scale:.1f}" '
    own = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
    inner = _resolved(chart).replace(own, f'<svg x="{left:.1f}" y="{top:.1f}" {size}', 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>{inner}</svg>'
    )


def _resolved(drawing: str) -> str:
    """Return a picture of one theme with the values of its custom properties: the renderer knows none."""
    values = dict(re.findall(r"(--\w+):([^;}]+)", drawing))
    resolved = re.sub(r"var\((--\w+)\)", lambda name: values[name[1]], drawing)
    return resolved.replace(":root{", ".colours{").replace("path:not([id])", "path")


def _rendered(drawing: str, family: str | None) -> bytes:
    renderer: Any = import_module(_RENDERER)
    return bytes(renderer.svg_to_bytes(svg_string=drawing, sans_serif_family=family))

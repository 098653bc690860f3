"""Colours of pictures for light and dark pages; they have no font file, script or address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CONTENT_SECURITY_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""For an image that is opened by itself: only its own inline style is allowed."""
LINES: Final = 8
"""How many lines differ in colour."""
_LIGHT_LINES: Final = (
    *("#0b5cad", "#b3430e", "#1a7f37", "#7c3aad"),
    *("#9a6700", "#b5256f", "#0e7a85", "#57606a"),
)
_DARK_LINES: Final = (
    *("#6cb2ff", "#ff9e64", "#56d364", "#d2a8ff"),
    *("#e3b341", "#ff8fc7", "#56d4dd", "#a9b4bf"),
)

_SHAPES: Final = (
    ("text", "font:11px system-ui,sans-serif;fill:var(--soft)"),
    ("text.t", "font-size:17px;font-weight:600;fill:var(--ink)"),
    ("text.s,text.w,text.k", "font-size:12px"),
    ("text.k", "fill:var(--ink)"),
    ("text.w", "font-weight:600;fill:var(--warn)"),
    ("text.e", "text-anchor:end"),
    ("text.m", "text-anchor:middle"),
    ("text.b", "font-weight:700"),
    ("path", "fill:none;stroke-linejoin:round;stroke-linecap:round"),
    ("path:not([id])", "stroke-width:2"),
    ("path.g", "stroke:var(--grid);stroke-width:1"),
    ("path.v", "stroke:var(--soft);stroke-width:1;stroke-dasharray:1 4"),
    (".d", "stroke-dasharray:5 5"),
    ("path.i", "stroke-width:5"),
    (".h", "stroke-width:7"),
    (".c", "stroke:var(--paper);stroke-width:3.6"),
    (".q", "stroke:var(--ink);stroke-width:14"),
    (".p", "stroke:var(--paper);stroke-width:11.4"),
    ("path.o", "fill:var(--paper);stroke-width:1.5"),
    ("path.x", "stroke-width:1.8"),
    ("path.r", "stroke-width:1.5;stroke-dasharray:2 4"),
)
"""`d` estimated, `i` alone, `h` and `c` a ring, `q` and `p` a wide one, `o` a diamond, `x` a cross,
`r` a reset, `v` an event.

The sizes of texts are those of `page`.
"""
_LIGHT: Final = "--paper:#fff;--ink:#1f2328;--soft:#57606a;--grid:#e4e8ec;--warn:#9a3412;"
_DARK: Final = "--paper:#0d1117;--ink:#f0f6fc;--soft:#a9b4bf;--grid:#2a313a;--warn:#ffb077;"
EARLIER: Final = LINES - 1
"""The colour of a line of earlier periods, which is grey."""


def themed(theme: str, *, light: str, dark: str) -> str:
    """Return the style of a theme: `light`, `dark`, or `auto` by the setting of the reader's browser.

    `light` and `dark` are declarations of custom properties.
    """
    styles = {
        "light": f":root{{{light}}}",
        "dark": f":root{{{dark}}}",
        "auto": f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}",
    }
    return styles[theme]


def line_colour(at: int, *, is_earlier: bool = False) -> str:
    """Return the colour of a line on light paper, as six hexadecimal digits."""
    return _LIGHT_LINES[EARLIER if is_earlier else at].removeprefix("#")


def chart_style(theme: str, colours: Sequence[int]) -> str:
    """Return the style of a chart whose lines have these colours, in a theme."""
    light, dark = _LIGHT + _values(_LIGHT_LINES, colours), _DARK + _values(_DARK_LINES, colours)
    return themed(theme, light=light, dark=dark) + _rules(colours, "")


def embedded_style(within: str) -> str:
    """Return the style of the charts in a page, in light colours: it is for what has the class `within`."""
    every = range(LINES)
    return f".{within}{{{_LIGHT}{_values(_LIGHT_LINES, every)}}}{_rules(every, f'.{within} ')}"


def _rules(colours: Iterable[int], prefix: str) -> str:
    shapes = [*_SHAPES, *((f".l{at}", f"stroke:var(--l{at})") for at in colours)]
    return "".join(
        f"{','.join(prefix + one for one in selectors.split(','))}{{{rule}}}" for selectors, rule in shapes
    )


def _values(colours: Sequence[str], used: Iterable[int]) -> str:
    return ";".join(f"--l{at}:{colours[at]}" for at in used)

"""Two SVG images for a README, a badge and a sparkline, for light and dark pages, with a text alternative.

Text from storage is cleaned and escaped, and the templates have no script, font or URL.
"""

from __future__ import annotations

import operator
from itertools import groupby
from string import Template
from typing import TYPE_CHECKING, Final

from community_metrics.charts.style import themed
from community_metrics.charts.text import svg_text, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIGHT: Final = "--ink:#1f2328;--paper:#eaeef2;--mark:#0550ae"
_DARK: Final = "--ink:#f0f6fc;--paper:#30363d;--mark:#79c0ff"
_PADDING: Final = 7
_WIDTH, _HEIGHT, _MARGIN, _NOTE_Y = 160, 32, 3, 11

_BADGE: Final = Template(
    """<svg xmlns="http://www.w3.org/2000/svg" width="$width" height="20" viewBox="0 0 $width 20" \
role="img" aria-labelledby="t d"><title id="t">$title</title><desc id="d">$description</desc>\
<style>$style text{font:11px system-ui,sans-serif;fill:var(--ink)}\
.v{font-weight:600;fill:var(--mark)}</style>\
<rect width="$width" height="20" rx="4" fill="var(--paper)"/>\
<text x="$label_x" y="14" textLength="$label_width">$label</text>\
<text class="v" x="$value_x" y="14" textLength="$value_width">$value</text></svg>"""
)
_SPARKLINE: Final = Template(
    """<svg xmlns="http://www.w3.org/2000/svg" width="$width" height="$height" viewBox="0 0 $width $height" \
role="img" aria-labelledby="t d"><title id="t">$title</title><desc id="d">$description</desc>\
<style>$style path{fill:none;stroke:var(--mark);stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}\
circle{fill:var(--mark)}text{font:11px system-ui,sans-serif;fill:var(--ink)}</style>\
$drawing$note</svg>"""
)


def badge(*, label: str, value: str, title: str, description: str, theme: str) -> str:
    """Return a badge with the label on the left and the value on the right."""
    label_width, value_width = text_width(label), text_width(value, bold=True)
    return _BADGE.substitute(
        width=label_width + value_width + 3 * _PADDING,
        title=svg_text(title),
        description=svg_text(description),
        style=themed(theme, light=_LIGHT, dark=_DARK),
        label=svg_text(label),
        label_x=_PADDING,
        label_width=label_width,
        value=svg_text(value),
        value_x=label_width + 2 * _PADDING,
        value_width=value_width,
    )


def sparkline(
    values: Sequence[int | None], *, title: str, description: str, theme: str, note: str = ""
) -> str:
    """Return a line through `values` from zero, oldest first; a None is a gap in the line.

    `note` is written above the line.
    """
    known = [value for value in values if value is not None]
    no_data = f'<text x="{_MARGIN}" y="{_HEIGHT / 2 + 4:.0f}">no data</text>'
    return _SPARKLINE.substitute(
        width=_WIDTH,
        height=_HEIGHT,
        title=svg_text(title),
        description=svg_text(description),
        style=themed(theme, light=_LIGHT, dark=_DARK),
        drawing=_line(values, max(known)) if known else no_data,
        note=f'<text x="{_MARGIN}" y="{_NOTE_Y}">{svg_text(note)}</text>' if note else "",
    )


def short_number(value: int) -> str:
    """Return a number for a badge: `987`, `12.3k`, `4.56M`; truncated, never rounded up."""
    for limit, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if value >= limit:
            digits = 2 if value < 10 * limit else 1 if value < 100 * limit else 0
            whole = value * 10**digits // limit
            return f"{whole / 10**digits:.{digits}f}{unit}"
    return str(value)


def _line(values: Sequence[int | None], high: int) -> str:
    step = (_WIDTH - 2 * _MARGIN) / max(len(values) - 1, 1)
    scale = (_HEIGHT - 2 * _MARGIN) / high if high > 0 else 0.0
    dots = [
        None if value is None else (_MARGIN + index * step, _HEIGHT - _MARGIN - value * scale)
        for index, value in enumerate(values)
    ]
    runs = [[dot for dot in run if dot] for is_gap, run in groupby(dots, key=operator.not_) if not is_gap]
    # a single point is a line of no length, which round caps draw as a dot
    paths = ["L".join(f"{x:.1f} {y:.1f}" for x, y in [*run, run[-1]]) for run in runs]
    strokes = "".join(f'<path d="M{path}"/>' for path in paths)
    last_x, last_y = runs[-1][-1]
    return f'{strokes}<circle cx="{last_x:.1f}" cy="{last_y:.1f}" r="2.2"/>'

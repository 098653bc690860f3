"""The area of a chart that has the lines, the axes and the marks of events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from community_metrics.charts.page import MARGIN, WIDTH, letter_of, text_at
from community_metrics.charts.paths import marks_of, number, restated_rings
from community_metrics.charts.scale import Axis, axis_of, days_on
from community_metrics.charts.style import EARLIER
from community_metrics.charts.text import svg_text, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from community_metrics.charts.drawing import Chart, Flag

_HEIGHT: Final = 240
_FLAGS_BYTES: Final = 2_000
"""Events are named as far as their text has room in this many bytes; the others are only marked."""
_MOST_MARKED: Final = 60
_MOST_NAMED: Final = 6
MOST_RINGS: Final = 80
"""Restated values that have a ring, the newest first: more would not be 20 kB."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Where the lines are drawn."""

    axis: Axis
    first: date
    days: int
    left: int
    right: int
    top: float

    @classmethod
    def of(cls, chart: Chart, top: float) -> Plot:
        """Return the area for a chart, below what is above `top`."""
        values = [dot.value for line in chart.lines for dot in line.dots if dot.value is not None]
        axis = axis_of(values, from_zero=chart.starts_at_zero)
        widest = max(text_width(label) for _, label in axis.labels)
        first, last = chart.periods[0].start, chart.periods[-1].end
        right = WIDTH - (2 * MARGIN + 4 if len(chart.lines) > 1 else MARGIN + 8)
        return cls(axis, first, (last - first).days + 1, MARGIN + widest + 8, right, top)

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.top + _HEIGHT

    def x(self, days: float) -> float:
        """Return the place of an instant, in days since the chart begins."""
        return self.left + (self.right - self.left) * days / self.days

    def y(self, value: int) -> float:
        """Return the place of a value."""
        return self.bottom - _HEIGHT * (value - self.axis.low) / (self.axis.high - self.axis.low)

    def parts(self, chart: Chart, scope: str = "") -> list[str]:
        """Return what is drawn, from the back to the front; `scope` begins its ids."""
        middles = [self.x((period.start - self.first).days + period.days / 2) for period in chart.periods]
        parts = [*self._grid(), *self._days(chart), *self._flags(chart)]
        if not any(dot.value is not None for line in chart.lines for dot in line.dots):
            middle = (self.left + self.right) / 2
            parts.append(text_at(middle, self.top + _HEIGHT / 2, "no data in this period", "m"))
        restated = [
            (x, self.y(dot.value))
            for line in chart.lines
            for x, dot in zip(middles, line.dots, strict=True)
            if dot.is_ringed and dot.value is not None
        ]
        parts += restated_rings(sorted(restated)[-MOST_RINGS:], scope)
        drawn = zip(chart.lines, colours_of(chart), strict=True)
        for line, colour in sorted(drawn, key=lambda one: not one[0].is_earlier):
            dots = [
                (x, None if dot.value is None else self.y(dot.value), dot.mark)
                for x, dot in zip(middles, line.dots, strict=True)
            ]
            parts += marks_of(dots, f"l{colour}", top=self.top, bottom=self.bottom, scope=scope)
        return [*parts, *(self._ends(chart) if len(chart.lines) > 1 else ())]

    def _grid(self) -> list[str]:
        lines = "".join(f"M{self.left} {number(self.y(value))}H{self.right}" for value, _ in self.axis.labels)
        labels = [text_at(self.left - 8, self.y(value) + 4, label, "e") for value, label in self.axis.labels]
        return [f'<path class="g" d="{lines}"/>', *labels]

    def _days(self, chart: Chart) -> list[str]:
        """Return the labels of days that have room side by side."""
        parts, free = [], float(MARGIN)
        for day, label in days_on(self.first, chart.periods[-1].end):
            x, half = self.x((day - self.first).days), text_width(label) / 2
            if x - half < free or x + half > WIDTH - 4:
                continue
            parts.append(f'<path class="g" d="M{number(x)} {number(self.bottom)}v5"/>')
            parts.append(text_at(x, self.bottom + 17, label, "m"))
            free = x + half + 8
        return parts

    def _flags(self, chart: Chart) -> list[str]:
        names = named_flags(chart.flags)
        days = sorted({flag.day for flag in chart.flags[:_MOST_MARKED]})
        places = [number(self.x((day - self.first).days + 0.5)) for day in days]
        rules = "".join(f"M{x} {number(self.top - 6)}V{number(self.bottom)}" for x in places)
        parts = [f'<path class="v" d="{rules}"/>'] if rules else []
        free = 0.0
        for at, flag in enumerate(names, 1):
            x = self.x((flag.day - self.first).days + 0.5)
            x = min(max(x, free), self.right + 8 - 12 * (len(names) - at))
            parts.append(text_at(x, self.top - 9, str(at), "m b"))
            free = x + 12
        return parts

    def _ends(self, chart: Chart) -> list[str]:
        """Return the letter of each line beside its last value, apart from each other."""
        last = [
            next((dot.value for dot in reversed(line.dots) if dot.value is not None), None)
            for line in chart.lines
        ]
        ends = sorted((self.y(value), at) for at, value in enumerate(last) if value is not None)
        parts, free, colours = [], self.top - 8, colours_of(chart)
        for index, (target, at) in enumerate(ends):
            y = min(max(target, free), self.bottom - 12 * (len(ends) - 1 - index))
            place = f'x="{self.right + 6}" y="{number(y + 4)}"'
            parts.append(f'<text class="b" style="fill:var(--l{colours[at]})" {place}>{letter_of(at)}</text>')
            free = y + 12
        return parts


def colours_of(chart: Chart) -> list[int]:
    """Return the colour of each line."""
    return [EARLIER if line.is_earlier else at for at, line in enumerate(chart.lines)]


def named_flags(flags: Sequence[Flag]) -> list[Flag]:
    """Return the events that are named, in the order of their days; `flags` has the most important first."""
    found, size = [], 0
    for flag in flags[:_MOST_NAMED]:
        size += len(svg_text(flag.title).encode())
        if size > _FLAGS_BYTES:
            break
        found.append(flag)
    return sorted(found, key=lambda flag: flag.day)

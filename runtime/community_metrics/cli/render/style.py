"""Consoles, numbers, ages and sparklines. Colour is never the only difference: a glyph shows the same."""

from __future__ import annotations

import codecs
import io
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from community_metrics.model import Status, Visibility
from community_metrics.text import MINUS, counted, signed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from community_metrics.series.change import Change
    from community_metrics.series.grid import Point
    from community_metrics.series.period_totals import PeriodTotal

_READABLE = "readable"
ONE_MINUTE, ONE_HOUR, ONE_DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters of one kind of terminal; `bars` and `estimated_bars` go from low to high."""

    bars: str
    estimated_bars: str
    partial: str
    gap: str
    about: str
    ok: str
    warn: str
    fail: str
    none: str
    dash: str
    cut: str
    provisional: str = "*"


UNICODE = Glyphs(
    "▁▂▃▄▅▆▇█",
    "⣀⣤⣶⣿",
    partial="▫",
    gap="·",
    about="≈",
    ok="✓",
    warn="!",
    fail="✗",
    none="—",
    dash="–",  # noqa: RUF001  the dash between two dates
    cut="…",
)
ASCII = Glyphs(
    "12345678",
    "abcd",
    partial="?",
    gap=".",
    about="~",
    ok="ok",
    warn="!",
    fail="X",
    none="-",
    dash="-",
    cut=".",
)


class PlainConsole(Console):
    """A console that prints text unchanged, and takes style from `Text` and `style=` only.

    Names, notes and messages come from files and registries: `[/cluster]` in one of them is not markup, and
    `:warning:` is not an emoji. No caller escapes text, and no option enables markup.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, markup=False, emoji=False, highlight=False)


def open_consoles() -> tuple[PlainConsole, PlainConsole]:
    """Return the consoles of standard output and standard error.

    A character that the terminal's encoding lacks is shown as `?` instead of ending the program, a minus sign
    as a hyphen: `?1.2%` would hide a fall.
    """
    codecs.register_error(_READABLE, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_READABLE)
    return PlainConsole(), PlainConsole(stderr=True)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join("-" if character == MINUS else "?" for character in lacking), error.end


def plain_table() -> Table:
    """Return a table without lines."""
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")


def print_error(error: Exception) -> None:
    """Print one message on standard error."""
    message = Text("Error: ", "bold red").append(str(error), "default")
    open_consoles()[1].print(message, soft_wrap=True)


def glyphs_of(console: Console) -> Glyphs:
    """Return the glyphs that the console's encoding has."""
    return UNICODE if console.encoding.lower().startswith("utf") else ASCII


def number(value: int) -> str:
    """Return `1,234,567`."""
    return f"{value:,}"


def percent(change: Change | None, glyphs: Glyphs) -> Text:
    """Return `+3.4%`."""
    return _coloured(change, signed(change.fraction, ",.1%")) if change else Text(glyphs.none, "dim")


def difference(change: Change | None, glyphs: Glyphs) -> Text:
    """Return `+1,234`."""
    return _coloured(change, signed(change.absolute)) if change else Text(glyphs.none, "dim")


def age(span: timedelta) -> str:
    """Return a length of time in its largest whole unit: `3 days`, `1 hour`, `40 minutes`."""
    seconds = max(0, int(span.total_seconds()))
    for length, unit in ((ONE_DAY, "day"), (ONE_HOUR, "hour"), (ONE_MINUTE, "minute")):
        if seconds >= length:
            return counted(seconds // length, unit)
    return "less than a minute"


def duration(span: timedelta) -> str:
    """Return a length of time in few characters: `42 s`, `3 min`, `2 h`, `9 d`."""
    seconds = max(0, round(span.total_seconds()))
    for length, unit in ((ONE_DAY, "d"), (ONE_HOUR, "h"), (ONE_MINUTE, "min")):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def sparkline(points: Sequence[Point], glyphs: Glyphs) -> Text:
    """Draw one character for each point, from zero, as the page and the API do.

    Complete values are bars, estimates are bars of another shape. Periods with days missing and periods
    without a value have their own glyph, since a bar would show a fall that nobody measured.
    """
    drawn = [
        point.value for point in points if point.value is not None and (point.complete or point.estimated)
    ]
    high = max(drawn, default=0)
    line = Text()
    for point in points:
        line.append_text(_spark(point, glyphs, high))
    return line


def sparkline_of_totals(total: PeriodTotal | None, glyphs: Glyphs) -> Text:
    """Draw one character for each period of a total, as `sparkline` does; one without a sum is a gap."""
    if total is None:
        return Text("")
    pairs = list(zip(total.totals, total.estimates, strict=True))
    known = [value for pair in pairs for value in pair if value is not None]
    line = Text()
    for measured, estimated in pairs:
        is_estimate = measured is None
        line.append_text(
            _bar(
                estimated if is_estimate else measured, max(known, default=0), glyphs, is_estimate=is_estimate
            )
        )
    return line


def legend(series: Sequence[Sequence[Point]], glyphs: Glyphs) -> Text:
    """Explain the glyphs that occur in these sparklines and values, and no others."""
    points = [point for line in series for point in line]
    parts = [Text(f"{glyphs.bars[0]}{glyphs.bars[3]}{glyphs.bars[-1]} complete", "cyan")]
    if any(point.estimated for point in points):
        shape = f"{glyphs.estimated_bars[0]}{glyphs.estimated_bars[-2]}{glyphs.estimated_bars[-1]}"
        parts.append(Text(f"{shape} {glyphs.about} estimated", "yellow"))
    if any(_is_partial(point) for point in points):
        parts.append(Text(f"{glyphs.partial} days missing", "magenta"))
    if any(point.value is None for point in points):
        parts.append(Text(f"{glyphs.gap} no data"))
    if any(point.status is Status.PROVISIONAL for point in points):
        parts.append(Text(f"{glyphs.provisional} provisional"))
    return Text("   ").join(parts)


def _spark(point: Point, glyphs: Glyphs, high: int) -> Text:
    if _is_partial(point):
        return Text(glyphs.partial, "magenta")
    return _bar(point.value, high, glyphs, is_estimate=point.estimated)


def _bar(value: int | None, high: int, glyphs: Glyphs, *, is_estimate: bool) -> Text:
    if value is None:
        return Text(glyphs.gap, "dim")
    bars, style = (glyphs.estimated_bars, "yellow") if is_estimate else (glyphs.bars, "cyan")
    return Text(bars[_step(value, high, len(bars))], style)


def _is_partial(point: Point) -> bool:
    return point.value is not None and not point.complete and not point.estimated


def _step(height: int, of: int, steps: int) -> int:
    """Return the index of the bar for `height` of `of`; zeros are on the ground."""
    if of == 0:
        return 0
    return min(steps - 1, height * steps // of)


def _coloured(change: Change, text: str) -> Text:
    if change.absolute == 0:
        return Text(text)
    return Text(text, "green" if change.absolute > 0 else "red")


def sample_texts(glyphs: Glyphs, *, is_sample: bool) -> list[Text]:
    """Return the line above numbers that are invented; nothing above others."""
    text = f"{glyphs.warn} Sample data: every number is invented by `community-metrics demo`."
    return [Text(text, "bold yellow")] if is_sample else []


def team_mark(visibility: Visibility) -> Text:
    """Return the word for a metric that only the team may see; nothing for a public one."""
    return Text("team" if visibility is Visibility.TEAM else "", "magenta")

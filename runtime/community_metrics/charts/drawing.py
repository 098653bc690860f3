"""What a chart shows: lines over periods, events, and the words around them. Values alone, nothing drawn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from community_metrics.periods import Period


class Mark(StrEnum):
    """What kind of value a dot is; each kind is drawn in its own way, as on the page."""

    MEASURED = "measured"
    PROVISIONAL = "may still change"
    ESTIMATED = "estimated"
    INCOMPLETE = "days missing"
    RESET = "counter reset"
    """No value: the counter fell in the period."""


@dataclass(frozen=True, slots=True)
class Dot:
    """The value of one period; None is a gap, or with `RESET` the reason of one.

    `restated`: the registry changed a value of the period after it had settled, whatever kind it is of.
    """

    value: int | None
    mark: Mark = Mark.MEASURED
    restated: bool = False

    @property
    def is_ringed(self) -> bool:
        """Whether it is a value that is marked as restated."""
        return self.restated and self.value is not None


@dataclass(frozen=True, slots=True)
class Line:
    """One series: its name in the key, and one dot for each period of the chart, oldest first.

    `is_earlier`: the values are of earlier periods, which the line is drawn in grey to compare with.
    """

    name: str
    dots: Sequence[Dot]
    is_earlier: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """An event on its day, in words."""

    day: date
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its words.

    `flags` come with the most important ones first. `starts_at_zero` is False only for levels, whose axis may
    begin higher; the picture then says so. `gap` is why a period has no value. `warnings` are above
    the lines, `notes` below them. `description` is the text alternative.
    """

    title: str
    subtitle: str
    periods: Sequence[Period]
    lines: Sequence[Line]
    flags: Sequence[Flag] = ()
    starts_at_zero: bool = True
    gap: str = "no data"
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a sum: its name, its value, and its share in words, empty where it is not known."""

    name: str
    value: int
    share: str = ""

    @property
    def text(self) -> str:
        """The words at the end of the bar."""
        return f"{self.value:,} ({self.share})" if self.share else f"{self.value:,}"


@dataclass(frozen=True, slots=True)
class Bars:
    """The parts of a sum as bars from 0; `notes` are below them, `description` is the text alternative."""

    title: str
    bars: Sequence[Bar]
    notes: Sequence[str] = ()
    description: str = ""

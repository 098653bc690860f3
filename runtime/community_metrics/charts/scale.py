"""The two axes of a chart: round values with their labels, and days with their labels. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.periods import Grain, period_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STEPS: Final = (1, 2, 5, 10)
_MOST_VALUES: Final = 5
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_STEPS: Final = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1_200)
_DAY_STEPS: Final = (1, 2, 7, 14)
_MOST_DAYS: Final = 8
_IN_WORDS: Final = 100_000
"""From this value on, an axis is labelled in thousands or more."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The values of an axis from its lowest to its highest label."""

    low: int
    step: int
    count: int

    @property
    def high(self) -> int:
        """The highest label."""
        return self.low + self.step * self.count

    @property
    def labels(self) -> Sequence[tuple[int, str]]:
        """Each labelled value with its label; no label is rounded."""
        unit, sign = next(
            ((unit, sign) for unit, sign in ((10**9, "G"), (10**6, "M"), (10**3, "k")) if self._is_in(unit)),
            (1, ""),
        )
        values = [self.low + at * self.step for at in range(self.count + 1)]
        return [
            (value, f"{value:,}" if unit == 1 or not value else f"{value / unit:g}{sign}") for value in values
        ]

    def _is_in(self, unit: int) -> bool:
        is_exact = self.step * 100 % unit == 0 and self.low * 100 % unit == 0
        return self.high >= max(unit, _IN_WORDS) and is_exact


def axis_of(values: Sequence[int], *, from_zero: bool) -> Axis:
    """Return an axis that has room for all values; without any, from 0 to 1."""
    high = max(values, default=1)
    low = 0 if from_zero else min(values, default=0)
    step = _step(max(high - low, 1) / _MOST_VALUES)
    first = low // step * step
    return Axis(first, step, max(1, math.ceil((high - first) / step)))


def _step(least: float) -> int:
    """Return the smallest of 1, 2, 5, 10, 20, 50 … that is not below `least`."""
    size = int(10 ** max(0, math.floor(math.log10(least))))
    return next(step * size for step in _STEPS if step * size >= least)


def days_on(first: date, last: date) -> list[tuple[date, str]]:
    """Return the labelled days from `first` to `last`: at most eight, on the first day of months or weeks."""
    for step in _DAY_STEPS:
        if (last - first).days < step * _MOST_DAYS:
            return [(day, f"{day.day} {_MONTHS[day.month - 1]}") for day in _every(first, last, step)]
    for step in _MONTH_STEPS:
        months = list(_months(first, last, step))
        if len(months) <= _MOST_DAYS:
            break
    return [(day, _month(day, step, is_first=not at)) for at, day in enumerate(months)]


def _every(first: date, last: date, step: int) -> Iterator[date]:
    day = first if step < period_of(first, Grain.WEEK).days else period_of(first, Grain.WEEK).start
    while day <= last:
        if day >= first:
            yield day
        day += timedelta(days=step)


def _months(first: date, last: date, step: int) -> Iterator[date]:
    at = -(-(first.year * 12 + first.month - 1 + (first.day > 1)) // step) * step
    while (day := date(at // 12, at % 12 + 1, 1)) <= last:
        yield day
        at += step


def _month(day: date, step: int, *, is_first: bool) -> str:
    if step % 12 == 0:
        return str(day.year)
    has_year = is_first or day.month <= step
    return f"{_MONTHS[day.month - 1]} {day.year}" if has_year else _MONTHS[day.month - 1]

"""How a value changed, and its share of a product.

Pure. The values of a series come by period, oldest first and without a gap; a value is None where its period
is not complete, so neither an estimate nor a period with a missing day enters a change or a share.

`days` are the lengths of the periods of a flow: months are compared by their daily mean, so that 1,000 a day
are no fall from January to February. A level has no `days`: it is compared as it is.

No change is computed across a level break, a day from which on a source counts in another way: neither of the
two numbers is wrong, but their difference says nothing about the package.

A year earlier is 4 quarters, 12 months, 364 days or 52 weeks back (the same weekdays, the nearest number of
full weeks to a year, and it exists for a week 53 too), so 2027-W10 is compared with 2026-W11, since 2026 has
53 weeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from community_metrics.periods import Grain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from community_metrics.model import LevelBreak
    from community_metrics.periods import Period

    Values = Sequence[int | None]
    Days = Sequence[int] | None

TRAILING: Final = 4
"""Periods of the trailing change."""
YEAR: Final = {Grain.DAY: 364, Grain.WEEK: 52, Grain.MONTH: 12, Grain.QUARTER: 4}
"""Periods from one period to the same one a year earlier."""


@dataclass(frozen=True, slots=True)
class Change:
    """The change of a value: `absolute` in its own unit, `fraction` of the base (0.05 is 5 % up).

    A flow's base is the daily mean of the earlier periods, times the days of the later ones.
    """

    absolute: int
    fraction: float


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes to one period: from the one before, of the last four, from a year earlier.

    `level_break` is the newest change of counting that one of the three would have to cross.
    """

    change: Change | None = None
    trailing: Change | None = None
    year_on_year: Change | None = None
    level_break: LevelBreak | None = None


def changes_at(
    values: Values,
    at: int,
    periods: Sequence[Period],
    breaks: Sequence[LevelBreak] = (),
    *,
    is_level: bool = False,
) -> Changes:
    """Return the changes to the period at a position: of a flow by the daily mean, of a level as it is."""
    days = None if is_level else [period.days for period in periods]
    year = YEAR[periods[at].grain]
    trailing = TRAILING if is_level else 2 * TRAILING - 1
    of_before, of_trailing, of_year = (
        break_between(breaks, periods[at - count].start, periods[at].end) if at >= count else None
        for count in (1, trailing, year)
    )
    crossed = [one for one in (of_before, of_trailing, of_year) if one is not None]
    return Changes(
        change=None if of_before else change_since(values, at, 1, days),
        trailing=None if of_trailing else change_of_trailing(values, at, days),
        year_on_year=None if of_year else change_since(values, at, year, days),
        level_break=max(crossed, key=lambda one: one.day, default=None),
    )


def break_between(breaks: Iterable[LevelBreak], first: date, last: date) -> LevelBreak | None:
    """Return the newest break after the day `first` up to the day `last`; None if both are counted alike.

    `first` is the first day of the earlier value and `last` the last day of the later one, so that a value
    which is counted in both ways is compared with nothing.
    """
    crossed = [one for one in breaks if one.is_between(first, last)]
    return max(crossed, key=lambda one: one.day) if crossed else None


def latest_complete(values: Values) -> int | None:
    """Return the position of the newest known value; None if there is none."""
    return next((at for at in reversed(range(len(values))) if values[at] is not None), None)


def change_since(values: Values, at: int, count: int, days: Days = None) -> Change | None:
    """Return the change from `count` periods before; None unless both are complete and the base is not 0."""
    if at < count:
        return None
    ratio = _ratio(days[at], days[at - count]) if days else 1
    return _change(values[at], values[at - count], ratio)


def change_of_trailing(values: Values, at: int, days: Days = None, count: int = TRAILING) -> Change | None:
    """Return the change of the last `count` periods, ending with `at`, from the `count` before them.

    For a flow the two sums are compared, and twice `count` periods must be complete. A level is compared
    with the one `count` periods earlier: levels do not add up.
    """
    if days is None:
        return change_since(values, at, count)
    window = slice(max(0, at + 1 - 2 * count), at + 1)
    known, lengths = [value for value in values[window] if value is not None], days[window]
    if len(known) < 2 * count:
        return None
    ratio = _ratio(sum(lengths[count:]), sum(lengths[:count]))
    return _change(sum(known[count:]), sum(known[:count]), ratio)


def change_from(base: int | None, value: int | None) -> Change | None:
    """Return the change of a value from a base; None unless both are known and the base is not 0."""
    return _change(value, base, 1)


def share(own: int | None, of_product: int | None) -> float | None:
    """Return `own` as a fraction of the product's sum in the same period.

    The sum is None unless all parts are complete: a missing registry would raise the share of the others.
    """
    return own / of_product if own is not None and of_product else None


def _ratio(days: int, base_days: int) -> Fraction | int:
    return 1 if days == base_days else Fraction(days, base_days)  # ints take a tenth of the time


def _change(value: int | None, base: int | None, ratio: Fraction | int) -> Change | None:
    if value is None or base is None or base == 0:
        return None
    expected = base * ratio
    return Change(absolute=round(value - expected), fraction=float((value - expected) / expected))

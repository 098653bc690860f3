"""How a value changed, and its share of a product.

Pure. The values of a series come by period, oldest first and without a gap; a value is None where its period
is not complete, so neither an estimate nor a period with a missing day enters a change or a share.

`days` are the lengths of the periods of a flow: months are compared by their daily mean, so that 1,000 a day
are no fall from January to February. A level has no `days`: it is compared as it is.

A year earlier is 12 months, 364 days or 52 weeks back (the same weekdays, the nearest number of full weeks to
a year, and it exists for a week 53 too), so 2027-W10 is compared with 2026-W11, since 2026 has 53 weeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from community_metrics.periods import Grain

if TYPE_CHECKING:
    from collections.abc import Sequence

    Values = Sequence[int | None]
    Days = Sequence[int] | None

TRAILING: Final = 4
"""Periods of the trailing change."""
YEAR: Final = {Grain.DAY: 364, Grain.WEEK: 52, Grain.MONTH: 12}
"""Periods from one period to the same one a year earlier."""


@dataclass(frozen=True, slots=True)
class Change:
    """The change of a value: `absolute` in its own unit, `fraction` of the base (0.05 is 5 % up).

    A flow's base is the daily mean of the earlier periods, times the days of the later ones.
    """

    absolute: int
    fraction: float


def latest_complete(values: Values) -> int | None:
    """Return the position of the newest known value; None if there is none."""
    return next((at for at in reversed(range(len(values))) if values[at] is not None), None)


def change_since(values: Values, at: int, count: int, days: Days = None) -> Change | None:
    """Return the change from `count` periods before; None unless both are complete and the base is not 0."""
    if at < count:
        return None
    ratio = Fraction(days[at], days[at - count]) if days else Fraction(1)
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
    ratio = Fraction(sum(lengths[count:]), sum(lengths[:count]))
    return _change(sum(known[count:]), sum(known[:count]), ratio)


def change_from(base: int | None, value: int | None) -> Change | None:
    """Return the change of a value from a base; None unless both are known and the base is not 0."""
    return _change(value, base, Fraction(1))


def share(own: int | None, of_product: int | None) -> float | None:
    """Return `own` as a fraction of the product's sum in the same period.

    The sum is None unless all parts are complete: a missing registry would raise the share of the others.
    """
    return own / of_product if own is not None and of_product else None


def _change(value: int | None, base: int | None, ratio: Fraction) -> Change | None:
    if value is None or base is None or base == 0:
        return None
    expected = base * ratio
    return Change(absolute=round(value - expected), fraction=float((value - expected) / expected))

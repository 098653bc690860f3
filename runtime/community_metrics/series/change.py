"""How a value changed, and its share of a product.

Pure. The values of a series come by period, oldest first and without a gap; a value is None where its period
is not complete, so neither an estimate nor a period with a missing day enters a change or a share.

A year earlier is 12 months, 364 days or 52 weeks back (the same weekdays, the nearest number of full weeks to
a year, and it exists for a week 53 too), so 2027-W10 is compared with 2026-W11, since 2026 has 53 weeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from community_metrics.model import ValueKind
from community_metrics.periods import Grain

if TYPE_CHECKING:
    from collections.abc import Sequence

    Values = Sequence[int | None]

TRAILING: Final = 4
"""Periods of the trailing change."""
YEAR: Final = {Grain.DAY: 364, Grain.WEEK: 52, Grain.MONTH: 12}
"""Periods from one period to the same one a year earlier."""


@dataclass(frozen=True, slots=True)
class Change:
    """The change of a value: `absolute` in its own unit, `fraction` of the base (0.05 is 5 % up)."""

    absolute: int
    fraction: float


def latest_complete(values: Values) -> int | None:
    """Return the position of the newest known value; None if there is none."""
    return next((at for at in reversed(range(len(values))) if values[at] is not None), None)


def change_since(values: Values, at: int, count: int) -> Change | None:
    """Return the change from `count` periods before; None unless both are complete and the base is not 0."""
    return _change(values[at], values[at - count] if at >= count else None)


def change_of_trailing(values: Values, at: int, kind: ValueKind, count: int = TRAILING) -> Change | None:
    """Return the change of the last `count` periods, ending with `at`, from the `count` before them.

    For a flow the two sums are compared, and twice `count` periods must be complete. A level is compared
    with the one `count` periods earlier: levels do not add up.
    """
    if kind is ValueKind.LEVEL:
        return change_since(values, at, count)
    known = [value for value in values[max(0, at + 1 - 2 * count) : at + 1] if value is not None]
    if len(known) < 2 * count:
        return None
    return _change(sum(known[count:]), sum(known[:count]))


def share(own: int | None, of_product: int | None) -> float | None:
    """Return `own` as a fraction of the product's sum in the same period.

    The sum is None unless all parts are complete: a missing registry would raise the share of the others.
    """
    return own / of_product if own is not None and of_product else None


def _change(value: int | None, base: int | None) -> Change | None:
    if value is None or base is None or base == 0:
        return None
    return Change(absolute=value - base, fraction=(value - base) / base)

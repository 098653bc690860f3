"""A metric beside the total of its registry: its share, and its growth net of the registry's. Pure.

Only days that both have are counted, so that a day which the registry did not count is a gap in both terms
and never a spike of one. A change is computed between complete periods only, and across no level break.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from community_metrics.readings import number_of_day
from community_metrics.series.change import break_between

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from numpy.typing import NDArray

    from community_metrics.model import LevelBreak
    from community_metrics.periods import Period

Values: TypeAlias = Mapping[date, int]
PARTS: Final = 1_000_000
"""Shares are in parts of a million: a package has few of a registry's downloads."""


@dataclass(frozen=True, slots=True)
class RegistryPoint:
    """One period of a metric and of its registry, over the days that both have.

    `value` and `registry_value` are the two sums, None without a common day. `share_ppm` is the first in
    millionths of the second. `growth` and `registry_growth` are their changes from the period before, by
    their daily means, and `net_growth` is what remains of the first without the second: 0.1 where the metric
    grew by a tenth more than everything, whatever that did. They are None unless both periods are complete,
    that is over and with every day in common.
    """

    period: Period
    value: int | None
    registry_value: int | None
    days_present: int
    days_expected: int
    complete: bool
    share_ppm: float | None
    growth: float | None
    registry_growth: float | None
    net_growth: float | None


def beside_registry(
    own: Values,
    registry: Values,
    periods: Sequence[Period],
    now: datetime,
    *,
    uncounted: Iterable[date] = (),
    breaks: Iterable[LevelBreak] = (),
) -> list[RegistryPoint]:
    """Return one point for each of `periods`, which follow one another, oldest first.

    `uncounted` are days that the registry counted only in part: they are no days that both have. `breaks` are
    those of both series.
    """
    left_out = frozenset(uncounted)
    days = own.keys() & registry.keys() - left_out
    first = number_of_day(periods[0].start)
    count = number_of_day(periods[-1].end) - first + 1
    edges = np.array([number_of_day(period.start) - first for period in periods] + [count])
    terms_and_days = (own, registry, dict.fromkeys(days, 1))
    sums = [_sums(_by_day(values, days, first, count), edges) for values in terms_and_days]
    known = list(breaks)
    found: list[RegistryPoint] = []
    terms = zip(periods, *sums, strict=True)
    for period, value, total, present in terms:
        point = _point(period, (value, total), present, now)
        before = found[-1] if found else None
        found.append(_with_growth(point, before, known))
    return found


def _sums(by_day: NDArray[np.int64], edges: NDArray[np.int64]) -> list[int]:
    """Return the sums of the days from each edge to the next one."""
    until = np.concatenate(([0], np.cumsum(by_day)))
    return [int(total) for total in np.diff(until[edges])]


def _by_day(values: Values, days: Iterable[date], first: int, count: int) -> NDArray[np.int64]:
    """Return the values of `days` by column, 0 for all others."""
    columns = np.zeros(count, np.int64)
    for day in days:
        at = number_of_day(day) - first
        if 0 <= at < count:
            columns[at] = values[day]
    return columns


def _point(period: Period, terms: tuple[int, int], present: int, now: datetime) -> RegistryPoint:
    value, total = terms if present else (None, None)
    return RegistryPoint(
        period=period,
        value=value,
        registry_value=total,
        days_present=present,
        days_expected=period.days,
        complete=present == period.days and period.is_over(now),
        share_ppm=value / total * PARTS if value is not None and total else None,
        growth=None,
        registry_growth=None,
        net_growth=None,
    )


def _with_growth(
    point: RegistryPoint, before: RegistryPoint | None, breaks: Sequence[LevelBreak]
) -> RegistryPoint:
    """Return the point with its changes from the period before, where they can be computed."""
    if before is None or not (point.complete and before.complete):
        return point
    if break_between(breaks, before.period.start, point.period.end) is not None:
        return point
    days = before.days_expected / point.days_expected
    own = _ratio(point.value, before.value, days)
    total = _ratio(point.registry_value, before.registry_value, days)
    return replace(
        point,
        growth=None if own is None else own - 1,
        registry_growth=None if total is None else total - 1,
        net_growth=None if own is None or not total else own / total - 1,
    )


def _ratio(value: int | None, base: int | None, days: float) -> float | None:
    return value / base * days if value is not None and base else None

"""The mean of the seven days that end with a day: a week has every weekday once, so it has no weekly swing.

Pure. Nothing is filled: an average whose days are not all complete is missing.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

from community_metrics.model import ValueKind
from community_metrics.series.change import break_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.model import LevelBreak
    from community_metrics.series.grid import PointSeries

AVERAGE_DAYS: Final = 7
_DECIMALS: Final = 1
_AVERAGED: Final = {ValueKind.FLOW, ValueKind.COUNTER}


def week_averages(series: PointSeries, breaks: Sequence[LevelBreak] = ()) -> list[float | None] | None:
    """Return for each day the mean of the seven days that end with it, in the metric's unit a day.

    The mean is rounded to one decimal. It is None unless all seven days are complete, and where the source
    changed its way of counting within them. Of levels and rolling totals nothing is returned: their readings
    are not amounts of a day.
    """
    if series.metric.value_kind not in _AVERAGED:
        return None
    values, periods = series.complete_values(), series.periods
    sums = [0, *accumulate(value or 0 for value in values)]
    known = [0, *accumulate(int(value is not None) for value in values)]
    averages: list[float | None] = [None] * len(values)
    for end in range(AVERAGE_DAYS, len(values) + 1):
        start = end - AVERAGE_DAYS
        if known[end] - known[start] < AVERAGE_DAYS:
            continue
        if breaks and break_between(breaks, periods[start].start, periods[end - 1].end):
            continue
        averages[end - 1] = round((sums[end] - sums[start]) / AVERAGE_DAYS, _DECIMALS)
    return averages

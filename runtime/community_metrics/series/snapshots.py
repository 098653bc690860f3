"""Points of metrics whose values are read at an instant: levels, counters and rolling totals. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from community_metrics.model import EDGE_REACH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from community_metrics.series.grid import PointGrid

_REACH: Final = EDGE_REACH // timedelta(microseconds=1)


def set_levels(grid: PointGrid, row: int, own: NDArray[np.void]) -> None:
    """Set the points of a level: the last reading by its instant, not by its day."""
    grid.days_expected[row] = 1
    if not len(own):
        return
    by_instant, instants = _by_instant(own)
    last = np.searchsorted(instants, grid.ends + _REACH, side="right") - 1
    known = np.flatnonzero((last >= 0) & (instants[last] > grid.starts + _REACH))
    at = (np.full(len(known), row), known)
    grid.set_rows(at, by_instant[last[known]])
    grid.days_present[at] = 1
    grid.complete[at] = grid.is_over[known] & (instants[last[known]] >= grid.ends[known] - _REACH)


def ended_days(own: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the day since 1970 that each reading ends: until noon (UTC) the day before, later its own."""
    days: NDArray[np.int64] = (own["observed_at"] - _REACH - 1) // (2 * _REACH)
    return days


def set_counters(grid: PointGrid, row: int, own: NDArray[np.void]) -> None:
    """Set the points of a counter: the difference of the readings nearest to the two edges of a period.

    The reading of an edge is the same for the period that it ends and for the one that it begins, so the
    points of periods without a gap sum to the difference of the outer readings.
    """
    if not len(own):
        return
    by_instant, instants = _by_instant(own)
    values = by_instant["value"]
    first, last = _nearest(instants, grid.starts), _nearest(instants, grid.ends)
    falls = np.append(0, np.cumsum((np.diff(values) < 0) | by_instant["is_reset"][1:]))
    grid.reset[row] = (
        falls[_or_last_before(last, instants, grid.ends)]
        > falls[_or_last_before(first, instants, grid.starts)]
    )
    known = np.flatnonzero((first >= 0) & (last > first) & ~grid.reset[row])
    pairs = np.column_stack([first[known], last[known]])
    at = (np.full(len(known), row), known)
    grid.set_rows(
        at,
        by_instant[pairs.ravel()],
        np.arange(0, pairs.size, 2),
        values=(values[pairs[:, 1]] - values[pairs[:, 0]]).astype(object),
    )
    grid.days_present[at] = grid.days[known]
    grid.complete[at] = grid.is_over[known]


def set_rolling(grid: PointGrid, row: int, own: NDArray[np.void]) -> None:
    """Set the points of a rolling total: the last reading of the period, by the last day of its window."""
    grid.days_expected[row] = 1
    period = np.searchsorted(grid.last_days, own["last_day"])
    inside = period < len(grid.periods)
    inside[inside] &= grid.first_days[period[inside]] <= own["last_day"][inside]
    own, period = own[inside], period[inside]
    is_last = np.append(np.diff(period) != 0, True)[: len(own)]  # the rows of a metric come by day
    own, period = own[is_last], period[is_last]
    at = (np.full(len(own), row), period)
    grid.set_rows(at, own)
    grid.days_present[at] = 1
    grid.complete[at] = grid.is_over[period] & (own["last_day"] == grid.last_days[period])


def _by_instant(own: NDArray[np.void]) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    rows = own[np.argsort(own["observed_at"], kind="stable")]
    return rows, rows["observed_at"]


def _nearest(instants: NDArray[np.int64], edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position of the reading nearest to each edge, the later of two; -1 if none is within reach.

    A reading of noon is within reach of both edges of its day, so that this day has a single reading.
    """
    after = np.searchsorted(instants, edges)
    before = after - 1
    until = instants[np.minimum(after, len(instants) - 1)] - edges
    since = edges - instants[np.maximum(before, 0)]
    has_after = (after < len(instants)) & (until <= _REACH)
    has_before = (before >= 0) & (since <= _REACH)
    nearer = np.where(has_after & (~has_before | (until <= since)), after, before)
    found: NDArray[np.int64] = np.where(has_after | has_before, nearer, -1)
    return found


def _or_last_before(
    found: NDArray[np.int64], instants: NDArray[np.int64], edges: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return `found`, or where an edge has no reading the last one before it, else the first of all.

    A fall across an edge without a reading thus belongs to the period in which it was read.
    """
    positions: NDArray[np.int64] = np.where(
        found >= 0, found, np.maximum(np.searchsorted(instants, edges, side="right") - 1, 0)
    )
    return positions

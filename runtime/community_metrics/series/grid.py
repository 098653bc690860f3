"""Points of several metrics over the same periods: columns inside, a `Point` only where one is asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np

from community_metrics.model import Status
from community_metrics.periods import midnight
from community_metrics.readings import (
    PROVENANCES,
    STATUSES,
    instant_of_number,
    number_of_day,
    number_of_instant,
)
from community_metrics.series.additive import require_additive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from numpy.typing import NDArray

    from community_metrics.model import MetricDefinition, Provenance
    from community_metrics.periods import Period

    Cells = tuple[NDArray[np.int64], NDArray[np.int64]]
    """Rows and columns of a grid."""

_UNKNOWN: Final = -1
_PROVISIONAL: Final = STATUSES.index(Status.PROVISIONAL)
_EXACT: Final = 2.0**53
"""Below it a float has each whole number, and adds in a tenth of the time of Python's own."""


@dataclass(frozen=True, slots=True)
class Point:
    """One metric in one period.

    `value` is None if nothing is known, an estimate if `estimated` (from the metric `fallback_id`), and
    otherwise the sum over `days_present` of `days_expected` days; a level and a rolling total have one
    reading of one, and a counter has all days or none. `complete`: the period is over and nothing is missing;
    never true for an estimate. `observed_at` is when the newest row of the value was read at its source.
    `duplicated`: the key of a row is stored more than once; the value includes only its newest copy.
    `reset`: the counter was reset in the period, so that it has no value.
    """

    period: Period
    value: int | None = None
    days_present: int = 0
    days_expected: int = 1
    complete: bool = False
    estimated: bool = False
    fallback_id: str | None = None
    provenance: Provenance | None = None
    status: Status | None = None
    restated: bool = False
    observed_at: datetime | None = None
    duplicated: bool = False
    reset: bool = False


@dataclass(frozen=True)
class PointGrid:
    """Points as arrays of shape (metrics, periods); the periods come oldest first.

    `value` and `fallback` hold Python's own ints and texts (a sum may exceed an int64), None where nothing is
    known. `provenance` has codes, -1 for none; `observed_at` microseconds since 1970.
    """

    metrics: tuple[MetricDefinition, ...]
    periods: tuple[Period, ...]
    days: NDArray[np.int64]
    first_days: NDArray[np.int64]
    last_days: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    is_over: NDArray[np.bool_]
    value: NDArray[np.object_]
    days_present: NDArray[np.int64]
    days_expected: NDArray[np.int64]
    complete: NDArray[np.bool_]
    fallback: NDArray[np.object_]
    provenance: NDArray[np.int8]
    provisional: NDArray[np.bool_]
    restated: NDArray[np.bool_]
    observed_at: NDArray[np.int64]
    duplicated: NDArray[np.bool_]
    reset: NDArray[np.bool_]

    @classmethod
    def empty(
        cls, metrics: Sequence[MetricDefinition], periods: Sequence[Period], now: datetime
    ) -> PointGrid:
        """Return a grid of points about which nothing is known."""
        shape = (len(metrics), len(periods))
        days = np.array([period.days for period in periods])
        return cls(
            metrics=tuple(metrics),
            periods=tuple(periods),
            days=days,
            first_days=np.array([number_of_day(period.start) for period in periods]),
            last_days=np.array([number_of_day(period.end) for period in periods]),
            starts=np.array([number_of_instant(midnight(period.start)) for period in periods]),
            ends=np.array([number_of_instant(period.end_instant) for period in periods]),
            is_over=np.array([period.is_over(now) for period in periods]),
            value=np.full(shape, None, object),
            days_present=np.zeros(shape, np.int64),
            days_expected=np.tile(days, (len(metrics), 1)),
            complete=np.zeros(shape, np.bool_),
            fallback=np.full(shape, None, object),
            provenance=np.full(shape, _UNKNOWN, np.int8),
            provisional=np.zeros(shape, np.bool_),
            restated=np.zeros(shape, np.bool_),
            observed_at=np.zeros(shape, np.int64),
            duplicated=np.zeros(shape, np.bool_),
            reset=np.zeros(shape, np.bool_),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """The number of metrics and of periods."""
        return len(self.metrics), len(self.periods)

    def set_rows(
        self,
        at: Cells,
        rows: NDArray[np.void],
        starts: NDArray[np.int64] | None = None,
        *,
        values: NDArray[np.object_] | None = None,
    ) -> None:
        """Set the cells `at` from rows: one row each, or the group of rows from each of `starts` to the next.

        Without `values` each cell has the value of its row.
        """
        if not len(rows):
            return
        groups = np.arange(len(rows)) if starts is None else starts
        self.value[at] = rows["value"].astype(object) if values is None else values
        self.provenance[at] = np.minimum.reduceat(rows["provenance"], groups)
        self.observed_at[at] = np.maximum.reduceat(rows["observed_at"], groups)
        marks = (rows["status"] == _PROVISIONAL, rows["revision"] > 0, rows["duplicated"])
        self.provisional[at], self.restated[at], self.duplicated[at] = _is_any(marks, groups)

    def is_unknown(self, row: int) -> NDArray[np.bool_]:
        """Return which points of a metric have no value."""
        unknown: NDArray[np.bool_] = self.provenance[row] == _UNKNOWN
        return unknown

    @cached_property
    def complete_floats(self) -> NDArray[np.float64]:
        """The values of the complete points, NaN for all others; once every point is set."""
        values = np.full(self.shape, np.nan)
        values[self.complete] = self.value[self.complete].astype(np.float64)
        return values

    def complete_totals(self, rows: Sequence[int]) -> list[int | None]:
        """Return the sum of some metrics in each period; None where one of them is not complete.

        Raises:
            NotAdditive: one of them has values that do not add up.
            NotAlike: one counts what another one counts too.
        """
        if not rows:
            return [None] * len(self.periods)
        require_additive([self.metrics[row] for row in rows])
        sums = self.complete_floats[rows].sum(axis=0).tolist()  # NaN where one is not complete
        if not any(total >= _EXACT for total in sums):
            return [None if math.isnan(total) else int(total) for total in sums]
        whole = self.complete[rows].all(axis=0)
        totals = np.full(len(self.periods), None, object)
        totals[whole] = self.value[rows][:, whole].sum(axis=0)
        found: list[int | None] = totals.tolist()
        return found

    def point(self, row: int, at: int) -> Point:
        """Return the point of one metric in one period."""
        code = int(self.provenance[row, at])
        fallback: str | None = self.fallback[row, at]
        return Point(
            period=self.periods[at],
            value=self.value[row, at],
            days_present=int(self.days_present[row, at]),
            days_expected=int(self.days_expected[row, at]),
            complete=bool(self.complete[row, at]),
            estimated=fallback is not None,
            fallback_id=fallback,
            provenance=None if code == _UNKNOWN else PROVENANCES[code],
            status=None if code == _UNKNOWN else _status(is_provisional=bool(self.provisional[row, at])),
            restated=bool(self.restated[row, at]),
            observed_at=None if code == _UNKNOWN else instant_of_number(int(self.observed_at[row, at])),
            duplicated=bool(self.duplicated[row, at]),
            reset=bool(self.reset[row, at]),
        )

    def series(self, row: int) -> PointSeries:
        """Return the points of one metric."""
        return PointSeries(self, row, range(len(self.periods)))


class PointSeries(Sequence[Point]):
    """The points of one metric over a range of periods, oldest first."""

    def __init__(self, grid: PointGrid, row: int, window: range) -> None:
        self._grid = grid
        self._row = row
        self._window = window

    def __len__(self) -> int:
        return len(self._window)

    @overload
    def __getitem__(self, index: int) -> Point: ...
    @overload
    def __getitem__(self, index: slice) -> PointSeries: ...
    def __getitem__(self, index: int | slice) -> Point | PointSeries:
        if isinstance(index, slice):
            return PointSeries(self._grid, self._row, self._window[index])
        return self._grid.point(self._row, self._window[index])

    def __iter__(self) -> Iterator[Point]:
        columns = self.columns()
        for period, *fields in zip(self.periods, *columns.values(), strict=True):
            yield Point(period, **dict(zip(columns, fields, strict=True)))

    @property
    def metric(self) -> MetricDefinition:
        """The metric of the points."""
        return self._grid.metrics[self._row]

    @property
    def periods(self) -> tuple[Period, ...]:
        """The periods of the points."""
        return self._grid.periods[self._window.start : self._window.stop]

    def complete_values(self) -> list[int | None]:
        """Return the value of each complete period, None for every other."""
        columns = zip(self._column("value").tolist(), self._column("complete").tolist(), strict=True)
        return [value if is_complete else None for value, is_complete in columns]

    def columns(self) -> dict[str, list[Any]]:
        """Return the fields of the points, each as a list with one item per period."""
        known = (self._column("provenance") != _UNKNOWN).tolist()
        fallbacks = self._column("fallback").tolist()
        provisional = self._column("provisional").tolist()
        return {
            "value": self._column("value").tolist(),
            "days_present": self._column("days_present").tolist(),
            "days_expected": self._column("days_expected").tolist(),
            "complete": self._column("complete").tolist(),
            "estimated": [name is not None for name in fallbacks],
            "fallback_id": fallbacks,
            "provenance": [
                None if code == _UNKNOWN else PROVENANCES[code]
                for code in self._column("provenance").tolist()
            ],
            "status": [
                _status(is_provisional=is_provisional) if is_known else None
                for is_known, is_provisional in zip(known, provisional, strict=True)
            ],
            "restated": self._column("restated").tolist(),
            "observed_at": [
                instant_of_number(instant) if is_known else None
                for is_known, instant in zip(known, self._column("observed_at").tolist(), strict=True)
            ],
            "duplicated": self._column("duplicated").tolist(),
            "reset": self._column("reset").tolist(),
        }

    def _column(self, name: str) -> NDArray[Any]:
        column: NDArray[Any] = getattr(self._grid, name)[self._row, self._window.start : self._window.stop]
        return column


def _status(*, is_provisional: bool) -> Status:
    return Status.PROVISIONAL if is_provisional else Status.FINAL


def _is_any(marks: Sequence[NDArray[np.bool_]], groups: NDArray[np.int64]) -> Iterator[NDArray[np.bool_]]:
    """Yield for each mark of rows which of the groups, that begin at `groups`, has a row with it."""
    # in one number: numpy takes as long for the groups of one mark as for those of a few
    numbers = sum(mark.astype(np.uint8) << bit for bit, mark in enumerate(marks))
    found = np.bitwise_or.reduceat(numbers, groups)
    return ((found >> bit & 1).astype(np.bool_) for bit in range(len(marks)))

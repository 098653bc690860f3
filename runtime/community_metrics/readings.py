"""Stored values as columns, so that a view makes Python objects only of what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from community_metrics.model import Provenance, SourceWindow, Status, ValueMark

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

WINDOWS: Final = tuple(SourceWindow)
STATUSES: Final = tuple(Status)
PROVENANCES: Final = tuple(Provenance)
MARKS: Final = (None, *ValueMark)
"""The words of the four columns; a code is the position of a word, and of a provenance also its rank."""

ROW: Final = np.dtype(
    [
        ("metric", "i4"),
        ("first_day", "i4"),
        ("last_day", "i4"),
        ("revision", "i4"),
        ("value", "i8"),
        ("observed_at", "i8"),
        ("window", "i1"),
        ("status", "i1"),
        ("provenance", "i1"),
        ("mark", "i1"),
        ("is_reset", "?"),
        ("duplicated", "?"),
    ],
    align=True,  # numpy copies a column that is not aligned before it computes with it
)
"""One row of `stats`: `metric` is its position in `metric_ids`; days and microseconds are since 1970."""

_WHOLE: Final = np.dtype((np.void, ROW.itemsize))
"""A row without its columns: numpy copies such rows at once, others column by column (ten times slower)."""
_CSV_SEED: Final = PROVENANCES.index(Provenance.CSV_SEED)
_BACKFILL: Final = PROVENANCES.index(Provenance.BACKFILL)
_EPOCH: Final = date(1970, 1, 1)
_EPOCH_INSTANT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MICROSECONDS_A_DAY: Final = timedelta(days=1) // _MICROSECOND
_PRECEDENCE: Final = ("value", "provenance", "revision", "observed_at")
"""What decides between copies of one key (`model.precedence`), least important first."""


@dataclass(frozen=True)
class Readings:
    """Rows of some metrics, by metric and last day; each key once, with its newest copy."""

    metric_ids: tuple[str, ...]
    rows: NDArray[np.void]

    @classmethod
    def of(cls, metric_ids: Sequence[str], parts: Sequence[NDArray[np.void]]) -> Readings:
        """Return the rows of `parts`, each an array of `ROW` in any order."""
        rows = np.concatenate([part.view(_WHOLE) for part in parts]).view(ROW) if parts else np.empty(0, ROW)
        return cls(tuple(metric_ids), _distinct(rows))

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return np.searchsorted(self.rows["metric"], np.arange(len(self.metric_ids) + 1))

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {metric_id: position for position, metric_id in enumerate(self.metric_ids)}

    def of_each_row(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return for each row the number of its metric; `numbers` has one for each of `metric_ids`."""
        return np.repeat(numbers, np.diff(self._starts))

    def position(self, metric_id: str) -> int | None:
        """Return the position of a metric in `metric_ids`; None if it was not read."""
        return self._positions.get(metric_id)

    def bounds_of(self, metric_ids: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where in `rows` those of metrics that were read begin, and where they end."""
        positions = np.array([self._positions[name] for name in metric_ids])
        return self._starts[positions], self._starts[positions + 1]

    def of_metric(self, metric_id: str) -> NDArray[np.void]:
        """Return the rows of one metric, oldest first; none if it was not read."""
        position = self.position(metric_id)
        if position is None:
            return self.rows[:0]
        return self.rows[self._starts[position] : self._starts[position + 1]]

    def marked(self, mark: ValueMark, *, since: date, until: date) -> frozenset[tuple[str, date]]:
        """Return the metrics and last days, in a range of days, whose row has the mark."""
        found = rows_at(self.rows, self.rows["mark"] == MARKS.index(mark))
        names = (self.metric_ids[position] for position in found["metric"].tolist())
        days = map(day_of_number, found["last_day"].tolist())
        return frozenset(key for key in zip(names, days, strict=True) if since <= key[1] <= until)

    def days(self, metric_id: str, *, fetched_only: bool = False) -> list[date]:
        """Return the last day of each row of a metric, oldest first; `fetched_only` leaves out seed files."""
        rows = self.of_metric(metric_id)
        if fetched_only:
            rows = rows[rows["provenance"] != _CSV_SEED]
        return [day_of_number(number) for number in rows["last_day"].tolist()]

    def observed_at(self, metric_id: str) -> datetime | None:
        """Return when the newest row of a metric was read at its source; None without a row."""
        newest = self.of_metric(metric_id)[-1:]["observed_at"].tolist()
        return instant_of_number(newest[0]) if newest else None

    def read_on(self, metric_id: str) -> list[date]:
        """Return the UTC days on which the source of a metric was read, in order.

        Rows of seed files and backfilled ones say nothing of it.
        """
        instants = self._instants_read(metric_id)
        return [day_of_number(number) for number in np.unique(instants // _MICROSECONDS_A_DAY).tolist()]

    def last_read_on(self, metric_id: str) -> date | None:
        """Return the newest of these days; None if there is none."""
        instants = self._instants_read(metric_id)
        return day_of_number(int(instants.max()) // _MICROSECONDS_A_DAY) if len(instants) else None

    @property
    def has_revisions(self) -> bool:
        """Whether a row was restated by its source."""
        return bool((self.rows["revision"] > 0).any())

    @cached_property
    def spans(self) -> dict[str, tuple[int, int]]:
        """The last days of the oldest and the newest row of each metric with rows, as numbers."""
        starts, ends = self._starts[:-1], self._starts[1:]
        (found,) = np.nonzero(ends > starts)
        days = self.rows["last_day"]
        pairs = zip(days[starts[found]].tolist(), days[ends[found] - 1].tolist(), strict=True)
        return {self.metric_ids[at]: pair for at, pair in zip(found.tolist(), pairs, strict=True)}

    @cached_property
    def newest_fetched_days(self) -> dict[str, int]:
        """The last day of the newest row of each metric that did not come from a seed file, as a number."""
        is_fetched = self.rows["provenance"] != _CSV_SEED
        if not is_fetched.all():
            return Readings(self.metric_ids, rows_at(self.rows, is_fetched)).newest_fetched_days
        return {name: last for name, (_, last) in self.spans.items()}

    @cached_property
    def first_days(self) -> dict[str, int]:
        """The day on which the oldest row of each metric with rows begins, as a number."""
        starts, ends = self._starts[:-1], self._starts[1:]
        (found,) = np.nonzero(ends > starts)
        days = self.rows["first_day"][starts[found]].tolist()
        return {self.metric_ids[at]: day for at, day in zip(found.tolist(), days, strict=True)}

    def _instants_read(self, metric_id: str) -> NDArray[np.int64]:
        rows = self.of_metric(metric_id)
        instants: NDArray[np.int64] = rows["observed_at"][
            ~np.isin(rows["provenance"], (_CSV_SEED, _BACKFILL))
        ]
        return instants

    def newest(self) -> Readings:
        """Return the newest row of each metric that has one."""
        ends = self._starts[1:]
        return Readings(self.metric_ids, rows_at(self.rows, ends[ends > self._starts[:-1]] - 1))

    def joined(self, other: Readings) -> Readings:
        """Return the rows of both. A key that both have counts as stored twice."""
        if not other.metric_ids:
            return self
        mine = {
            name: position for position, name in enumerate(dict.fromkeys(self.metric_ids + other.metric_ids))
        }
        moved = other.rows.copy()
        moved["metric"] = np.array([mine[name] for name in other.metric_ids], np.int32)[other.rows["metric"]]
        return Readings.of(tuple(mine), [self.rows, moved])

    def without(self, metric_ids: Collection[str]) -> Readings:
        """Return the rows of the other metrics."""
        left_out = [position for position, name in enumerate(self.metric_ids) if name in metric_ids]
        return Readings(self.metric_ids, rows_at(self.rows, ~np.isin(self.rows["metric"], left_out)))

    def found(self) -> list[str]:
        """Return the ids of the metrics that have a row."""
        return [self.metric_ids[position] for position in np.unique(self.rows["metric"]).tolist()]


def _distinct(rows: NDArray[np.void]) -> NDArray[np.void]:
    """Return the rows in order, each key once and marked if it had copies.

    LanceDB enforces no unique key, so two writers can insert one key twice; `repair` deletes extra copies.
    """
    keys = rows["metric"].astype(np.int64) * 2**32 + rows["last_day"]
    steps = np.diff(keys)
    if (steps > 0).all():
        return rows
    if (steps < 0).any():
        order = np.argsort(keys, kind="stable")
        rows, keys = rows_at(rows, order), keys[order]
        steps = np.diff(keys)
    if (steps > 0).all():
        return rows
    rows = rows_at(rows, np.lexsort((*(rows[name] for name in _PRECEDENCE), keys)))
    is_last = np.append(steps > 0, True)
    has_copies = ~(is_last & np.append(True, steps > 0))
    rows["duplicated"] |= has_copies
    return rows_at(rows, is_last)


def rows_at(rows: NDArray[np.void], which: NDArray[np.bool_] | NDArray[np.int64]) -> NDArray[np.void]:
    """Return a copy of the rows at positions, or where a mask is true."""
    chosen: NDArray[np.void] = rows.view(_WHOLE)[which].view(ROW)
    return chosen


def number_of_day(day: date) -> int:
    """Return the days from 1970-01-01 to `day`."""
    return (day - _EPOCH).days


def day_of_number(number: int) -> date:
    """Return the day that is so many days after 1970-01-01."""
    return date.fromordinal(_EPOCH.toordinal() + number)


def number_of_instant(instant: datetime) -> int:
    """Return the microseconds from 1970 to `instant`."""
    return (instant - _EPOCH_INSTANT) // _MICROSECOND


def instant_of_number(number: int) -> datetime:
    """Return the instant, in UTC, that is so many microseconds after 1970."""
    return _EPOCH_INSTANT + timedelta(microseconds=number)

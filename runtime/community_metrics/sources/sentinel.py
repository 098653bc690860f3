"""A registry's sentinel: a package downloaded every day, which shows whether an empty day was counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.errors import SourceError
from community_metrics.sources.base import FetchResult
from community_metrics.sources.days import (
    absent_days,
    counted_days,
    emptied,
    listed,
    low_days,
    observations,
    uncounted_days,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from datetime import date

    from community_metrics.sources.base import FetchRequest
    from community_metrics.sources.days import DailyCounts


@dataclass(frozen=True, slots=True)
class CheckedDays:
    """The doubtful days, compared with the sentinel; `notes` are for a person, `error` is the sentinel's.

    `counted`: days that the registry counted, so that an omitted one means 0. `held_back`: days that it
    counted only in part, since they are far too low for this package and for the sentinel.
    """

    counted: frozenset[date] = frozenset()
    held_back: frozenset[date] = frozenset()
    notes: tuple[str, ...] = ()
    error: SourceError | None = None


class Sentinel:
    """Read once in a run, at the first doubtful day; a failure is kept like a response.

    Where the sentinel cannot be read, the values that the registry states are stored, every doubtful day
    stays missing until a later run, and the run is partial.
    """

    def __init__(self, name: str, read: Callable[[], Awaitable[Mapping[date, int]]]) -> None:
        self._name = name
        self._read = read
        self._outcome: Mapping[date, int] | SourceError | None = None

    async def check(self, empty: Iterable[date], low: Iterable[date] = ()) -> CheckedDays:
        """Return which `empty` days were counted, and which `low` ones only in part."""
        doubtful, stated = frozenset(empty), frozenset(low)
        if not doubtful and not stated:
            return CheckedDays()
        if self._outcome is None:
            try:
                self._outcome = await self._read()
            except SourceError as error:
                self._outcome = error
        if isinstance(self._outcome, SourceError):
            return self._without_sentinel(self._outcome, doubtful, stated)
        counted = doubtful & counted_days(self._outcome)
        held_back = uncounted_days(self._outcome, stated)
        open_days = (doubtful - counted) | held_back
        notes = (f"{listed(open_days)} not published yet, or only in part",) if open_days else ()
        return CheckedDays(counted, held_back, notes)

    def _without_sentinel(
        self, error: SourceError, doubtful: frozenset[date], stated: frozenset[date]
    ) -> CheckedDays:
        failed = f"the sentinel {self._name} failed"
        notes = [f"{listed(doubtful)} left open: {failed}"] if doubtful else []
        notes += [f"{listed(stated)} stored unchecked, though unusually low: {failed}"] if stated else []
        # the days differ from metric to metric; the cause is one for all
        detail = f"{failed}: {error.detail}" if error.detail else failed
        return CheckedDays(notes=tuple(notes), error=error.with_facts(detail=detail, fix=None))


async def daily_result(
    request: FetchRequest, counts: DailyCounts, sentinel: Sentinel, *, source: str
) -> FetchResult:
    """Return the requested days of `counts`: stated values, and the zeros that its omissions mean.

    For a registry that omits empty days by construction. A response that lost all its rows is an error.
    """
    if error := emptied(request, counts, source):
        return FetchResult(request.metric_id, error=error)
    checked = await sentinel.check(absent_days(request, counts), low_days(request, counts))
    found = observations(request, counts, implied_zeros=checked.counted, held_back=checked.held_back)
    return FetchResult(request.metric_id, found, checked.error, checked.notes)
